#include "loader/load.h"

#include <string.h>
#include <sys/wait.h>

#include <csignal>
#include <optional>
#include <system_error>
#include <utility>

#include "loader/answer.h"
#include "loader/pipe_source.h"
#include "loader/process.h"
#include "loader/protocol.h"
#include "loader/stopped.h"
#include "nir/invalid.h"

namespace tandem {
namespace {

// For a loader that has closed its pipe: it ends soon, unless it is hostile.
constexpr std::chrono::milliseconds kReapTimeout{1000};

Error FailedOnFile(const std::string& detail) {
  return InvalidFile("the HDF5 library failed on this file (" + detail +
                     "); it is damaged, export the model to NIR again");
}

Error TookTooMuchProcessorTime(std::uint64_t seconds) {
  return InvalidFile("reading the file took longer than " + std::to_string(seconds) +
                     " s; it is damaged, export the model to NIR again");
}

Error Internal(const std::string& what) { return {Code::kInternal, "INTERNAL", what, {}}; }

std::string SignalName(int signal) {
  const char* name = sigabbrev_np(signal);
  return "signal " + std::to_string(signal) + (name == nullptr ? "" : std::string(", SIG") + name);
}

// The error of a loader that closed its pipe or ended without an answer.
Error Died(const LoaderEnd& end, const LoadLimits& limits) {
  const std::optional<int> status = end.status;
  if (!status) return Internal("tandem-loader ended without an answer, for an unknown reason");
  if (end.was_killed) return FailedOnFile("tandem-loader closed its pipe and did not end, so it was killed");
  if (WIFSIGNALED(*status)) {
    const int signal = WTERMSIG(*status);
    if (signal == SIGXCPU) return TookTooMuchProcessorTime(limits.cpu_seconds);
    if (signal == SIGKILL) {
      return Internal(
          "tandem-loader was killed (signal 9, SIGKILL), as the system does where memory runs out; give the engine "
          "more "
          "memory, then restart it");
    }
    return FailedOnFile(SignalName(signal));
  }
  switch (WEXITSTATUS(*status)) {
    case kLoaderOutOfMemory:
      return FailedOnFile("out of memory; its limit is " + std::to_string(limits.memory_bytes >> 20) + " MiB");
    default:
      return Internal("tandem-loader ended with exit code " + std::to_string(WEXITSTATUS(*status)) +
                      " without an answer; start it by hand to see whether a library is missing");
  }
}

std::string WarningOf(const Answer& answer) {
  if (answer.seccomp_errno == 0) return "";
  return "the system refuses to filter the loader's system calls (seccomp: " +
         std::generic_category().message(static_cast<int>(answer.seccomp_errno)) +
         "); model files are read with the limits on memory, time and descriptors alone";
}

}  // namespace

std::filesystem::path LoaderProgram() {
  std::error_code failed;
  return std::filesystem::read_symlink("/proc/self/exe", failed).replace_filename("tandem-loader");
}

Expected<LoadResult> Load(int file, const LoadLimits& limits, const std::stop_token& stop) {
  return LoadWith(LoaderProgram(), file, limits, stop);
}

Expected<LoadResult> LoadWith(const std::filesystem::path& program, int file, const LoadLimits& limits,
                              const std::stop_token& stop) {
  const TimePoint deadline = Clock::now() + limits.wall_time;
  auto process = LoaderProcess::Start(program, file, limits);
  if (!process.ok()) return process.error();
  PipeSource pipe(process.value().answer(), process.value().ended(), deadline, stop);
  auto answer = ReadAnswer(pipe);
  switch (pipe.end()) {
    case PipeSource::End::kStopped:
      return StoppedWhileLoading();
    case PipeSource::End::kTimeout:
      return InvalidFile(
          "reading the file took longer than " + std::to_string(limits.wall_time.count() / 1000) +
          " s; give the engine more processor time, or, if it has enough, export the model to NIR again");
    case PipeSource::End::kClosed:
      return Died(process.value().Reap(kReapTimeout), limits);
    case PipeSource::End::kNone:
      break;
  }
  if (!answer.ok()) return answer.error();
  if (!answer.value().graph.ok()) return answer.value().graph.error();
  return LoadResult{std::move(answer.value().graph).value(), WarningOf(answer.value())};
}

}  // namespace tandem
