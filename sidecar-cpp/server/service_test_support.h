// The service over a real in-process channel. The test itself runs the work (RunOne), except in tests with threads.
#pragma once

#include <grpcpp/grpcpp.h>
#include <gtest/gtest.h>

#include <future>
#include <map>
#include <memory>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "google/rpc/error_details.pb.h"
#include "google/rpc/status.pb.h"
#include "server/server.h"
#include "testing/graphs.h"
#include "testing/infer_item.h"

namespace tandem {

using engine::v1::EngineService;
using engine::v1::InferItem;
using engine::v1::InferResult;
using engine::v1::InferStreamRequest;
using engine::v1::InferStreamResponse;

inline constexpr std::uint32_t kInputs = 8;
// An answer of about 100 KB.
inline constexpr std::uint32_t kWideOutputs = 20'000;

inline std::shared_ptr<const Model> MakeModel(const std::string& name, Manifest manifest, const GraphTree& graph) {
  Model model;
  model.name = name;
  model.version = 1;
  model.model_id = 42;
  model.manifest = manifest;
  model.network = testing::Compile(graph, manifest);
  return std::make_shared<const Model>(std::move(model));
}
inline std::shared_ptr<const Model> MakeModel(const std::string& name, Manifest manifest) {
  return MakeModel(name, manifest, testing::LifNet(kInputs, 16, 4, 1));
}

// Three layers of a neuron each.
inline GraphTree DeepNet() {
  std::vector<Node> nodes;
  for (const char* name : {"a", "b", "c"}) {
    nodes.push_back(testing::MakeNode(name, NodeType::kIf,
                                      {{"r", testing::Scalar(1000.0)}, {"v_threshold", testing::Scalar(0.5)}}));
  }
  return testing::Chain(1, std::move(nodes), 1);
}

inline Repository Models() {
  Manifest series;
  series.input_kind = InputKind::kSeries;
  Manifest shaped;
  shaped.input_shape = {2, 4};
  Model broken;
  broken.name = "broken";
  broken.version = 1;
  broken.error = "node \"lif1\": field \"tau\": must be > 0, found -0.001 at index 3";
  return Repository({MakeModel("net", {}), MakeModel("series", series), MakeModel("shaped", shaped),
                     MakeModel("deep", series, DeepNet()),
                     MakeModel("wide", {}, testing::LifNet(kInputs, 4, kWideOutputs, 1)),
                     std::make_shared<const Model>(broken)});
}

inline InferItem Item(std::uint64_t id, const std::string& model = "net",
                      const std::vector<std::uint32_t>& shape = {kInputs}, float value = 1.0f) {
  return testing::MakeItem(id, model, shape, value);
}

// A job of another caller.
inline std::shared_ptr<InferJob> MakeJob(EngineCore& core, InferItem& item, std::shared_ptr<ResultSink> sink) {
  return core.MakeJob(item, Clock::now(), *MemoryAccount::Open(core.stream_memory()), std::move(sink)).value();
}

class Service : public ::testing::Test {
 protected:
  explicit Service(std::size_t threads = 0, std::size_t max_in_flight = 1024, SpanSink* spans = nullptr,
                   std::size_t memory_bytes = EngineCore::kDefaultMemoryBytes,
                   const std::string& listen = "127.0.0.1:0")
      : core_({.engine_id = "test",
               .batcher = {.threads = threads, .max_in_flight = max_in_flight},
               .memory_bytes = memory_bytes},
              Models(), spans) {
    ServerOptions options;
    options.listen = listen;
    options.max_message_bytes = 64 << 20;
    server_ = Server::Start(options, core_).value();
    stub_ = EngineService::NewStub(server_->InProcessChannel());
  }
  ~Service() override {
    stub_.reset();
    if (server_) server_->Drain(std::chrono::seconds(30));
  }

  // One unary call; the test is its worker.
  grpc::Status Infer(const InferItem& item, engine::v1::InferResponse* response = nullptr) {
    engine::v1::InferRequest request;
    *request.mutable_item() = item;
    engine::v1::InferResponse unused;
    grpc::ClientContext context;
    auto call =
        std::async(std::launch::async, [&] { return stub_->Infer(&context, request, response ? response : &unused); });
    while (call.wait_for(std::chrono::milliseconds(1)) != std::future_status::ready) core_.RunOne();
    return call.get();
  }

  EngineCore core_;
  std::unique_ptr<Server> server_;
  std::unique_ptr<EngineService::Stub> stub_;
};

// A stream, with the test as worker while it waits for answers.
class Stream {
 public:
  Stream(EngineCore& core, EngineService::Stub& stub) : core_(core), stream_(stub.InferStream(&context)) {}

  void Send(const std::vector<InferItem>& items, const std::vector<std::uint64_t>& cancel = {}) {
    InferStreamRequest request;
    for (const InferItem& item : items) *request.add_items() = item;
    for (const std::uint64_t id : cancel) request.add_cancel_ids(id);
    ASSERT_TRUE(stream_->Write(request));
  }
  // Waits until the engine holds this many inputs.
  void AwaitInFlight(std::size_t count) const {
    while (core_.in_flight() != count) std::this_thread::yield();
  }
  // Reads messages until `count` more answers have arrived (or the stream has ended); runs queued work meanwhile.
  void Read(std::size_t count) {
    const std::size_t want = results.size() + count;
    while (results.size() < want) {
      InferStreamResponse response;
      auto read = std::async(std::launch::async, [&] { return stream_->Read(&response); });
      while (read.wait_for(std::chrono::milliseconds(1)) != std::future_status::ready) {
        if (run_while_reading) core_.RunOne();
      }
      if (!read.get()) return;
      for (const InferResult& result : response.results()) {
        EXPECT_TRUE(results.emplace(result.id(), result).second) << "answered twice: " << result.id();
      }
    }
  }
  std::string Reason(std::uint64_t id) { return results.at(id).error().reason(); }
  void HalfClose() { stream_->WritesDone(); }
  grpc::Status Finish() { return stream_->Finish(); }

  grpc::ClientContext context;
  std::map<std::uint64_t, InferResult> results;
  bool run_while_reading = true;

 private:
  EngineCore& core_;
  std::unique_ptr<grpc::ClientReaderWriter<InferStreamRequest, InferStreamResponse>> stream_;
};

inline google::rpc::ErrorInfo InfoOf(const grpc::Status& status) {
  google::rpc::Status details;
  google::rpc::ErrorInfo info;
  EXPECT_TRUE(details.ParseFromString(status.error_details()));
  EXPECT_TRUE(details.details_size() > 0 && details.details(0).UnpackTo(&info));
  return info;
}

}  // namespace tandem
