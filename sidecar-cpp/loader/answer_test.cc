#include "loader/answer.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <random>

#include "nir/flatten.h"
#include "nir/graph_codec.h"
#include "testing/graphs.h"

namespace tandem {
namespace {

using ::testing::HasSubstr;

std::string BytesOf(const Answer& answer) {
  StringSink sink;
  WriteAnswer(answer, sink);
  return sink.bytes;
}

Expected<Answer> Read(const std::string& bytes) {
  SpanSource source(bytes);
  return ReadAnswer(source);
}

Error FileError(const std::string& message) {
  return {Code::kInvalidArgument, "MODEL_INVALID", message, {{"node", "x"}}};
}

TEST(Answer, CarriesAGraph) {
  const auto answer = Read(BytesOf({Flatten(testing::LifNet(6, 5, 3, 1)), 0}));
  ASSERT_TRUE(answer.ok()) << answer.error().message;
  EXPECT_EQ(answer.value().graph.value().nodes.size(), 6u);
  EXPECT_EQ(answer.value().seccomp_errno, 0u);
}

TEST(Answer, CarriesTheErrorOfAFile) {
  const auto answer = Read(BytesOf({FileError("node \"x\": must be > 0"), 38}));
  ASSERT_TRUE(answer.ok());
  EXPECT_EQ(answer.value().seccomp_errno, 38u);
  const Error& error = answer.value().graph.error();
  EXPECT_EQ(error.reason, "MODEL_INVALID");
  EXPECT_EQ(error.message, "node \"x\": must be > 0");
  EXPECT_EQ(error.metadata.at("node"), "x");
}

TEST(Answer, OfAnotherBuildIsRefusedWithAdvice) {
  std::string bytes = BytesOf({FileError("x"), 0});
  bytes[0] ^= 1;
  EXPECT_THAT(Read(bytes).error().message, HasSubstr("install both from the same one"));
}

TEST(Answer, TextThatWouldDamageALogIsRefused) {
  EXPECT_FALSE(Read(BytesOf({FileError("two\nlines"), 0})).ok());
  EXPECT_FALSE(Read(BytesOf({FileError("\xFF\xFE"), 0})).ok());
  EXPECT_FALSE(Read(BytesOf({FileError(""), 0})).ok());
}

TEST(Answer, CutAtAnyByteIsRefused) {
  const std::string whole = BytesOf({Flatten(testing::LifNet(3, 2, 2, 1)), 0});
  for (std::size_t size = 0; size < whole.size(); ++size) EXPECT_FALSE(Read(whole.substr(0, size)).ok()) << size;
}

TEST(Answer, RandomBytesNeverGiveAnInvalidGraph) {
  const std::string whole = BytesOf({Flatten(testing::LifNet(3, 2, 2, 1)), 0});
  const std::uint64_t first = testing::SeedOr(1);
  for (std::uint64_t seed = first; seed < first + 20'000; ++seed) {
    std::mt19937_64 random(seed);
    std::string bytes = whole;
    for (std::uint64_t flips = 1 + random() % 3; flips > 0; --flips) {
      bytes[random() % bytes.size()] = static_cast<char>(random());
    }
    // Every accepted graph is compiled or refused. This test demands no more.
    auto answer = Read(bytes);
    if (answer.ok() && answer.value().graph.ok()) {
      (void)CompileNetwork(std::move(answer.value().graph).value(), {});
    }
  }
}

}  // namespace
}  // namespace tandem
