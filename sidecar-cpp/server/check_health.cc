#include "server/check_health.h"

#include <grpcpp/generic/generic_stub.h>
#include <grpcpp/grpcpp.h>

#include "base/text.h"

namespace tandem {
namespace {

// grpc.health.v1.HealthCheckResponse with status SERVING and NOT_SERVING. This build does not need its proto for a
// message with one enum.
constexpr const char* kServing = "\x08\x01";
constexpr const char* kNotServing = "\x08\x02";

}  // namespace

// An empty message means the whole server.
std::pair<grpc::Status, std::string> AskHealth(const std::shared_ptr<grpc::Channel>& channel,
                                               std::chrono::milliseconds timeout) {
  grpc::GenericStub stub(channel);
  grpc::ClientContext context;
  context.set_deadline(std::chrono::system_clock::now() + timeout);
  grpc::CompletionQueue queue;
  const grpc::Slice nothing("");
  const auto call = stub.PrepareUnaryCall(&context, "/grpc.health.v1.Health/Check", {&nothing, 1}, &queue);
  call->StartCall();
  grpc::ByteBuffer reply;
  grpc::Status status;
  call->Finish(&reply, &status, nullptr);
  void* tag = nullptr;
  bool ok = false;
  queue.Next(&tag, &ok);
  queue.Shutdown();
  while (queue.Next(&tag, &ok)) {
  }
  grpc::Slice slice;
  if (!status.ok() || !reply.DumpToSingleSlice(&slice).ok()) return {status, ""};
  return {status, std::string(reinterpret_cast<const char*>(slice.begin()), slice.size())};
}

MaybeError CheckHealth(const std::string& address, std::chrono::milliseconds timeout, const TlsFiles& tls) {
  const auto credentials = OwnChannelCredentials(tls);
  if (!credentials.ok()) return credentials.error();
  grpc::ChannelArguments arguments;
  arguments.SetInt(GRPC_ARG_ENABLE_HTTP_PROXY, 0);  // its answer would not be about this engine
  const auto channel = grpc::CreateCustomChannel(address, credentials.value(), arguments);
  const auto [status, answer] = AskHealth(channel, timeout);
  const std::string name = "\"" + Printable(address) + "\"";
  if (!status.ok()) {
    return Error{Code::kUnavailable,
                 "HEALTH",
                 "no health answer from " + name + ": " + status.error_message() +
                     "; is the engine running, and is this where it listens (--listen)?",
                 {}};
  }
  if (answer == kServing) return std::nullopt;
  const std::string why = answer == kNotServing
                              ? "is not serving: it drains, still starts, or holds no usable model; its log says which"
                              : "does not know how it is";
  return Error{Code::kUnavailable, "HEALTH", name + " " + why, {}};
}

}  // namespace tandem
