#include "telemetry/trace_context.h"

#include <gtest/gtest.h>

#include <mutex>
#include <set>
#include <thread>
#include <vector>

namespace tandem {
namespace {

const std::string kHeader = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";

TEST(TraceContext, AHeaderBecomesBytesAndTheBytesAContext) {
  const auto bytes = BytesOfTraceparent(kHeader);
  ASSERT_TRUE(bytes);
  ASSERT_EQ(bytes->size(), kTraceContextBytes);
  EXPECT_EQ(Hex(*bytes), "0af7651916cd43dd8448eb211c80319cb7ad6b716920333101");
  const auto context = TraceContextFromBytes(*bytes);
  ASSERT_TRUE(context);
  EXPECT_EQ(Hex(context->trace_id), "0af7651916cd43dd8448eb211c80319c");
  EXPECT_EQ(context->span_id[0], 0xb7);
  EXPECT_TRUE(context->sampled);
}

TEST(TraceContext, OnlyTheLowestFlagSaysSampled) {
  std::string bytes = *BytesOfTraceparent(kHeader);
  bytes.back() = 2;
  EXPECT_FALSE(TraceContextFromBytes(bytes)->sampled);
  bytes.back() = 3;
  EXPECT_TRUE(TraceContextFromBytes(bytes)->sampled);
}

TEST(TraceContext, OtherLengthsAndIdsOfZerosAreInvalid) {
  const std::string bytes = *BytesOfTraceparent(kHeader);
  EXPECT_FALSE(TraceContextFromBytes(""));
  EXPECT_FALSE(TraceContextFromBytes(bytes.substr(1)));
  EXPECT_FALSE(TraceContextFromBytes(bytes + "x"));
  EXPECT_FALSE(TraceContextFromBytes(std::string(16, '\0') + bytes.substr(16)));
  EXPECT_FALSE(TraceContextFromBytes(bytes.substr(0, 16) + std::string(8, '\0') + bytes.substr(24)));
}

TEST(TraceContext, OnlyTheW3CsFormOfHeadersIsAccepted) {
  EXPECT_TRUE(BytesOfTraceparent("cc" + kHeader.substr(2) + "-what-comes-later"));
  const std::vector<std::string> others = {"",
                                           kHeader.substr(1),
                                           kHeader + "-x",
                                           kHeader + "0",
                                           "ff" + kHeader.substr(2),
                                           "zz" + kHeader.substr(2),
                                           "cc" + kHeader.substr(2) + "x",
                                           "00-0AF7651916CD43DD8448EB211C80319C-b7ad6b7169203331-01",
                                           "00-" + std::string(52, '-')};
  for (const std::string& header : others) {
    EXPECT_FALSE(BytesOfTraceparent(header)) << header;
  }
}

TEST(TraceContext, NewIdsDifferOnAllThreads) {
  constexpr std::size_t kThreads = 4;
  constexpr std::size_t kIds = 2000;
  std::mutex mutex;
  std::set<SpanId> seen;
  std::vector<std::thread> threads;
  for (std::size_t k = 0; k < kThreads; ++k) {
    threads.emplace_back([&] {
      std::vector<SpanId> mine(kIds);
      for (SpanId& id : mine) id = NewSpanId();
      const std::lock_guard lock(mutex);
      seen.insert(mine.begin(), mine.end());
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(seen.size(), kThreads * kIds);
  EXPECT_FALSE(seen.contains(SpanId{}));
}

}  // namespace
}  // namespace tandem
