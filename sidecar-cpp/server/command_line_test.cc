#include "server/command_line.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <utility>
#include <vector>

namespace tandem {
namespace {

std::optional<CommandLine> Parse(std::vector<const char*> arguments, int* exit_code = nullptr) {
  arguments.insert(arguments.begin(), "tandem-engine");
  int code = -1;
  ::testing::internal::CaptureStdout();
  ::testing::internal::CaptureStderr();
  auto parsed = ParseCommandLine(static_cast<int>(arguments.size()), arguments.data(), code);
  ::testing::internal::GetCapturedStdout();
  ::testing::internal::GetCapturedStderr();
  if (exit_code != nullptr) *exit_code = code;
  return parsed;
}

bool Takes(const char* flag, const std::string& value) { return Parse({flag, value.c_str()}).has_value(); }

TEST(CommandLine, ServesWithoutFlags) {
  const auto parsed = Parse({});
  ASSERT_TRUE(parsed);
  EXPECT_FALSE(parsed->core.engine_id.empty());
  EXPECT_GE(parsed->core.batcher.threads, 1u);
  EXPECT_EQ(parsed->check_health, "");
  EXPECT_EQ(parsed->check_file, "");
  EXPECT_FALSE(parsed->exit_with_parent);
  EXPECT_EQ(parsed->drain_timeout, std::chrono::milliseconds(8000));
}

TEST(CommandLine, TakesNumbersUpToTheirLimitsAndNoFurther) {
  const std::vector<std::pair<const char*, std::pair<std::int64_t, std::int64_t>>> limits = {
      {"--threads", {1, 256}},
      {"--max-queue", {1, 1'000'000}},
      {"--max-batch", {1, 4096}},
      {"--max-message-bytes", {1024, 1 << 30}},
      {"--recorder-bytes", {0, std::int64_t{1} << 40}},
      {"--drain-timeout-ms", {0, 3'600'000}},
  };
  for (const auto& [flag, range] : limits) {
    EXPECT_TRUE(Takes(flag, std::to_string(range.first))) << flag;
    EXPECT_FALSE(Takes(flag, std::to_string(range.first - 1))) << flag;
    EXPECT_TRUE(Takes(flag, std::to_string(range.second))) << flag;
    EXPECT_FALSE(Takes(flag, std::to_string(range.second + 1))) << flag;
  }
}

TEST(CommandLine, TakesAVariableOfTheEnvironmentForAFlag) {
  setenv("TANDEM_ENGINE_MAX_QUEUE", "7", 1);
  const auto parsed = Parse({});
  unsetenv("TANDEM_ENGINE_MAX_QUEUE");
  ASSERT_TRUE(parsed);
  EXPECT_EQ(parsed->core.batcher.max_in_flight, 7u);
}

TEST(CommandLine, ChecksTheHealthOfTheListenAddressByDefault) {
  EXPECT_EQ(Parse({"--listen", "unix:/a", "--check-health"})->check_health, "unix:/a");
  EXPECT_EQ(Parse({"--listen", "unix:/a", "--check-health", "unix:/b"})->check_health, "unix:/b");
}

TEST(CommandLine, NamesTheFilesOfTls) {
  const auto parsed = Parse({"--tls-cert", "e.pem", "--tls-key", "e.key", "--tls-client-ca", "ca.pem"});
  EXPECT_EQ(parsed->server.tls.cert, "e.pem");
  EXPECT_EQ(parsed->server.tls.key, "e.key");
  EXPECT_EQ(parsed->server.tls.client_ca, "ca.pem");
}

TEST(CommandLine, WatchesItsParentWhoseIdMayBeGiven) {
  const auto without = Parse({"--exit-with-parent"});
  EXPECT_TRUE(without->exit_with_parent);
  EXPECT_EQ(without->parent, 0);
  const auto with = Parse({"--exit-with-parent", "42"});
  EXPECT_TRUE(with->exit_with_parent);
  EXPECT_EQ(with->parent, 42);
}

TEST(CommandLine, ChecksAFileWithItsManifest) {
  const auto parsed = Parse({"check", "model.nir", "--manifest", "model.yaml"});
  EXPECT_EQ(parsed->check_file, "model.nir");
  EXPECT_EQ(parsed->check_manifest, "model.yaml");
}

TEST(CommandLine, EndsWith0AfterHelpAndWith1AfterAMistake) {
  int exit_code = -1;
  EXPECT_FALSE(Parse({"--help"}, &exit_code));
  EXPECT_EQ(exit_code, 0);
  EXPECT_FALSE(Parse({"--no-such-flag"}, &exit_code));
  EXPECT_EQ(exit_code, 1);
}

}  // namespace
}  // namespace tandem
