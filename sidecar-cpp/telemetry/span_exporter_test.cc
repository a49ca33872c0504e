#include "telemetry/span_exporter.h"

#include <gtest/gtest.h>
#include <stdlib.h>

#include <filesystem>
#include <functional>
#include <set>

#include "telemetry/receiver_test_support.h"

namespace tandem {
namespace {

using std::chrono::milliseconds;

constexpr milliseconds kLong{60000};

OtlpSettings To(const std::string& target) {
  OtlpSettings settings;
  settings.target = target;
  settings.service_name = "tandem-engine";
  settings.delay = milliseconds(5);
  settings.first_pause = milliseconds(20);
  settings.longest_pause = milliseconds(100);
  return settings;
}

TraceId Trace(std::uint8_t number) {
  TraceId id{};
  id[15] = number;
  return id;
}

Span ASpan(std::uint8_t trace = 1) {
  Span span;
  span.trace_id = Trace(trace);
  span.span_id = NewSpanId();
  span.name = "work";
  span.start = Clock::now();
  span.end = span.start + milliseconds(3);
  return span;
}

std::vector<Span> Spans(std::size_t count) {
  std::vector<Span> spans;
  for (std::size_t k = 0; k < count; ++k) spans.push_back(ASpan());
  return spans;
}

void Await(const std::function<bool()>& done) {
  const TimePoint give_up = Clock::now() + std::chrono::seconds(30);
  while (!done() && Clock::now() < give_up) std::this_thread::sleep_for(milliseconds(1));
  EXPECT_TRUE(done());
}

std::map<std::string, std::string> Texts(
    const google::protobuf::RepeatedPtrField<opentelemetry::proto::common::v1::KeyValue>& attributes) {
  std::map<std::string, std::string> texts;
  for (const auto& attribute : attributes) texts[attribute.key()] = attribute.value().string_value();
  return texts;
}

std::string Bytes(const auto& id) { return {reinterpret_cast<const char*>(id.data()), id.size()}; }

// The address of a socket in a new folder, on which no process listens yet.
struct Socket {
  Socket() {
    EXPECT_NE(mkdtemp(folder.data()), nullptr);
    address = "unix:" + folder + "/otlp.sock";
  }
  ~Socket() { std::filesystem::remove_all(folder); }
  std::string folder = (std::filesystem::temp_directory_path() / "tandem-otlp-XXXXXX").string();
  std::string address;
};

TEST(SpanExporter, SendsSpansWithTheirParentsAttributesAndProgram) {
  Receiver receiver;
  OtlpSettings settings = To(receiver.address());
  settings.resource = {{"service.instance.id", "the router's"}, {"deployment.environment", "test"}};
  settings.SetResource("service.instance.id", "engine-7");
  settings.headers = {{"api-key", "secret"}};
  SpanExporter exporter(settings);

  Span parent = ASpan(9);
  parent.is_server = true;
  parent.error = "ENGINE_FULL: try again";
  Span child = ASpan(9);
  child.parent = parent.span_id;
  child.start = parent.start;
  child.end = parent.end;
  child.attributes = {{"text", "a"}, {"count", std::int64_t{-3}}, {"share", 0.25}};
  const auto before = std::chrono::system_clock::now().time_since_epoch();
  exporter.Add({parent, child});

  const auto request = receiver.Await(1).front();
  ASSERT_EQ(request.resource_spans_size(), 1);
  const auto program = Texts(request.resource_spans(0).resource().attributes());
  EXPECT_EQ(program, (std::map<std::string, std::string>{{"service.name", "tandem-engine"},
                                                         {"service.instance.id", "engine-7"},
                                                         {"deployment.environment", "test"}}));
  EXPECT_EQ(receiver.headers()["api-key"], "secret");
  const auto spans = Receiver::SpansOf({request});
  ASSERT_EQ(spans.size(), 2u);
  EXPECT_EQ(spans[0].trace_id(), Bytes(Trace(9)));
  EXPECT_EQ(spans[0].kind(), Receiver::OtlpSpan::SPAN_KIND_SERVER);
  EXPECT_EQ(spans[0].status().code(), opentelemetry::proto::trace::v1::Status::STATUS_CODE_ERROR);
  EXPECT_EQ(spans[0].status().message(), "ENGINE_FULL: try again");
  EXPECT_EQ(spans[1].trace_id(), spans[0].trace_id());
  EXPECT_EQ(spans[1].parent_span_id(), spans[0].span_id());
  EXPECT_EQ(spans[1].kind(), Receiver::OtlpSpan::SPAN_KIND_INTERNAL);
  EXPECT_EQ(spans[1].status().code(), opentelemetry::proto::trace::v1::Status::STATUS_CODE_UNSET);
  EXPECT_EQ(spans[1].start_time_unix_nano(), spans[0].start_time_unix_nano());
  EXPECT_EQ(spans[1].end_time_unix_nano(), spans[0].end_time_unix_nano());
  EXPECT_EQ(spans[0].end_time_unix_nano() - spans[0].start_time_unix_nano(), 3'000'000u);
  EXPECT_NEAR(static_cast<double>(spans[0].start_time_unix_nano()) / 1e9, std::chrono::duration<double>(before).count(),
              5);
  ASSERT_EQ(spans[1].attributes_size(), 3);
  EXPECT_EQ(spans[1].attributes(0).value().string_value(), "a");
  EXPECT_EQ(spans[1].attributes(1).value().int_value(), -3);
  EXPECT_EQ(spans[1].attributes(2).value().double_value(), 0.25);
}

TEST(SpanExporter, SendsAFullBatchAtOnceAndTheRestAfterTheDelay) {
  Receiver receiver;
  OtlpSettings settings = To(receiver.address());
  settings.delay = kLong;
  settings.max_batch = 4;
  SpanExporter exporter(settings);
  exporter.Add(Spans(3));
  exporter.Add(Spans(6));
  std::vector<int> sizes;
  receiver.AwaitSpans(9);
  for (const auto& request : receiver.Await(3)) sizes.push_back(static_cast<int>(Receiver::SpansOf({request}).size()));
  EXPECT_EQ(sizes, (std::vector<int>{4, 4, 1}));
  exporter.Add(Spans(1));
  std::this_thread::sleep_for(milliseconds(20));
  EXPECT_EQ(receiver.Await(3).size(), 3u) << "it is not time";
  exporter.Close(std::chrono::seconds(30));
  EXPECT_EQ(receiver.Await(4).size(), 4u);
  EXPECT_EQ(exporter.sent(), 10u);
}

TEST(SpanExporter, KeepsSpansUntilAReceiverListens) {
  const Socket socket;
  SpanExporter exporter(To(socket.address));
  exporter.Add(Spans(5));
  std::this_thread::sleep_for(milliseconds(60));
  EXPECT_EQ(exporter.sent() + exporter.dropped(), 0u);
  Receiver receiver(socket.address);
  EXPECT_EQ(receiver.AwaitSpans(5).size(), 5u);
  Await([&] { return exporter.sent() == 5; });
  EXPECT_EQ(exporter.dropped(), 0u);
}

TEST(SpanExporter, DropsAndCountsWhatDoesNotFit) {
  Receiver receiver;
  receiver.Hold(true);
  OtlpSettings settings = To(receiver.address());
  settings.max_queue = 10;
  settings.max_batch = 4;
  settings.timeout = kLong;
  SpanExporter exporter(settings);
  exporter.Add(Spans(4));
  receiver.Await(1);
  exporter.Add(Spans(4));  // 8 are held: 4 are being sent, 4 wait
  const TimePoint start = Clock::now();
  for (int k = 0; k < 1000; ++k) exporter.Add(Spans(3));
  EXPECT_LT(Clock::now() - start, std::chrono::seconds(10)) << "the receiver hangs, its senders must not";
  EXPECT_EQ(exporter.dropped(), 3000u);
  exporter.Add(Spans(2));
  EXPECT_EQ(exporter.dropped(), 3000u) << "there was room for two";
  receiver.Hold(false);
  Await([&] { return exporter.sent() == 10; });
  exporter.Add(Spans(10));
  Await([&] { return exporter.sent() == 20; });
}

TEST(SpanExporter, SpansThatAreRefusedAreNotSentAgain) {
  Receiver receiver;
  receiver.Answer({grpc::StatusCode::INVALID_ARGUMENT, "no"});
  SpanExporter exporter(To(receiver.address()));
  exporter.Add(Spans(2));
  Await([&] { return exporter.dropped() == 2; });
  receiver.Answer(grpc::Status::OK);
  exporter.Add(Spans(3));
  Await([&] { return exporter.sent() == 3; });
  EXPECT_EQ(receiver.Await(2).size(), 2u);
}

TEST(SpanExporter, AHangingReceiverTakesTheTimeout) {
  Receiver receiver;
  receiver.Hold(true);
  OtlpSettings settings = To(receiver.address());
  settings.timeout = milliseconds(30);
  SpanExporter exporter(settings);
  exporter.Add(Spans(2));
  Await([&] { return exporter.dropped() == 2; });
}

TEST(SpanExporter, AnEndSendsWaitingSpans) {
  Receiver receiver;
  OtlpSettings settings = To(receiver.address());
  settings.delay = kLong;
  settings.max_batch = 2;
  settings.max_queue = 100;
  SpanExporter exporter(settings);
  exporter.Add(Spans(1));
  exporter.Close(std::chrono::seconds(30));
  EXPECT_EQ(exporter.sent(), 1u);
  exporter.Add(Spans(1));
  EXPECT_EQ(exporter.dropped(), 1u);
}

TEST(SpanExporter, AnEndWaitsNoLongerThanItsLimit) {
  Receiver receiver;
  receiver.Hold(true);
  OtlpSettings settings = To(receiver.address());
  settings.timeout = kLong;
  settings.max_batch = 1;
  SpanExporter exporter(settings);
  exporter.Add(Spans(7));
  receiver.Await(1);
  const TimePoint start = Clock::now();
  exporter.Close(milliseconds(50));
  EXPECT_LT(Clock::now() - start, std::chrono::seconds(10));
  EXPECT_EQ(exporter.sent(), 0u);
  EXPECT_EQ(exporter.dropped(), 7u);
}

TEST(SpanExporter, AnEndDoesNotWaitForAMissingReceiver) {
  const Socket socket;
  OtlpSettings settings = To(socket.address);
  settings.first_pause = settings.longest_pause = kLong;
  SpanExporter exporter(settings);
  exporter.Add(Spans(2));
  std::this_thread::sleep_for(milliseconds(50));  // it pauses now, or will soon
  const TimePoint start = Clock::now();
  exporter.Close(kLong);
  EXPECT_LT(Clock::now() - start, std::chrono::seconds(20));
  EXPECT_EQ(exporter.dropped(), 2u);
}

TEST(SpanExporter, ReachesAReceiverOnAUnixSocket) {
  const Socket socket;
  Receiver receiver(socket.address);
  SpanExporter exporter(To(socket.address));
  exporter.Add(Spans(2));
  EXPECT_EQ(receiver.AwaitSpans(2).size(), 2u);
}

TEST(SpanExporter, ConcurrentThreadsLoseNoSpans) {
  constexpr std::size_t kThreads = 4;
  constexpr std::size_t kTimes = 200;
  Receiver receiver;
  OtlpSettings settings = To(receiver.address());
  settings.max_queue = 3 * kThreads * kTimes;
  settings.max_batch = 100;
  SpanExporter exporter(settings);
  std::vector<std::thread> threads;
  for (std::size_t k = 0; k < kThreads; ++k) {
    threads.emplace_back([&] {
      for (std::size_t time = 0; time < kTimes; ++time) exporter.Add(Spans(3));
    });
  }
  for (std::thread& thread : threads) thread.join();
  exporter.Close(std::chrono::seconds(60));
  EXPECT_EQ(exporter.sent(), 3 * kThreads * kTimes);
  std::set<std::string> ids;
  for (const auto& span : receiver.AwaitSpans(3 * kThreads * kTimes)) ids.insert(span.span_id());
  EXPECT_EQ(ids.size(), 3 * kThreads * kTimes);
  for (const auto& request : receiver.Await(1)) EXPECT_LE(Receiver::SpansOf({request}).size(), settings.max_batch);
}

}  // namespace
}  // namespace tandem
