#include "nir/isolated_reader.h"

#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstring>
#include <string>

#include "nir/invalid.h"
#include "nir/reader.h"
#include "nir/tree_codec.h"

namespace tandem {
namespace {

constexpr rlim_t kMaxChildBytes = rlim_t{3} << 30;  // the largest model needs about half of it
constexpr rlim_t kMaxChildSeconds = 60;

// A sanitizer reserves terabytes of address space for its own books and would not start under a limit.
constexpr bool UnderSanitizer() {
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
  return true;
#else
  return false;
#endif
}

void LimitThisProcess() {
  const rlimit no_core{0, 0};
  setrlimit(RLIMIT_CORE, &no_core);
  const rlimit cpu{kMaxChildSeconds, kMaxChildSeconds};
  setrlimit(RLIMIT_CPU, &cpu);
  if (!UnderSanitizer()) {
    const rlimit memory{kMaxChildBytes, kMaxChildBytes};
    setrlimit(RLIMIT_AS, &memory);
  }
  // A crash here is expected and reported by the parent: no handler of the parent's may run for it.
  for (const int signal : {SIGSEGV, SIGBUS, SIGABRT, SIGFPE, SIGILL, SIGTERM, SIGINT}) std::signal(signal, SIG_DFL);
}

[[noreturn]] void Child(std::span<const char> bytes, int to) {
  LimitThisProcess();
  bool written = false;
  std::FILE* pipe = fdopen(to, "wb");
  try {
    written = pipe != nullptr && WriteTree(ReadNir(bytes), pipe);
  } catch (const std::exception&) {  // out of memory: the parent sees the status
  }
  // Not exit(): atexit handlers and buffers belong to the parent.
  _exit(written ? 0 : 1);
}

Error Died(int status) {
  if (WIFSIGNALED(status) && WTERMSIG(status) == SIGXCPU) {
    return InvalidFile("reading the file took longer than " + std::to_string(kMaxChildSeconds) +
                       " s; it is damaged, export the model to NIR again");
  }
  const std::string how = WIFSIGNALED(status) ? std::string("signal ") + strsignal(WTERMSIG(status)) : "out of memory";
  return InvalidFile("the HDF5 library failed on this file (" + how +
                     "); it is damaged, export the model to NIR again");
}

Error System(const char* what) {
  return {Code::kInternal, "INTERNAL", std::string("cannot read a model: ") + what + ": " + std::strerror(errno), {}};
}

}  // namespace

Expected<GraphTree> ReadNirIsolated(std::span<const char> bytes) {
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
    Child(bytes, ends[1]);
  }
  close(ends[1]);
  std::FILE* from = fdopen(ends[0], "rb");
  auto tree = ReadTree(from);
  std::fclose(from);
  int status = 0;
  while (waitpid(child, &status, 0) < 0 && errno == EINTR) {
  }
  if (!WIFEXITED(status) || WEXITSTATUS(status) != 0) return Died(status);
  return tree;
}

}  // namespace tandem
