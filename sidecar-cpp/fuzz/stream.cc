// The messages of one InferStream call over a connection, with a worker thread: all of the stream's own code runs. The
// stream ends, and no id is answered more often than it was sent.
#include <grpcpp/grpcpp.h>
#include <grpcpp/impl/rpc_method.h>
#include <grpcpp/support/sync_stream.h>

#include <future>
#include <map>
#include <memory>

#include "fuzz/fuzz_target.h"
#include "fuzz/messages.h"
#include "fuzz/models.h"
#include "fuzz/message_target.h"
#include "server/server.h"

namespace tandem::fuzz {
namespace {

using Counts = std::map<std::uint64_t, std::size_t>;  // by id

// Without recordings, so that the memory of this process grows only through leaks.
EngineCore::Options Options() {
  EngineCore::Options options;
  options.engine_id = "fuzz";
  options.batcher.threads = 1;
  options.batcher.max_in_flight = 64;
  options.recorder_bytes = 0;
  return options;
}

struct Engine {
  Engine() : core(Options(), SmallModels()) {
    ServerOptions options;
    options.listen = "127.0.0.1:0";
    server = Server::Start(options, core).value();
    // Not in process: that transport never frees the memory of some calls.
    channel = grpc::CreateChannel(server->address(), grpc::InsecureChannelCredentials());
  }
  EngineCore core;
  std::unique_ptr<Server> server;
  std::shared_ptr<grpc::Channel> channel;
};

// Returns false if the message cannot be parsed as a whole. Some of its items may still be answered.
bool CountItems(const Message& message, Counts& sent) {
  engine::v1::InferStreamRequest request;
  if (!request.ParseFromString(message.bytes)) return false;
  for (const auto& item : request.items()) ++sent[item.id()];
  return true;
}

// Returns the number of results.

}  // namespace

std::size_t Run(std::string_view input) {
  static auto& engine = *new Engine;  // gRPC's threads live as long as the process
  grpc::ClientContext context;
  const grpc::internal::RpcMethod path("/tandem.engine.v1.EngineService/InferStream",
                                       grpc::internal::RpcMethod::BIDI_STREAMING);
  const std::unique_ptr<grpc::ClientReaderWriter<grpc::ByteBuffer, grpc::ByteBuffer>> stream(
      grpc::internal::ClientReaderWriterFactory<grpc::ByteBuffer, grpc::ByteBuffer>::Create(engine.channel.get(), path,
                                                                                            &context));
  Counts sent;
  std::size_t results = 0;
  auto reading = std::async(std::launch::async, [&] {
    Counts answered;
    grpc::ByteBuffer bytes;
    while (stream->Read(&bytes)) {
      engine::v1::InferStreamResponse response;
      Require(grpc::SerializationTraits<engine::v1::InferStreamResponse>::Deserialize(&bytes, &response).ok(),
              "an answer can be parsed");
      for (const auto& result : response.results()) {
        ++answered[result.id()];
        if (result.has_inference()) ++results;
      }
    }
    return answered;
  });
  bool is_counted = true;
  std::uint64_t number = 0;
  for (const Message& message : MessagesOf(input)) {
    is_counted = CountItems(message, sent) && is_counted;
    if (!stream->Write(BufferOf(message, number++))) break;
  }
  stream->WritesDone();
  const Counts answered = reading.get();
  const grpc::Status status = stream->Finish();
  if (!is_counted) return results;
  for (const auto& [id, count] : answered) {
    const auto found = sent.find(id);
    Require(found != sent.end() && count <= found->second, "an id is answered as often as it was sent, at most");
  }
  if (status.ok()) Require(answered == sent, "a stream that ends well has answered every id");
  return results;
}

}  // namespace tandem::fuzz
