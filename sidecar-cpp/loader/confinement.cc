#include "loader/confinement.h"

#include <fcntl.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstddef>
#include <initializer_list>
#include <utility>
#include <vector>

#include "loader/sanitizer.h"

namespace tandem {
namespace {

#if defined(__x86_64__)
constexpr std::uint32_t kArchitecture = AUDIT_ARCH_X86_64;
#elif defined(__aarch64__)
constexpr std::uint32_t kArchitecture = AUDIT_ARCH_AARCH64;
#else
#error "the loader supports the system calls of x86-64 and arm64 only; add this machine's"
#endif

// From this number on, x86-64 has its calls a second time, for programs with short pointers (x32).
constexpr std::uint32_t kForeignCalls = 0x4000'0000;

void Limit(int resource, rlim_t most) {
  const rlimit limit{most, most};
  setrlimit(static_cast<__rlimit_resource_t>(resource), &limit);
}

// If memory runs out, the kernel ends this process and not the engine.
void OfferToDieFirst() {
  const int file = open("/proc/self/oom_score_adj", O_WRONLY | O_CLOEXEC);
  if (file < 0) return;
  [[maybe_unused]] const ssize_t written = write(file, "1000", 4);
  close(file);
}

class Filter {
 public:
  Filter() {
    Load(offsetof(seccomp_data, arch));
    UnlessEqual(kArchitecture, SECCOMP_RET_KILL_PROCESS);
    Load(offsetof(seccomp_data, nr));
    Add(BPF_JUMP(BPF_JMP | BPF_JGE | BPF_K, kForeignCalls, 0, 1));
    Return(SECCOMP_RET_KILL_PROCESS);
  }
  void Allow(std::uint32_t call) {
    Add(BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, call, 0, 1));
    Return(SECCOMP_RET_ALLOW);
  }
  // Allowed unless its argument has one of `bits`.
  void AllowWithout(std::uint32_t call, unsigned argument, std::uint32_t bits) {
    Add(BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, call, 0, 4));
    LoadArgument(argument);
    Add(BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, bits, 0, 1));
    Refuse();
    Return(SECCOMP_RET_ALLOW);
  }
  // Allowed if each argument in the list has its value.
  void AllowWith(std::uint32_t call, std::initializer_list<std::pair<unsigned, std::uint32_t>> arguments) {
    Add(BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, call, 0, static_cast<std::uint8_t>(3 * arguments.size() + 1)));
    for (const auto& [argument, value] : arguments) {
      LoadArgument(argument);
      Add(BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, value, 1, 0));
      Refuse();
    }
    Return(SECCOMP_RET_ALLOW);
  }
  int Install() {
    Refuse();
    const sock_fprog program{static_cast<unsigned short>(code_.size()), code_.data()};
    return prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) == 0 ? 0 : errno;
  }

 private:
  void Add(sock_filter instruction) { code_.push_back(instruction); }
  void Load(std::size_t offset) { Add(BPF_STMT(BPF_LD | BPF_W | BPF_ABS, static_cast<std::uint32_t>(offset))); }
  // The low half of the argument: both machines are little-endian.
  void LoadArgument(unsigned k) { Load(offsetof(seccomp_data, args) + k * sizeof(std::uint64_t)); }
  void Return(std::uint32_t what) { Add(BPF_STMT(BPF_RET | BPF_K, what)); }
  // The call fails and the program continues: HDF5 looks for a file with the image's name.
  void Refuse() { Return(SECCOMP_RET_ERRNO | EPERM); }
  void UnlessEqual(std::uint32_t value, std::uint32_t otherwise) {
    Add(BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, value, 1, 0));
    Return(otherwise);
  }

  std::vector<sock_filter> code_;
};

}  // namespace

bool LimitThisProcess(std::uint64_t memory_bytes, std::uint64_t cpu_seconds, pid_t parent) {
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (getppid() != parent) return false;  // it ended before this call
  OfferToDieFirst();
  Limit(RLIMIT_CORE, 0);
  Limit(RLIMIT_FSIZE, 0);
  Limit(RLIMIT_NOFILE, 0);
  const rlimit cpu{cpu_seconds, cpu_seconds + 1};  // SIGXCPU, which shows the cause, then SIGKILL
  setrlimit(RLIMIT_CPU, &cpu);
  if (!kUnderSanitizer) Limit(RLIMIT_AS, memory_bytes);
  return true;
}

int FilterSystemCalls() {
  if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) return errno;
  Filter filter;
  for (const long call : {SYS_write, SYS_brk, SYS_munmap, SYS_mremap, SYS_madvise, SYS_futex, SYS_exit, SYS_exit_group,
                          SYS_clock_gettime, SYS_gettimeofday, SYS_getrandom,
                          // for abort(): the C library calls it if the heap is corrupt
                          SYS_rt_sigprocmask, SYS_rt_sigaction, SYS_getpid, SYS_gettid}) {
    filter.Allow(static_cast<std::uint32_t>(call));
  }
  filter.AllowWith(SYS_tgkill, {{0, static_cast<std::uint32_t>(getpid())}, {2, SIGABRT}});
  for (const long call : {SYS_mmap, SYS_mprotect}) filter.AllowWithout(static_cast<std::uint32_t>(call), 2, PROT_EXEC);
  if (kUnderSanitizer) {
    for (const long call : {SYS_sigaltstack, SYS_clock_nanosleep, SYS_sched_yield}) {
      filter.Allow(static_cast<std::uint32_t>(call));
    }
  }
  return filter.Install();
}

}  // namespace tandem
