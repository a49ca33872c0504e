#include "server/load_model.h"

#include <memory>
#include <string>
#include <utility>

#include "base/text.h"
#include "server/errors.h"
#include "server/unary_call.h"
#include "tandem/engine/v1/engine.pb.h"

namespace tandem {
namespace {

constexpr std::size_t kMaxNameBytes = 128;
constexpr std::size_t kMaxHeldAsBytes = 160;

Error InvalidField(const std::string& field, const std::string& what) {
  return {Code::kInvalidArgument, "INVALID_FIELD", field + ": " + what, {{"field", field}}};
}

MaybeError CheckName(const std::string& field, const std::string& name, std::size_t max_bytes) {
  if (!name.empty() && name.size() <= max_bytes && Printable(name) == name) return std::nullopt;
  return InvalidField(field, "must be 1 to " + std::to_string(max_bytes) + " bytes of UTF-8 text");
}

MaybeError Check(const engine::v1::LoadModelRequest& request) {
  if (auto error = CheckName("name", request.name(), kMaxNameBytes)) return error;
  if (!request.held_as().empty()) {
    if (auto error = CheckName("held_as", request.held_as(), kMaxHeldAsBytes)) return error;
  }
  if (request.version() == 0) return InvalidField("version", "must be 1 or more");
  return std::nullopt;
}

LoadOrder ToOrder(engine::v1::LoadModelRequest& request, MemoryHold memory) {
  LoadOrder order;
  order.name = request.name();
  order.version = request.version();
  order.nir = std::move(*request.mutable_nir());
  order.manifest = std::move(*request.mutable_manifest());
  order.held_as = request.held_as().empty() ? request.name() : request.held_as();
  order.model_id = request.model_id();
  order.memory = std::move(memory);
  return order;
}

// Lives until gRPC and the loading thread release it.
class ModelCall final : public UnaryCall, public std::enable_shared_from_this<ModelCall> {
 public:
  using UnaryCall::UnaryCall;

  void Load(grpc::ByteBuffer& bytes, std::function<void()> on_change) {
    self_ = shared_from_this();
    FinishOnBadAlloc([&] {
      if (core().draining()) return Finish(ToGrpcStatus(EngineCore::DrainingError()));
      // The message's bytes, the parsed message, and the copy for the loader.
      auto memory = account().Take(3 * bytes.Length());
      if (!memory) return Finish(ToGrpcStatus(EngineCore::MemoryError(account().budget())));
      auto request = ParseUnary<engine::v1::LoadModelRequest>(bytes, CheckPlainRequest);
      if (!request.ok()) return Finish(ToGrpcStatus(request.error()));
      if (const auto error = Check(request.value())) return Finish(ToGrpcStatus(*error));
      core().model_loads().Load(ToOrder(request.value(), *std::move(memory)),
                                [self = self_, on_change = std::move(on_change)](ModelLoads::Outcome loaded) {
                                  if (loaded.ok()) on_change();
                                  self->Loaded(loaded);
                                });
    });
  }

  void Unload(grpc::ByteBuffer& bytes, std::function<void()> on_change) {
    self_ = shared_from_this();
    FinishOnBadAlloc([&] {
      if (core().draining()) return Finish(ToGrpcStatus(EngineCore::DrainingError()));
      const auto request = ParseUnary<engine::v1::UnloadModelRequest>(bytes, CheckPlainRequest);
      if (!request.ok()) return Finish(ToGrpcStatus(request.error()));
      core().model_loads().Unload({request.value().name(), request.value().version()},
                                  [self = self_, on_change = std::move(on_change)](ModelLoads::Outcome unloaded) {
                                    if (!unloaded.ok()) return self->Finish(ToGrpcStatus(unloaded.error()));
                                    on_change();
                                    self->FinishOnBadAlloc([&] { self->Answer(engine::v1::UnloadModelResponse()); });
                                  });
    });
  }

 private:
  void Loaded(const ModelLoads::Outcome& loaded) {
    FinishOnBadAlloc([&] {
      if (!loaded.ok()) return Finish(ToGrpcStatus(loaded.error()));
      engine::v1::LoadModelResponse response;
      EngineCore::Describe(*loaded.value(), *response.mutable_model());
      Answer(response);
    });
  }
  void Release() override { self_.reset(); }

  std::shared_ptr<ModelCall> self_;  // gRPC's reference, until OnDone
};

}  // namespace

grpc::ServerUnaryReactor* StartLoadModel(const IncomingCall& incoming, std::function<void()> on_change) {
  const auto call = std::make_shared<ModelCall>(incoming);
  call->Load(incoming.request, std::move(on_change));
  return call.get();
}

grpc::ServerUnaryReactor* StartUnloadModel(const IncomingCall& incoming, std::function<void()> on_change) {
  const auto call = std::make_shared<ModelCall>(incoming);
  call->Unload(incoming.request, std::move(on_change));
  return call.get();
}

}  // namespace tandem
