// A child of this program confines itself, and then tries what a file that controls the loader could try.
#include "loader/confinement.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <functional>

#include "loader/sanitizer.h"

namespace tandem {
namespace {

constexpr std::uint64_t kMemory = std::uint64_t{1} << 30;

// The status of a child that runs `body` and exits with its result.
int StatusOf(const std::function<int()>& body) {
  const pid_t parent = getpid();
  const pid_t child = fork();
  if (child == 0) {
    if (!LimitThisProcess(kMemory, 5, parent)) _exit(100);
    _exit(body());
  }
  int status = 0;
  waitpid(child, &status, 0);
  return status;
}

// The exit code of the child; -1 if a signal ended it.
int InChild(const std::function<int()>& body) {
  const int status = StatusOf(body);
  return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

int InFilteredChild(const std::function<int()>& body) {
  return InChild([&] { return FilterSystemCalls() == 0 ? body() : 101; });
}

int ErrnoOf(long outcome) { return outcome < 0 ? errno : 0; }

TEST(Confinement, FilterRefusesTheNetwork) {
  EXPECT_EQ(InFilteredChild([] { return ErrnoOf(socket(AF_INET, SOCK_STREAM, 0)); }), EPERM);
  EXPECT_EQ(InFilteredChild([] { return ErrnoOf(socket(AF_UNIX, SOCK_STREAM, 0)); }), EPERM);
}

TEST(Confinement, FilterRefusesFiles) {
  EXPECT_EQ(InFilteredChild([] { return ErrnoOf(open("/etc/passwd", O_RDONLY)); }), EPERM);
  EXPECT_EQ(InFilteredChild([] { return ErrnoOf(unlink("/tmp/tandem-nothing")); }), EPERM);
}

TEST(Confinement, FilterRefusesProcessesAndPrograms) {
  EXPECT_EQ(InFilteredChild([] { return ErrnoOf(syscall(SYS_clone, SIGCHLD, 0, 0, 0, 0)); }), EPERM);
  EXPECT_EQ(InFilteredChild([] { return ErrnoOf(execl("/bin/true", "true", nullptr)); }), EPERM);
  EXPECT_EQ(InFilteredChild([] { return ErrnoOf(syscall(SYS_ptrace, 0, getpid(), 0, 0)); }), EPERM);
}

TEST(Confinement, FilterRefusesSignalsToOthers) {
  EXPECT_EQ(InFilteredChild([parent = getpid()] { return ErrnoOf(kill(parent, 0)); }), EPERM);
  EXPECT_EQ(InFilteredChild([parent = getpid()] { return ErrnoOf(syscall(SYS_tgkill, parent, parent, 0)); }), EPERM);
}

TEST(Confinement, FilterRefusesStoppingItself) {
  EXPECT_EQ(InFilteredChild([] { return ErrnoOf(syscall(SYS_tgkill, getpid(), gettid(), SIGSTOP)); }), EPERM);
}

TEST(Confinement, FilterRefusesMemoryThatCanBeExecuted) {
  EXPECT_EQ(InFilteredChild([] {
              void* at = mmap(nullptr, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
              return at == MAP_FAILED ? errno : 0;
            }),
            EPERM);
  EXPECT_EQ(InFilteredChild([] {
              void* at = mmap(nullptr, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
              return at == MAP_FAILED ? 102 : ErrnoOf(mprotect(at, 4096, PROT_READ | PROT_EXEC));
            }),
            EPERM);
}

TEST(Confinement, FilterAllowsMemoryAndThePipe) {
  EXPECT_EQ(InFilteredChild([] {
              void* at = mmap(nullptr, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
              return at == MAP_FAILED ? 102 : ErrnoOf(write(STDERR_FILENO, "", 0));
            }),
            0);
}

TEST(Confinement, AbortStillReadsAsAbort) {
  if (kUnderSanitizer) GTEST_SKIP() << "a sanitizer handles it";
  const int status = StatusOf([] {
    signal(SIGABRT, SIG_DFL);
    FilterSystemCalls();
    abort();
    return 0;
  });
  ASSERT_TRUE(WIFSIGNALED(status));
  EXPECT_EQ(WTERMSIG(status), SIGABRT);
}

TEST(Confinement, LimitsAloneLeaveNoFileAndNoNetwork) {
  EXPECT_EQ(InChild([] { return ErrnoOf(open("/etc/passwd", O_RDONLY)); }), EMFILE);
  EXPECT_EQ(InChild([] { return ErrnoOf(socket(AF_INET, SOCK_STREAM, 0)); }), EMFILE);
}

TEST(Confinement, LimitsMemory) {
  if (kUnderSanitizer) GTEST_SKIP() << "no limit on memory";
  EXPECT_EQ(InChild([] {
              void* at = mmap(nullptr, kMemory, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
              return at == MAP_FAILED ? errno : 0;
            }),
            ENOMEM);
}

TEST(Confinement, LimitsProcessorTimeAndCoreFiles) {
  const auto most = [](__rlimit_resource_t resource) {
    rlimit limit{};
    getrlimit(resource, &limit);
    return static_cast<int>(limit.rlim_cur);
  };
  EXPECT_EQ(InChild([&] { return most(RLIMIT_CPU); }), 5);
  EXPECT_EQ(InChild([&] { return most(RLIMIT_CORE); }), 0);
  EXPECT_EQ(InChild([&] { return most(RLIMIT_FSIZE); }), 0);
}

TEST(Confinement, DetectsAParentThatHasEnded) {
  EXPECT_EQ(InChild([] { return LimitThisProcess(kMemory, 5, getpid()) ? 1 : 0; }), 0);
}

}  // namespace
}  // namespace tandem
