#include "server/get_recording.h"

#include <string>

#include "base/text.h"
#include "server/errors.h"
#include "server/unary_call.h"
#include "tandem/engine/v1/engine.pb.h"

namespace tandem {
namespace {

Error Unknown(const RecordingStore& store, std::uint64_t id) {
  const std::string why =
      store.max_bytes() == 0
          ? "this engine records nothing; start it with --recorder-bytes above 0"
          : "newer recordings have replaced it, or it was too large to keep; request it sooner, or raise "
            "--recorder-bytes, now " +
                std::to_string(store.max_bytes());
  return {Code::kNotFound, "UNKNOWN_RECORDING", "there is no recording " + std::to_string(id) + ": " + why, {}};
}

engine::v1::GetRecordingResponse ToResponse(const KeptRecording& kept) {
  engine::v1::GetRecordingResponse to;
  const Recording& recording = kept.recording;
  const Network& network = recording.network();
  to.set_model(kept.model->name);
  to.set_model_version(kept.model->version);
  to.set_steps(recording.steps);
  to.set_ended(kept.ended);
  for (std::size_t k = 0; k < network.recorded.size(); ++k) {
    const NetworkNode& node = network.nodes[network.recorded[k].node];
    auto& added = *to.add_nodes();
    added.set_node(Printable(node.name));
    added.set_elements(node.out);
    const auto spikes = recording.spikes(k);
    added.set_spikes(spikes.data(), spikes.size());
    const auto checksums = recording.checksums(k);
    added.mutable_state_checksums()->Add(checksums.begin(), checksums.end());
  }
  return to;
}

class RecordingCall final : public UnaryCall {
 public:
  using UnaryCall::UnaryCall;

  void Start(grpc::ByteBuffer& request) {
    FinishOnBadAlloc([&] {
      const auto parsed = ParseUnary<engine::v1::GetRecordingRequest>(request);
      if (!parsed.ok()) return Finish(ToGrpcStatus(parsed.error()));
      const std::uint64_t id = parsed.value().recording_id();
      const auto kept = core().recordings().Find(id);
      if (!kept) return Finish(ToGrpcStatus(Unknown(core().recordings(), id)));
      // The copy of the recording, the answer's message, and its bytes.
      const auto& recording = kept->recording;
      const auto memory = account().Take(3 * RecordingStore::BytesFor(recording.network(), recording.steps));
      if (!memory) return Finish(ToGrpcStatus(EngineCore::MemoryError(account().budget())));
      Answer(ToResponse(*kept));
    });
  }

 private:
  void Release() override { delete this; }
};

}  // namespace

grpc::ServerUnaryReactor* StartGetRecording(const IncomingCall& incoming) {
  auto* const call = new RecordingCall(incoming);  // deletes itself
  call->Start(incoming.request);
  return call;
}

}  // namespace tandem
