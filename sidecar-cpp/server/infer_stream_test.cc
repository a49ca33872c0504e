#include "server/infer_stream.h"

#include <new>
#include <random>
#include <utility>

#include "server/instance_id.h"
#include "server/raw_call_test_support.h"
#include "server/request_scan.h"
#include "server/service_test_support.h"

namespace tandem {
namespace {

using testing::SeedOr;

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

TEST_F(Service, AStreamLeavesTheReadoutOutOfAnswersThatNeedOnlyDigests) {
  Stream stream(core_, *stub_);
  InferItem bare = Item(2);
  bare.set_digest_only(true);
  stream.Send({Item(1), bare});
  stream.Read(2);
  EXPECT_EQ(stream.results.at(1).inference().spike_counts_size(), 4);
  EXPECT_EQ(stream.results.at(2).inference().spike_counts_size(), 0);
  EXPECT_TRUE(stream.results.at(2).inference().potentials().empty());
  EXPECT_EQ(stream.results.at(2).inference().readout_digest(), stream.results.at(1).inference().readout_digest());
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
  // One batch: the first owner is pending while the second is checked.
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
  for (std::size_t k = 0; k <= kMaxItemsPerMessage; ++k) items.push_back(Item(k));
  stream.Send(items);
  stream.Read(items.size());
  EXPECT_EQ(stream.Reason(0), "BATCH_TOO_LARGE");
  EXPECT_EQ(stream.Reason(kMaxItemsPerMessage), "BATCH_TOO_LARGE");
  stream.results.clear();
  stream.Send({Item(7)});
  stream.Read(1);
  EXPECT_TRUE(stream.results.at(7).has_inference());
}

TEST_F(Service, AMessageOfVeryManyItemsEndsTheStream) {
  Stream stream(core_, *stub_);
  stream.Send(std::vector<InferItem>(kFatalItemsPerMessage + 1));
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

TEST_F(Service, ATimedOutItemIsNotRun) {
  Stream stream(core_, *stub_);
  InferItem item = Item(1);
  item.set_timeout_us(1);
  stream.Send({item});
  stream.Read(1);
  EXPECT_EQ(stream.results.at(1).error().code(), 4);
  EXPECT_EQ(stream.Reason(1), "DEADLINE_EXCEEDED");
}

InferStreamRequest RequestOf(const std::vector<InferItem>& items) {
  InferStreamRequest request;
  for (const InferItem& item : items) *request.add_items() = item;
  return request;
}

TEST_F(Service, AWrongChecksumEndsTheStreamAndCancelsItsItems) {
  RawStream stream(server_->InProcessChannel(), true);
  stream.Send(WithChecksum(RequestOf({Item(1), Item(2)}), 0));
  while (core_.in_flight() != 2) std::this_thread::yield();
  stream.Send(BufferOf(WithChangedBit(BytesOf(WithChecksum(RequestOf({Item(3)}), 1)), 20)));
  grpc::ByteBuffer message;
  EXPECT_FALSE(stream.Read(message));
  const grpc::Status status = stream.Finish();
  EXPECT_EQ(status.error_code(), grpc::StatusCode::DATA_LOSS);
  EXPECT_EQ(InfoOf(status).reason(), "CHECKSUM");
  EXPECT_EQ(InfoOf(status).metadata().at("message"), "2");
  EXPECT_EQ(core_.in_flight(), 0u);
}

TEST_F(Service, AWrongChecksumDoesNotAffectOtherStreams) {
  RawStream hit(server_->InProcessChannel(), true);
  Stream other(core_, *stub_);
  other.Send({Item(1)});
  hit.Send(BufferOf("no message"));
  EXPECT_EQ(hit.Finish().error_code(), grpc::StatusCode::DATA_LOSS);
  other.Read(1);
  EXPECT_TRUE(other.results.at(1).has_inference());
}

TEST_F(Service, AMessageThatCannotBeReadEndsTheStreamWithAnError) {
  RawStream stream(server_->InProcessChannel());
  stream.Send(BufferOf("\x0a\xff"));
  const grpc::Status status = stream.Finish();
  EXPECT_EQ(status.error_code(), grpc::StatusCode::INVALID_ARGUMENT);
  EXPECT_EQ(InfoOf(status).reason(), "MALFORMED_MESSAGE");
}

TEST_F(Service, AStreamNamesItsProcessBeforeAnythingIsSent) {
  RawStream stream(server_->InProcessChannel());
  stream.AwaitInitialMetadata();
  const auto& metadata = stream.context.GetServerInitialMetadata();
  const auto found = metadata.find(kInstanceIdKey);
  ASSERT_NE(found, metadata.end());
  EXPECT_EQ(std::string(found->second.data(), found->second.size()), InstanceId());
  stream.HalfClose();
  EXPECT_TRUE(stream.Finish().ok());
}

TEST_F(Service, UnreadAnswersStopReadingWithoutLoss) {
  // Far more refused items than the limit on unsent answers: all are answered once the caller reads.
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

TEST_F(Service, DrainingAnswersOpenItemsThenClosesTheStream) {
  // Over a socket, since gRPC's in-process transport drops its calls at the begin of a shutdown.
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

TEST_F(ThreadedService, SingleItemsAreAnsweredInSequence) {
  Stream stream(core_, *stub_);
  stream.run_while_reading = false;
  for (std::uint64_t id = 0; id < 200; ++id) {
    stream.Send({Item(id)});
    stream.Read(1);
    ASSERT_TRUE(stream.results.at(id).has_inference());
  }
  stream.HalfClose();
  EXPECT_TRUE(stream.Finish().ok());
}

TEST_F(ThreadedService, SingleItemsOfAClosedStreamAreAllAnswered) {
  Stream stream(core_, *stub_);
  stream.run_while_reading = false;
  for (std::uint64_t id = 0; id < 100; ++id) stream.Send({Item(id)});
  stream.HalfClose();
  stream.Read(100);
  EXPECT_EQ(stream.results.size(), 100u);
  EXPECT_TRUE(stream.Finish().ok());
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

// Throws once, as without memory.
class FailingSpans : public SpanSink {
 public:
  void Add(std::vector<Span>) override {
    if (!std::exchange(failed_, true)) throw std::bad_alloc();
  }

 private:
  bool failed_ = false;
};

class FailingService : public FailingSpans, public Service {
 protected:
  FailingService() : Service(0, 1024, this) {}
};

TEST_F(FailingService, LackOfMemoryInABatchFailsOnlyItsItems) {
  Stream stream(core_, *stub_);
  stream.run_while_reading = false;
  InferItem traced = Item(1);
  traced.set_trace_parent(std::string(24, '\1') + '\1');
  stream.Send({traced, Item(2)});
  stream.AwaitInFlight(2);
  stream.run_while_reading = true;
  stream.Read(2);
  EXPECT_EQ(stream.Reason(1), "ENGINE_FULL");
  EXPECT_EQ(core_.in_flight(), 0u);
  stream.Send({Item(3)});
  stream.Read(1);
  EXPECT_TRUE(stream.results.at(3).has_inference());
}

TEST_F(Service, AMessageOfTooManyCancelIdsEndsTheStream) {
  Stream stream(core_, *stub_);
  stream.Send({}, std::vector<std::uint64_t>(kMaxCancelIds + 1, 1));
  const grpc::Status status = stream.Finish();
  EXPECT_EQ(status.error_code(), grpc::StatusCode::RESOURCE_EXHAUSTED);
  EXPECT_EQ(InfoOf(status).metadata().at("field"), "cancel_ids");
}

TEST_F(Service, AnItemWithATooLongShapeIsRefusedAndTheStreamContinues) {
  Stream stream(core_, *stub_);
  InferItem item = Item(1);
  for (std::size_t k = 0; k < kMaxShapeDimensions; ++k) item.add_shape(1);
  stream.Send({item, Item(2)});
  stream.Read(2);
  EXPECT_EQ(stream.Reason(1), "INPUT_LENGTH");
  EXPECT_TRUE(stream.results.at(2).has_inference());
}

class SmallService : public Service {
 protected:
  SmallService() : Service(0, 1024, nullptr, std::size_t{64} << 10) {}
};

TEST_F(SmallService, AFullMemoryRefusesAtOnceUntilMemoryIsFree) {
  Stream stream(core_, *stub_);
  stream.run_while_reading = false;
  std::vector<InferItem> items;
  for (std::uint64_t id = 0; id < 200; ++id) items.push_back(Item(id));
  stream.Send(items);
  stream.Read(1);
  const auto& refusal = stream.results.rbegin()->second.error();
  EXPECT_EQ(refusal.reason(), "ENGINE_FULL");
  EXPECT_EQ(refusal.metadata().at("max_memory_bytes"), "32768");
  stream.run_while_reading = true;
  stream.Read(200 - stream.results.size());
  stream.results.clear();
  stream.Send({Item(7)});
  stream.Read(1);
  EXPECT_TRUE(stream.results.at(7).has_inference());
  stream.HalfClose();
  EXPECT_TRUE(stream.Finish().ok());
  while (core_.stream_memory().used() != 0) std::this_thread::yield();
}

}  // namespace
}  // namespace tandem
