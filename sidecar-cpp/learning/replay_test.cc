#include "learning/replay.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <xxhash.h>

#include <cstring>
#include <fstream>
#include <string>
#include <vector>

#include "learning/learner.h"
#include "testing/temporary_folder.h"

namespace tandem {
namespace {

using ::testing::HasSubstr;

constexpr const char* kSpec = R"({"teachers":["a/1","b/1"],"labels":["x","y"],"features":3,"rate":0.5})";
const StudentSpec kStudent{2, 2, 3, 0.5F};

template <typename Number>
std::string BytesOf(const std::vector<Number>& values) {
  std::string bytes(values.size() * sizeof(Number), '\0');
  std::memcpy(bytes.data(), values.data(), bytes.size());
  return bytes;
}

// A log to which records are added one by one.
class Log {
 public:
  Log& Add(char kind, const std::string& payload) {
    const std::string hashed = kind + payload;
    seed_ = XXH64(hashed.data(), hashed.size(), seed_);
    bytes +=
        BytesOf<std::uint32_t>({static_cast<std::uint32_t>(payload.size())}) + hashed + BytesOf<std::uint64_t>({seed_});
    return *this;
  }

  std::string bytes = "TLEARN01";

 private:
  std::uint64_t seed_ = 0;
};

std::string ExampleOf(std::uint32_t label) {
  return BytesOf<std::uint32_t>({label, 3}) + BytesOf<float>({1, -1, 0.5F, 0.75F, 0.25F, 0.5F, 0.5F});
}

std::string CommitOf(const std::string& state) {
  const std::string text = R"({"version":1})";
  return BytesOf<std::uint32_t>({static_cast<std::uint32_t>(text.size())}) + text + state;
}

std::string StateAfterOne() {
  Learner learner(kStudent);
  learner.Learn({{1, -1, 0.5F}, 0, {std::vector<float>{0.75F, 0.25F}, std::vector<float>{0.5F, 0.5F}}});
  return learner.State();
}

Expected<ReplayResult> Replayed(const std::string& bytes) {
  const testing::TemporaryFolder folder;
  const std::string path = folder.path() / "student.log";
  std::ofstream(path, std::ios::binary) << bytes;
  return ReplayLog(path);
}

std::string WhyNot(const std::string& bytes) {
  const auto result = Replayed(bytes);
  return result.ok() ? "" : result.error().message;
}

TEST(Replay, LearnsAllExamplesAndComparesTheCommit) {
  const auto result = Replayed(Log().Add(1, kSpec).Add(2, ExampleOf(1)).Add(4, CommitOf(StateAfterOne())).bytes);
  ASSERT_TRUE(result.ok());
  EXPECT_EQ(result.value().examples, 1U);
  EXPECT_EQ(result.value().commits, 1U);
}

TEST(Replay, NamesTheVersionWithAnotherState) {
  std::string state = StateAfterOne();
  state.back() = static_cast<char>(state.back() ^ 1);
  EXPECT_THAT(WhyNot(Log().Add(1, kSpec).Add(2, ExampleOf(1)).Add(4, CommitOf(state)).bytes),
              HasSubstr("commits version 1"));
}

TEST(Replay, IgnoresAnIncompleteRecord) {
  const std::string whole = Log().Add(1, kSpec).Add(2, ExampleOf(1)).bytes;
  const auto result = Replayed(whole.substr(0, whole.size() - 3));
  ASSERT_TRUE(result.ok());
  EXPECT_EQ(result.value().examples, 0U);
}

TEST(Replay, RefusesALogThatWasChanged) {
  std::string bytes = Log().Add(1, kSpec).Add(2, ExampleOf(1)).bytes;
  bytes[20] = 'X';
  EXPECT_THAT(WhyNot(bytes), HasSubstr("is damaged at byte 8"));
}

TEST(Replay, RefusesAFileThatIsNotALog) {
  EXPECT_THAT(WhyNot("something else"), HasSubstr("is not a learning log"));
  EXPECT_THAT(WhyNot(Log().Add(2, ExampleOf(1)).bytes), HasSubstr("comes before the first one"));
  EXPECT_THAT(WhyNot(Log().Add(1, kSpec).Add(9, "").bytes), HasSubstr("is of an unknown kind"));
  EXPECT_THAT(WhyNot(Log().Add(1, kSpec).Add(2, ExampleOf(3)).bytes), HasSubstr("cannot be read"));
  EXPECT_THAT(WhyNot(Log().Add(1, kSpec).Add(2, "short").bytes), HasSubstr("cannot be read"));
  EXPECT_THAT(WhyNot(Log().Add(1, kSpec).Add(6, BytesOf<std::uint32_t>({7})).bytes), HasSubstr("not kept"));
  EXPECT_THAT(WhyNot(Log().Add(1, R"({"teachers":[],"labels":["x"],"features":1e18,"rate":1})").bytes),
              HasSubstr("cannot be read"));
}

}  // namespace
}  // namespace tandem
