#include "nir/isolated_reader.h"

#include <fcntl.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstdio>
#include <string>
#include <system_error>

#include "nir/invalid.h"
#include "nir/reader.h"
#include "nir/tree_codec.h"

namespace tandem {
namespace {

// A sanitizer reserves terabytes of address space for its own books and would not start under a limit.
constexpr bool UnderSanitizer() {
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
  return true;
#else
  return false;
#endif
}

void LimitThisProcess(const ReadLimits& limits) {
  const rlimit no_core{0, 0};
  setrlimit(RLIMIT_CORE, &no_core);
  const rlimit cpu{limits.cpu_seconds, limits.cpu_seconds + 1};
  setrlimit(RLIMIT_CPU, &cpu);
  if (!UnderSanitizer()) {
    const rlimit memory{limits.memory_bytes, limits.memory_bytes};
    setrlimit(RLIMIT_AS, &memory);
  }
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  // What the C library says of a heap that HDF5 broke is for nobody.
  const int nowhere = open("/dev/null", O_WRONLY | O_CLOEXEC);
  if (nowhere >= 0) dup2(nowhere, STDERR_FILENO);
  // A crash here is expected and reported by the parent: no handler of the parent's may run for it.
  for (const int signal : {SIGSEGV, SIGBUS, SIGABRT, SIGFPE, SIGILL, SIGTERM, SIGINT}) std::signal(signal, SIG_DFL);
}

[[noreturn]] void Child(std::span<const char> bytes, const ReadLimits& limits, int to) {
  LimitThisProcess(limits);
  bool written = false;
  std::FILE* pipe = fdopen(to, "wb");
  try {
    written = pipe != nullptr && WriteTree(ReadNir(bytes), pipe);
  } catch (const std::exception&) {  // out of memory: the parent sees the status
  }
  // Not exit(): atexit handlers and buffers belong to the parent.
  _exit(written ? 0 : 1);
}

Error Died(int status, const ReadLimits& limits) {
  if (WIFSIGNALED(status) && WTERMSIG(status) == SIGXCPU) {
    return InvalidFile("reading the file took longer than " + std::to_string(limits.cpu_seconds) +
                       " s; it is damaged, export the model to NIR again");
  }
  const std::string how = WIFSIGNALED(status) ? "signal " + std::to_string(WTERMSIG(status)) : "out of memory";
  return InvalidFile("the HDF5 library failed on this file (" + how +
                     "); it is damaged, export the model to NIR again");
}

Error System(const char* what) {
  return {Code::kInternal,
          "INTERNAL",
          std::string("cannot read a model: ") + what + ": " + std::generic_category().message(errno),
          {}};
}

}  // namespace

Expected<GraphTree> ReadNirIsolated(std::span<const char> bytes, const ReadLimits& limits) {
  int ends[2];
  if (pipe(ends) != 0) return System("pipe");
  const pid_t child = fork();
  if (child < 0) {
    close(ends[0]);
    close(ends[1]);
    return System("fork");
  }
  if (child == 0) {
    close(ends[0]);
    Child(bytes, limits, ends[1]);
  }
  close(ends[1]);
  std::FILE* from = fdopen(ends[0], "rb");
  auto tree = ReadTree(from);
  std::fclose(from);
  int status = 0;
  while (waitpid(child, &status, 0) < 0 && errno == EINTR) {
  }
  if (!WIFEXITED(status) || WEXITSTATUS(status) != 0) return Died(status, limits);
  return tree;
}

}  // namespace tandem
