// The service over a real in-process channel. Workers are the test's own hand (RunOne) unless a test names threads.
#include <gmock/gmock.h>
#include <grpcpp/grpcpp.h>
#include <gtest/gtest.h>

#include <cstring>
#include <future>
#include <limits>
#include <map>
#include <thread>

#include "google/rpc/error_details.pb.h"
#include "google/rpc/status.pb.h"
#include "server/infer_stream.h"
#include "server/server.h"
#include "testing/graphs.h"

namespace tandem {
namespace {

using engine::v1::EngineService;
using engine::v1::InferItem;
using engine::v1::InferResult;
using engine::v1::InferStreamRequest;
using engine::v1::InferStreamResponse;
using ::testing::HasSubstr;
using testing::SeedOr;

constexpr std::uint32_t kInputs = 8;

std::shared_ptr<const Model> MakeModel(const std::string& name, Manifest manifest) {
  Model model;
  model.name = name;
  model.version = 1;
  model.model_id = 42;
  model.manifest = manifest;
  model.network = testing::Compile(testing::LifNet(kInputs, 16, 4, 1), manifest);
  return std::make_shared<const Model>(std::move(model));
}

Repository Models() {
  Manifest series;
  series.input_kind = InputKind::kSeries;
  Manifest shaped;
  shaped.input_shape = {2, 4};
  Model broken;
  broken.name = "broken";
  broken.version = 1;
  broken.error = "node \"lif1\": field \"tau\": must be > 0, found -0.001 at index 3";
  return Repository({MakeModel("net", {}), MakeModel("series", series), MakeModel("shaped", shaped),
                     std::make_shared<const Model>(broken)});
}

InferItem Item(std::uint64_t id, const std::string& model = "net", std::vector<std::uint32_t> shape = {kInputs},
               float value = 1.0f) {
  InferItem item;
  item.set_id(id);
  item.set_model(model);
  std::size_t elements = 1;
  for (const std::uint32_t dim : shape) {
    item.add_shape(dim);
    elements *= dim;
  }
  const std::vector<float> values(elements, value);
  item.set_data(values.data(), elements * sizeof(float));
  return item;
}

class Service : public ::testing::Test {
 protected:
  explicit Service(std::size_t threads = 0, std::size_t max_in_flight = 1024)
      : core_({"test", {.threads = threads, .max_in_flight = max_in_flight}}, Models()) {
    ServerOptions options;
    options.listen = "127.0.0.1:0";
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
  // Reads messages until `count` more answers came (or the stream ended); runs what is queued meanwhile.
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

google::rpc::ErrorInfo InfoOf(const grpc::Status& status) {
  google::rpc::Status details;
  google::rpc::ErrorInfo info;
  EXPECT_TRUE(details.ParseFromString(status.error_details()));
  EXPECT_TRUE(details.details_size() > 0 && details.details(0).UnpackTo(&info));
  return info;
}

TEST_F(Service, DescribeListsUsableAndBrokenModels) {
  engine::v1::DescribeResponse response;
  grpc::ClientContext context;
  ASSERT_TRUE(stub_->Describe(&context, {}, &response).ok());
  EXPECT_EQ(response.engine_id(), "test");
  EXPECT_EQ(response.numerics_version(), 1u);
  EXPECT_THAT(response.build(), HasSubstr("tandem-engine"));
  ASSERT_EQ(response.models_size(), 4);
  EXPECT_EQ(response.models(0).name(), "broken");
  EXPECT_THAT(response.models(0).error(), HasSubstr("must be > 0"));
  EXPECT_EQ(response.models(0).model_id(), 0u);
  EXPECT_EQ(response.models(1).name(), "net");
  EXPECT_EQ(response.models(1).input_size(), kInputs);
  EXPECT_EQ(response.models(1).output_size(), 4u);
  EXPECT_EQ(response.models(1).model_id(), 42u);
}

TEST_F(Service, UnaryAnswersWithTheInference) {
  engine::v1::InferResponse response;
  ASSERT_TRUE(Infer(Item(0), &response).ok());
  EXPECT_EQ(response.inference().steps(), 16u);
  EXPECT_EQ(response.inference().spike_counts_size(), 4);
  EXPECT_EQ(response.inference().potentials().size(), 16u);
  EXPECT_EQ(response.inference().model_version(), 1u);
}

TEST_F(Service, UnaryErrorsCarryReasonAndField) {
  const grpc::Status status = Infer(Item(0, "net", {7}));
  EXPECT_EQ(status.error_code(), grpc::StatusCode::INVALID_ARGUMENT);
  const auto info = InfoOf(status);
  EXPECT_EQ(info.reason(), "INPUT_LENGTH");
  EXPECT_EQ(info.domain(), "tandem");
  google::rpc::Status details;
  google::rpc::BadRequest bad;
  ASSERT_TRUE(details.ParseFromString(status.error_details()));
  ASSERT_EQ(details.details_size(), 2);
  ASSERT_TRUE(details.details(1).UnpackTo(&bad));
  EXPECT_EQ(bad.field_violations(0).field(), "item.shape");
}

TEST_F(Service, WhatIsWrongWithAnInputIsNamed) {
  const auto reason = [&](const InferItem& item) { return InfoOf(Infer(item)).reason(); };
  EXPECT_EQ(reason(Item(0, "nowhere")), "UNKNOWN_MODEL");
  EXPECT_EQ(reason(Item(0, "")), "UNKNOWN_MODEL");
  EXPECT_EQ(reason(Item(0, "broken")), "MODEL_INVALID");
  EXPECT_EQ(reason(Item(0, "net", {3, kInputs})), "INPUT_KIND");
  EXPECT_EQ(reason(Item(0, "series", {kInputs})), "INPUT_KIND");
  EXPECT_EQ(reason(Item(0, "series", {0, kInputs})), "INPUT_STEPS");
  EXPECT_EQ(reason(Item(0, "series", {100001, kInputs})), "INPUT_STEPS");
  EXPECT_EQ(reason(Item(0, "net", {})), "INPUT_LENGTH");
  EXPECT_EQ(reason(Item(0, "shaped", {4, 2})), "INPUT_LENGTH");
  InferItem torn = Item(0);
  torn.mutable_data()->pop_back();
  EXPECT_EQ(reason(torn), "INPUT_LENGTH");
}

TEST_F(Service, AnInputThatIsNotFiniteNamesItsIndex) {
  for (const float bad : {std::numeric_limits<float>::quiet_NaN(), std::numeric_limits<float>::infinity()}) {
    InferItem item = Item(0);
    std::memcpy(item.mutable_data()->data() + 5 * sizeof(float), &bad, sizeof(float));
    const auto info = InfoOf(Infer(item));
    EXPECT_EQ(info.reason(), "INPUT_NOT_FINITE");
    EXPECT_EQ(info.metadata().at("index"), "5");
  }
}

TEST_F(Service, TheManifestsShapeAndTheFlatOneAreBothTaken) {
  EXPECT_TRUE(Infer(Item(0, "shaped", {2, 4})).ok());
  EXPECT_TRUE(Infer(Item(0, "shaped", {8})).ok());
  EXPECT_TRUE(Infer(Item(0, "series", {3, kInputs})).ok());
}

TEST_F(Service, OverflowInsideTheRunIsOutOfRange) {
  const grpc::Status status = Infer(Item(0, "net", {kInputs}, std::numeric_limits<float>::max()));
  EXPECT_EQ(status.error_code(), grpc::StatusCode::OUT_OF_RANGE);
  EXPECT_EQ(InfoOf(status).reason(), "NON_FINITE");
}

TEST_F(Service, AStreamAnswersEveryItemByItsId) {
  Stream stream(core_, *stub_);
  stream.Send({Item(1), Item(2, "nowhere"), Item(3, "series", {5, kInputs}), Item(4)});
  stream.Read(4);
  EXPECT_TRUE(stream.results.at(1).has_inference());
  EXPECT_EQ(stream.Reason(2), "UNKNOWN_MODEL");
  EXPECT_EQ(stream.results.at(3).inference().steps(), 5u);
  EXPECT_EQ(stream.results.at(4).inference().state_digest(), stream.results.at(1).inference().state_digest());
  stream.HalfClose();
  EXPECT_TRUE(stream.Finish().ok());
}

TEST_F(Service, AHalfClosedStreamIsAnsweredToTheEnd) {
  Stream stream(core_, *stub_);
  stream.Send({Item(1), Item(2)});
  stream.HalfClose();
  stream.Read(2);
  EXPECT_EQ(stream.results.size(), 2u);
  EXPECT_TRUE(stream.Finish().ok());
}

TEST_F(Service, AnIdInUseIsRefusedAndItsOwnerAnswered) {
  // One batch: the first owner is pending while the second is looked at.
  Stream stream(core_, *stub_);
  stream.run_while_reading = false;
  stream.Send({Item(1), Item(2)});
  stream.AwaitInFlight(2);
  stream.Send({Item(1)});
  stream.Read(1);
  EXPECT_EQ(stream.Reason(1), "DUPLICATE_ID");
  stream.results.clear();
  stream.run_while_reading = true;
  stream.Read(2);
  EXPECT_TRUE(stream.results.at(1).has_inference());
}

TEST_F(Service, AMessageOfTooManyItemsIsRefusedItemByItem) {
  Stream stream(core_, *stub_);
  std::vector<InferItem> items;
  for (int k = 0; k <= kMaxItemsPerMessage; ++k) items.push_back(Item(k));
  stream.Send(items);
  stream.Read(items.size());
  EXPECT_EQ(stream.Reason(0), "BATCH_TOO_LARGE");
  EXPECT_EQ(stream.Reason(kMaxItemsPerMessage), "BATCH_TOO_LARGE");
  stream.results.clear();
  stream.Send({Item(7)});
  stream.Read(1);
  EXPECT_TRUE(stream.results.at(7).has_inference());
}

TEST_F(Service, AMessageOfAbsurdlyManyItemsEndsTheStream) {
  Stream stream(core_, *stub_);
  stream.Send(std::vector<InferItem>(kAbsurdItemsPerMessage + 1));
  stream.Read(1);
  EXPECT_TRUE(stream.results.empty());
  const grpc::Status status = stream.Finish();
  EXPECT_EQ(status.error_code(), grpc::StatusCode::RESOURCE_EXHAUSTED);
  EXPECT_EQ(InfoOf(status).reason(), "BATCH_TOO_LARGE");
}

TEST_F(Service, ACancelledItemLeavesTheQueueAndIsAnsweredOnce) {
  Stream stream(core_, *stub_);
  stream.run_while_reading = false;
  stream.Send({Item(1), Item(2), Item(3)});
  stream.AwaitInFlight(3);
  stream.Send({}, {2, 99});
  stream.Read(1);
  EXPECT_EQ(stream.Reason(2), "CANCELLED");
  EXPECT_EQ(core_.in_flight(), 2u);
  stream.run_while_reading = true;
  stream.Read(2);
  EXPECT_TRUE(stream.results.at(1).has_inference());
  EXPECT_TRUE(stream.results.at(3).has_inference());
}

TEST_F(Service, ADeadStreamsItemsLeaveTheQueue) {
  {
    Stream stream(core_, *stub_);
    stream.Send({Item(1), Item(2)});
    stream.AwaitInFlight(2);
    stream.context.TryCancel();
    stream.AwaitInFlight(0);
    stream.Finish();
  }
  EXPECT_TRUE(Infer(Item(0)).ok());
}

TEST_F(Service, AnItemThatWaitedTooLongIsNotRun) {
  Stream stream(core_, *stub_);
  InferItem item = Item(1);
  item.set_timeout_us(1);
  stream.Send({item});
  stream.Read(1);
  EXPECT_EQ(stream.results.at(1).error().code(), 4);
  EXPECT_EQ(stream.Reason(1), "DEADLINE_EXCEEDED");
}

TEST_F(Service, ACallWhoseDeadlinePassedLeavesTheQueue) {
  engine::v1::InferRequest request;
  *request.mutable_item() = Item(0);
  engine::v1::InferResponse response;
  grpc::ClientContext context;
  context.set_deadline(std::chrono::system_clock::now() + std::chrono::milliseconds(30));
  EXPECT_EQ(stub_->Infer(&context, request, &response).error_code(), grpc::StatusCode::DEADLINE_EXCEEDED);
  while (core_.in_flight() != 0) std::this_thread::yield();
}

TEST_F(Service, UnreadAnswersStopTheReadingAndNothingIsLost) {
  // Far more refused items than may wait unsent: all are answered once the caller reads.
  Stream stream(core_, *stub_);
  constexpr std::uint64_t kMessages = 40;
  auto writer = std::async(std::launch::async, [&] {
    for (std::uint64_t message = 0; message < kMessages; ++message) {
      std::vector<InferItem> items;
      for (std::uint64_t k = 0; k < 200; ++k) items.push_back(Item(message * 200 + k, "nowhere"));
      stream.Send(items);
    }
    stream.HalfClose();
  });
  stream.Read(kMessages * 200);
  writer.get();
  EXPECT_EQ(stream.results.size(), kMessages * 200);
  EXPECT_TRUE(stream.Finish().ok());
}

TEST_F(Service, DrainingAnswersWhatIsInFlightThenClosesTheStream) {
  // Over a socket: gRPC's in-process transport drops its calls as soon as a shutdown begins.
  stub_ = EngineService::NewStub(grpc::CreateChannel(server_->address(), grpc::InsecureChannelCredentials()));
  Stream stream(core_, *stub_);
  stream.run_while_reading = false;
  stream.Send({Item(1), Item(2)});
  stream.AwaitInFlight(2);
  auto drained = std::async(std::launch::async, [&] { return server_->Drain(std::chrono::seconds(30)); });
  while (!core_.draining()) std::this_thread::yield();
  stream.run_while_reading = true;
  stream.Read(3);  // two answers, then the end
  EXPECT_EQ(stream.results.size(), 2u);
  EXPECT_TRUE(stream.results.at(1).has_inference());
  const grpc::Status status = stream.Finish();
  EXPECT_EQ(status.error_code(), grpc::StatusCode::UNAVAILABLE);
  EXPECT_EQ(InfoOf(status).reason(), "DRAINING");
  EXPECT_TRUE(drained.get());
  server_.reset();
}

class FullService : public Service {
 protected:
  FullService() : Service(0, 2) {}
};

TEST_F(FullService, AFullQueueRefusesAtOnceAndNamesItsSize) {
  Stream stream(core_, *stub_);
  stream.run_while_reading = false;
  stream.Send({Item(1), Item(2), Item(3)});
  stream.Read(1);
  EXPECT_EQ(stream.Reason(3), "ENGINE_FULL");
  EXPECT_EQ(stream.results.at(3).error().code(), 8);
  EXPECT_EQ(stream.results.at(3).error().metadata().at("max_in_flight"), "2");
  engine::v1::InferRequest request;
  *request.mutable_item() = Item(0);
  engine::v1::InferResponse response;
  grpc::ClientContext context;
  EXPECT_EQ(InfoOf(stub_->Infer(&context, request, &response)).reason(), "ENGINE_FULL");
}

class ThreadedService : public Service {
 protected:
  ThreadedService() : Service(2) {}
};

TEST_F(ThreadedService, ADeadlineStopsALongSimulation) {
  Stream stream(core_, *stub_);
  stream.run_while_reading = false;
  InferItem item = Item(1, "series", {100000, kInputs});
  item.set_timeout_us(2000);
  stream.Send({item});
  stream.Read(1);
  EXPECT_EQ(stream.Reason(1), "DEADLINE_EXCEEDED");
}

TEST_F(ThreadedService, ACancelledCallStopsItsSimulation) {
  Stream stream(core_, *stub_);
  stream.run_while_reading = false;
  std::vector<InferItem> items;
  for (int k = 0; k < 8; ++k) items.push_back(Item(k, "series", {100000, kInputs}));
  stream.Send(items);
  stream.AwaitInFlight(8);
  stream.context.TryCancel();
  stream.AwaitInFlight(0);
  stream.Finish();
}

TEST_F(ThreadedService, ManyStreamsWithCancelsAreAllAnsweredOnce) {
  const std::uint64_t seed = SeedOr(1);
  SCOPED_TRACE("TANDEM_TEST_SEED=" + std::to_string(seed));
  std::vector<std::future<std::size_t>> callers;
  for (std::uint64_t caller = 0; caller < 6; ++caller) {
    callers.push_back(std::async(std::launch::async, [&, caller] {
      std::mt19937_64 random(seed + caller);
      Stream stream(core_, *stub_);
      stream.run_while_reading = false;
      std::uint64_t id = 0;
      for (int round = 0; round < 40; ++round) {
        std::vector<InferItem> items;
        for (std::uint64_t k = 0; k < 16; ++k) items.push_back(Item(id++, random() % 3 == 0 ? "shaped" : "net"));
        stream.Send(items, {id - random() % 40, id - random() % 40});
        if (round % 4 == 3) stream.Read(64);
      }
      stream.HalfClose();
      EXPECT_TRUE(stream.Finish().ok());
      return stream.results.size();
    }));
  }
  for (auto& caller : callers) EXPECT_EQ(caller.get(), 640u);
}

}  // namespace
}  // namespace tandem
