// Programs instead of the loader: what a loader that is controlled by a file could do to the engine.
#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <filesystem>
#include <thread>

#include "base/clock.h"
#include "base/regular_file.h"
#include "loader/answer.h"
#include "loader/load.h"
#include "nir/flatten.h"
#include "testing/graphs.h"
#include "testing/memory_file.h"
#include "testing/nir_writer.h"
#include "testing/temporary_folder.h"

namespace tandem {
namespace {

using ::testing::AnyOf;
using ::testing::HasSubstr;

class HostileLoader : public ::testing::Test {
 protected:
  // No loader is left, running or as a zombie.
  ~HostileLoader() override { EXPECT_EQ(waitpid(-1, nullptr, WNOHANG), -1); }

  // Runs a shell script as the loader.
  Error Run(const std::string& script, const LoadLimits& limits = {}, const std::stop_token& stop = {}) {
    const auto program = folder_ / "loader";
    testing::WriteFile(program, "#!/bin/sh\n" + script + "\n");
    chmod(program.c_str(), 0700);
    auto loaded = LoadWith(program, testing::MemoryFile("a file").get(), limits, stop);
    return loaded.ok() ? Error{Code::kInternal, "LOADED", "", {}} : loaded.error();
  }

  const testing::TemporaryFolder temporary_;
  const std::filesystem::path folder_ = temporary_.path();
};

TEST_F(HostileLoader, OneThatHangsIsKilledAtItsTimeLimit) {
  const Error error = Run("while :; do sleep 0.1; done", {.wall_time = std::chrono::milliseconds(1000)});
  EXPECT_THAT(error.message, HasSubstr("reading the file took longer than 1 s; give the engine more processor time"));
}

TEST_F(HostileLoader, OneThatClosesItsPipeAndStaysIsKilled) {
  EXPECT_THAT(Run("exec 4>&-; exec sleep 100").message, HasSubstr("closed its pipe and did not end, so it was killed"));
}

TEST_F(HostileLoader, AStopRequestEndsItAtOnce) {
  std::stop_source stop;
  const TimePoint start = Clock::now();
  std::thread later([&] { stop.request_stop(); });
  const Error error = Run("exec sleep 100", {}, stop.get_token());
  later.join();
  EXPECT_EQ(error.code, Code::kCancelled);
  EXPECT_LT(Clock::now() - start, std::chrono::seconds(30));
}

TEST_F(HostileLoader, TheSignalThatEndedItIsNamed) {
  EXPECT_EQ(Run("kill -SEGV $$").message,
            "the HDF5 library failed on this file (signal 11, SIGSEGV); it is damaged, export the model to NIR again");
  EXPECT_THAT(Run("kill -KILL $$").message, HasSubstr("SIGKILL"));
  EXPECT_THAT(Run("kill -KILL $$").message, HasSubstr("give the engine more memory"));
}

TEST_F(HostileLoader, TooMuchProcessorTimeReadsAsTime) {
  EXPECT_EQ(Run("kill -XCPU $$").message,
            "reading the file took longer than 20 s; it is damaged, export the model to NIR again");
}

TEST_F(HostileLoader, AnEndWithoutAnAnswerNamesTheExitCode) {
  EXPECT_THAT(Run("exit 3").message, HasSubstr("exit code 3"));
}

TEST_F(HostileLoader, ItsEndIsDetectedAlthoughAChildKeepsThePipe) {
  const TimePoint start = Clock::now();
  EXPECT_THAT(Run("setsid sleep 30 >&- 2>&- & exit 3").message, HasSubstr("exit code 3"));
  EXPECT_LT(Clock::now() - start, std::chrono::seconds(20));
}

TEST_F(HostileLoader, AMissingProgramIsNamedWithAdvice) {
  const auto nowhere = folder_ / "nowhere" / "tandem-loader";
  const auto loaded = LoadWith(nowhere, testing::MemoryFile("").get(), {}, {});
  ASSERT_FALSE(loaded.ok());
  EXPECT_EQ(loaded.error().message, "cannot read model files: the program " + nowhere.string() +
                                        " is missing; install it beside tandem-engine, from the same build");
}

TEST_F(HostileLoader, EndlessBytesAreNotRead) {
  EXPECT_THAT(Run("cat /dev/zero >&4").message, HasSubstr("another build"));
}

TEST_F(HostileLoader, RandomBytesAreRefused) {
  EXPECT_THAT(Run("cat /dev/urandom >&4").message, AnyOf(HasSubstr("another build"), HasSubstr("cannot be")));
}

TEST_F(HostileLoader, AnIncompleteAnswerIsRefused) {
  StringSink sink;
  WriteAnswer({Flatten(testing::LifNet(4, 8, 3, 1)), 0}, sink);
  testing::WriteFile(folder_ / "answer", sink.bytes.substr(0, sink.bytes.size() - 1));
  EXPECT_THAT(Run("cat " + (folder_ / "answer").string() + " >&4").message, HasSubstr("exit code 0"));
  testing::WriteFile(folder_ / "answer", sink.bytes);
  EXPECT_EQ(Run("cat " + (folder_ / "answer").string() + " >&4").reason, "LOADED");
}

TEST_F(HostileLoader, OneThatIsNotFilteredIsReported) {
  StringSink sink;
  WriteAnswer({Flatten(testing::LifNet(4, 8, 3, 1)), ENOSYS}, sink);
  testing::WriteFile(folder_ / "answer", sink.bytes);
  testing::WriteFile(folder_ / "loader", "#!/bin/sh\ncat " + (folder_ / "answer").string() + " >&4\n");
  chmod((folder_ / "loader").c_str(), 0700);
  const auto loaded = LoadWith(folder_ / "loader", testing::MemoryFile("").get(), {}, {});
  ASSERT_TRUE(loaded.ok());
  EXPECT_THAT(loaded.value().warning, HasSubstr("refuses to filter the loader's system calls (seccomp: Function not"));
}

TEST_F(HostileLoader, GetsFileAndPipeAndNoOtherDescriptor) {
  const Descriptor secret(open("/dev/null", O_RDONLY));  // without O_CLOEXEC
  const auto seen = folder_ / "seen";
  // exec replaces the shell, which opens more descriptors itself. `ls` opens only one, for the folder that it lists.
  Run("exec ls -l /proc/self/fd >" + seen.string());
  const auto list = ReadWholeFile(seen, 65536);
  ASSERT_TRUE(list.ok());
  EXPECT_THAT(list.value(), ::testing::MatchesRegex("total 0\n"
                                                    "[^\n]* 0 -> /dev/null\n"
                                                    "[^\n]* 1 -> [^\n]*\n"
                                                    "[^\n]* 2 -> [^\n]*\n"
                                                    "[^\n]* 3 -> /memfd:test [^\n]*\n"
                                                    "[^\n]* 4 -> pipe:[^\n]*\n"
                                                    "[^\n]* 5 -> /proc/[0-9]+/fd\n"));
}

TEST_F(HostileLoader, GetsNoOtherVariables) {
  setenv("TANDEM_SECRET", "x", 1);
  const auto seen = folder_ / "seen";
  Run("tr '\\0' '\\n' </proc/$$/environ >" + seen.string());
  EXPECT_THAT(ReadWholeFile(seen, 65536).value(), ::testing::Not(HasSubstr("TANDEM_SECRET")));
}

}  // namespace
}  // namespace tandem
