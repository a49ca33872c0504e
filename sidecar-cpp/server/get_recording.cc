#include "server/get_recording.h"

#include <string>

#include "base/text.h"
#include "server/errors.h"

namespace tandem {
namespace {

Error Unknown(const RecordingStore& store, std::uint64_t id) {
  const std::string why = store.max_bytes() == 0
                              ? "this engine records nothing; start it with --recorder-bytes above 0"
                              : "newer runs have taken its place, or it was too large to keep; ask sooner, or raise "
                                "--recorder-bytes, now " +
                                    std::to_string(store.max_bytes());
  return {Code::kNotFound, "UNKNOWN_RECORDING", "there is no recording " + std::to_string(id) + ": " + why, {}};
}

}  // namespace

grpc::Status GetRecording(const RecordingStore& store, std::uint64_t id, engine::v1::GetRecordingResponse& to) {
  const auto kept = store.Find(id);
  if (!kept) return ToGrpcStatus(Unknown(store, id));
  const Recording& recording = kept->recording;
  const Network& network = recording.network();
  to.set_model(kept->model->name);
  to.set_model_version(kept->model->version);
  to.set_steps(recording.steps);
  to.set_ended(kept->ended);
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
  return grpc::Status::OK;
}

}  // namespace tandem
