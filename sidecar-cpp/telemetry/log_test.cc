#include "telemetry/log.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <functional>
#include <memory>

namespace tandem {
namespace {

using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::Not;

// The output of a separate logger on stderr.
std::string Logged(const std::string& level, bool json, const std::function<void()>& what) {
  const auto before = spdlog::default_logger();
  spdlog::drop("tandem-engine");
  ::testing::internal::CaptureStderr();
  EXPECT_FALSE(SetUpLog(level, json).has_value());
  what();
  spdlog::default_logger()->flush();
  std::string text = ::testing::internal::GetCapturedStderr();
  spdlog::set_default_logger(before);
  return text;
}

constexpr TraceId kTrace{0x0a, 0xf7, 0x65, 0x19, 0x16, 0xcd, 0x43, 0xdd,
                         0x84, 0x48, 0xeb, 0x21, 0x1c, 0x80, 0x31, 0x9c};

TEST(Log, AnEventIsAlwaysOneLineOfJson) {
  const std::string text = Logged("info", true, [] { spdlog::info("two\nlines and a \"quote\""); });
  EXPECT_THAT(text, HasSubstr(R"("message":"two\u000alines and a \"quote\""})"));
  EXPECT_EQ(std::ranges::count(text, '\n'), 1);
}

TEST(Log, ALineAboutATracedInputNamesItsTrace) {
  const auto log = [] {
    {
      const TraceInLog trace(kTrace);
      spdlog::info("inside");
    }
    spdlog::info("outside");
  };
  const std::string json = Logged("info", true, log);
  EXPECT_THAT(json, HasSubstr(R"("message":"inside","trace_id":"0af7651916cd43dd8448eb211c80319c"})"));
  EXPECT_THAT(json, HasSubstr(R"("message":"outside"})"));
  const std::string text = Logged("info", false, log);
  EXPECT_THAT(text, HasSubstr("info inside trace_id=0af7651916cd43dd8448eb211c80319c\n"));
  EXPECT_THAT(text, EndsWith("info outside\n"));
}

TEST(Log, ALevelChangeIsLogged) {
  const std::string text = Logged("info", false, [] {
    spdlog::debug("unseen");
    LogMore();
    spdlog::debug("seen");
    for (int k = 0; k < 9; ++k) LogMore();
    spdlog::trace("all");
    for (int k = 0; k < 9; ++k) LogLess();
    spdlog::warn("too little");
    spdlog::error("enough");
  });
  EXPECT_THAT(text, Not(HasSubstr("unseen")));
  EXPECT_THAT(text, HasSubstr("info the log level is now debug\n"));
  EXPECT_THAT(text, HasSubstr("debug seen\n"));
  EXPECT_THAT(text, HasSubstr("trace all\n"));
  EXPECT_THAT(text, Not(HasSubstr("too little")));
  EXPECT_THAT(text, HasSubstr("error the log level is now error\n"));
  EXPECT_THAT(text, HasSubstr("error enough\n"));
}

TEST(Log, AnUnknownLevelIsRefused) {
  const auto error = SetUpLog("loud", false);
  ASSERT_TRUE(error);
  EXPECT_THAT(error->message, HasSubstr("\"loud\" is not one of trace, debug, info"));
}

}  // namespace
}  // namespace tandem
