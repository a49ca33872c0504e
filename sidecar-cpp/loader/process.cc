#include "loader/process.h"

#include <fcntl.h>
#include <spawn.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <string>
#include <system_error>
#include <thread>
#include <vector>

#include "base/clock.h"
#include "loader/protocol.h"
#include "loader/sanitizer.h"

namespace tandem {
namespace {

constexpr int kPipeBytes = 1 << 20;  // a larger pipe means fewer switches between the two processes
constexpr std::chrono::milliseconds kReapPoll{1};

Error CannotStart(const std::string& what, int why) {
  return {Code::kInternal,
          "INTERNAL",
          "cannot read model files: " + what + ": " + std::generic_category().message(why),
          {}};
}

class FileActions {
 public:
  FileActions() { posix_spawn_file_actions_init(&actions_); }
  FileActions(const FileActions&) = delete;
  FileActions& operator=(const FileActions&) = delete;
  ~FileActions() { posix_spawn_file_actions_destroy(&actions_); }

  // `file` and `answer` are above the numbers of their copies.
  void GiveOnly(int file, int answer) {
    posix_spawn_file_actions_addopen(&actions_, STDIN_FILENO, "/dev/null", O_RDWR, 0);
    posix_spawn_file_actions_adddup2(&actions_, STDIN_FILENO, STDOUT_FILENO);
    // The C library's report of a corrupt heap does not help; a sanitizer's report does.
    if (!kUnderSanitizer) posix_spawn_file_actions_adddup2(&actions_, STDIN_FILENO, STDERR_FILENO);
    posix_spawn_file_actions_adddup2(&actions_, file, kFileDescriptor);
    posix_spawn_file_actions_adddup2(&actions_, answer, kAnswerDescriptor);
    posix_spawn_file_actions_addclosefrom_np(&actions_, kAnswerDescriptor + 1);
  }
  const posix_spawn_file_actions_t* get() const { return &actions_; }

 private:
  posix_spawn_file_actions_t actions_{};
};

// Resets the engine's signal handlers and blocked signals, and starts a new session, so that Ctrl-C at the engine's
// terminal does not reach it.
class Attributes {
 public:
  Attributes() {
    posix_spawnattr_init(&attributes_);
    sigset_t signals;
    sigfillset(&signals);
    posix_spawnattr_setsigdefault(&attributes_, &signals);
    sigemptyset(&signals);
    posix_spawnattr_setsigmask(&attributes_, &signals);
    posix_spawnattr_setflags(&attributes_, POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSID);
  }
  Attributes(const Attributes&) = delete;
  Attributes& operator=(const Attributes&) = delete;
  ~Attributes() { posix_spawnattr_destroy(&attributes_); }
  const posix_spawnattr_t* get() const { return &attributes_; }

 private:
  posix_spawnattr_t attributes_{};
};

// Only variables that a program may need to start: others may have secrets, or settings of the HDF5 library.
std::vector<std::string> Environment() {
  std::vector<std::string> kept;
  for (const char* name : {"LD_LIBRARY_PATH", "ASAN_OPTIONS", "UBSAN_OPTIONS", "TSAN_OPTIONS"}) {
    const char* value = std::getenv(name);  // NOLINT(concurrency-mt-unsafe): nothing here sets variables
    if (value != nullptr) kept.push_back(std::string(name) + "=" + value);
  }
  return kept;
}

std::vector<char*> Pointers(std::vector<std::string>& texts) {
  std::vector<char*> pointers;
  for (std::string& text : texts) pointers.push_back(text.data());
  pointers.push_back(nullptr);
  return pointers;
}

// Above the numbers of the loader's descriptors, so that none is overwritten before it has been copied.
Descriptor OutOfTheWay(int descriptor) { return Descriptor(fcntl(descriptor, F_DUPFD_CLOEXEC, kAnswerDescriptor + 1)); }

}  // namespace

Expected<LoaderProcess> LoaderProcess::Start(const std::filesystem::path& program, int file, const LoadLimits& limits) {
  std::array<int, 2> ends{};
  if (pipe2(ends.data(), O_CLOEXEC) != 0) return CannotStart("pipe", errno);
  Descriptor from(ends[0]);
  Descriptor to(ends[1]);
  fcntl(from.get(), F_SETPIPE_SZ, kPipeBytes);  // or what the system gives
  const Descriptor given_file = OutOfTheWay(file);
  const Descriptor given_pipe = OutOfTheWay(to.get());
  if (!given_file.valid() || !given_pipe.valid()) return CannotStart("descriptors", errno);

  FileActions actions;
  actions.GiveOnly(given_file.get(), given_pipe.get());
  const Attributes attributes;
  std::vector<std::string> arguments = {program.string(), std::to_string(getpid()), std::to_string(limits.memory_bytes),
                                        std::to_string(limits.cpu_seconds)};
  std::vector<std::string> environment = Environment();
  pid_t pid = -1;
  const int failed = posix_spawn(&pid, program.c_str(), actions.get(), attributes.get(), Pointers(arguments).data(),
                                 Pointers(environment).data());
  if (failed == ENOENT) {
    return Error{Code::kInternal,
                 "INTERNAL",
                 "cannot read model files: the program " + program.string() +
                     " is missing; install it beside tandem-engine, from the same build",
                 {}};
  }
  if (failed != 0) return CannotStart("starting " + program.string(), failed);
  return LoaderProcess(pid, std::move(from), Descriptor(static_cast<int>(syscall(SYS_pidfd_open, pid, 0))));
}

LoaderProcess::~LoaderProcess() { Reap(std::chrono::milliseconds(0)); }

LoaderEnd LoaderProcess::Reap(std::chrono::milliseconds patience) {
  if (pid_ < 0) return {};
  const auto deadline = Clock::now() + patience;
  int status = 0;
  pid_t ended = 0;
  while ((ended = waitpid(pid_, &status, WNOHANG)) == 0 && Clock::now() < deadline) {
    std::this_thread::sleep_for(kReapPoll);
  }
  const bool was_killed = ended == 0;
  if (was_killed) {
    kill(pid_, SIGKILL);
    do {
      ended = waitpid(pid_, &status, 0);
    } while (ended < 0 && errno == EINTR);
  }
  pid_ = -1;
  if (ended < 0) return {};
  return {status, was_killed};
}

}  // namespace tandem
