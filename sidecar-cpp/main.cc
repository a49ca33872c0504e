// tandem-engine: composition root. Reads the command line, loads the models, serves until it is stopped.
#include <absl/synchronization/mutex.h>
#include <grpc/support/log.h>
#include <malloc.h>
#include <pthread.h>
#include <spdlog/spdlog.h>
#include <sys/prctl.h>
#include <unistd.h>

#include <chrono>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <nlohmann/json.hpp>
#include <string_view>

#include "base/memory_plan.h"
#include "engine/repository.h"
#include "kernels/simd_target.h"
#include "learning/replay.h"
#include "server/build_info.h"
#include "server/check_file.h"
#include "server/check_health.h"
#include "server/command_line.h"
#include "server/memory_guard.h"
#include "server/server.h"
#include "telemetry/log.h"
#include "telemetry/otlp_settings.h"
#include "telemetry/span_exporter.h"

namespace {

// Time limit for sending the remaining spans at the end.
constexpr std::chrono::milliseconds kLastSpans{1000};

constexpr std::chrono::milliseconds kHealthTimeout{2000};

// Blocked in every thread, so that only WaitForStop gets them. In the first process of a container, a signal that is
// neither blocked nor handled is lost.
sigset_t OurSignals() {
  sigset_t signals;
  sigemptyset(&signals);
  for (const int signal : {SIGTERM, SIGINT, SIGUSR1, SIGUSR2}) sigaddset(&signals, signal);
  // Would end the process, unless nohup or the test build (faults/main.cc) handles it.
  struct sigaction hangup {};
  sigaction(SIGHUP, nullptr, &hangup);
  if (hangup.sa_handler == SIG_DFL) sigaddset(&signals, SIGHUP);
  return signals;
}

// From now on a stop signal calls `end` at once, which must end the process.
void OnStopAtOnce(void (*end)(int)) {
  sigset_t stop;
  sigemptyset(&stop);
  for (const int signal : {SIGTERM, SIGINT}) {
    sigaddset(&stop, signal);
    std::signal(signal, end);
  }
  pthread_sigmask(SIG_UNBLOCK, &stop, nullptr);
}

// Until then, SIGUSR1 logs more and SIGUSR2 logs less.
int WaitForStop() {
  const sigset_t signals = OurSignals();
  int signal = 0;
  while (sigwait(&signals, &signal) == 0 && signal != SIGTERM && signal != SIGINT) {
    if (signal == SIGUSR1) tandem::LogMore();
    if (signal == SIGUSR2) tandem::LogLess();
    if (signal == SIGHUP)
      spdlog::info("SIGHUP: nothing is reloaded; an engine's settings are its flags, so restart it");
  }
  OnStopAtOnce([](int) { _exit(1); });  // a second signal
  return signal;
}

// nullptr: tracing is off, or its variables are invalid, which is logged and stops nothing.
std::unique_ptr<tandem::SpanExporter> StartTracing(const std::string& engine_id) {
  auto settings = tandem::ReadOtlpSettings([](const char* name) -> std::optional<std::string> {
    const char* value = std::getenv(name);  // NOLINT(concurrency-mt-unsafe): nothing here sets variables
    return value == nullptr ? std::nullopt : std::optional<std::string>(value);
  });
  if (!settings.ok()) {
    spdlog::error("tracing is off: {}", settings.error().message);
    return nullptr;
  }
  if (settings.value().target.empty()) return nullptr;
  settings.value().SetResource("service.instance.id", engine_id);
  settings.value().SetResource("service.version", tandem::Version());
  settings.value().SetResource("tandem.build", tandem::BuildName());
  spdlog::info("tracing: spans of traced inputs go to {}", settings.value().target);
  return std::make_unique<tandem::SpanExporter>(std::move(settings).value());
}

// Debian's abseil checks for deadlocks at every lock of gRPC.
void LookForNoDeadlocks() { absl::SetMutexDeadlockDetectionMode(absl::OnDeadlockCycle::kIgnore); }

void SendGrpcLogsToOurs() {
  gpr_set_log_function([](gpr_log_func_args* line) { spdlog::debug("grpc: {}", line->message); });
}

// Stops this process when its parent ends: otherwise the engines of a killed router would hold their ports for ever.
// Returns false if the parent has already ended. `parent`: its process id; 0: not known.
bool FollowParent(pid_t parent) {
  prctl(PR_SET_PDEATHSIG, SIGTERM);
  return parent == 0 || getppid() == parent;
}

// Loading may take long, and there is nothing to finish yet, so a stop signal ends the process at once.
tandem::Repository LoadUnlessStopped(const std::string& folder) {
  OnStopAtOnce([](int) {
    constexpr std::string_view kLine = "tandem-engine: stopped while it loaded its models\n";
    [[maybe_unused]] const auto written = write(STDERR_FILENO, kLine.data(), kLine.size());
    _exit(0);
  });
  tandem::Repository repository = tandem::Repository::Load(folder);
  const sigset_t signals = OurSignals();
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);
  return repository;
}

int Fail(const std::string& message) {
  std::fprintf(stderr, "tandem-engine: %s\n", message.c_str());
  return 1;
}

// Returns large blocks to the system as soon as they are free. By default the C library keeps more and larger blocks
// over time, so one burst of large messages would hold its memory for ever.
void ReturnLargeBlocks() {
  constexpr int kLarge = 1 << 20;
  mallopt(M_MMAP_THRESHOLD, kLarge);
  mallopt(M_TRIM_THRESHOLD, kLarge);
}

int Serve(const tandem::CommandLine& options) {
  ReturnLargeBlocks();
  if (const auto error = tandem::SetUpLog(options.log_level, options.log_json)) return Fail(error->message);
  if (!tandem::ForceSimdTarget(options.simd)) {
    std::string known;
    for (const std::string& target : tandem::SupportedSimdTargets()) known += (known.empty() ? "" : ", ") + target;
    return Fail("instruction set \"" + options.simd + "\" is not available here; available are " + known);
  }
  SendGrpcLogsToOurs();
  LookForNoDeadlocks();
  const sigset_t signals = OurSignals();
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);
  std::signal(SIGPIPE, SIG_IGN);
  std::signal(SIGCHLD, SIG_DFL);  // if it is ignored, the system does not report how the loader ended
  if (options.exit_with_parent && !FollowParent(options.parent)) {
    spdlog::warn("stopped: the process that started this one has ended");
    return 0;
  }

  spdlog::info("{} starts as {}", tandem::BuildName(), options.core.engine_id);
  tandem::Repository repository = LoadUnlessStopped(options.models);
  const auto exporter = StartTracing(options.core.engine_id);
  const tandem::MemoryPlan memory = tandem::PlanMemory(tandem::MemoryLimit("/sys/fs/cgroup"));
  const int max_fd = tandem::ReserveDescriptors();
  spdlog::info("limits: {} MiB for inputs and answers, {} MiB for the buffers of connections, {} file descriptors",
               memory.requests >> 20, memory.wire >> 20, max_fd);
  tandem::EngineCore::Options core_options = options.core;
  core_options.memory_bytes = memory.requests;
  core_options.models = options.models;
  tandem::EngineCore core(core_options, std::move(repository), exporter.get());
  tandem::ServerOptions serving = options.server;
  serving.wire_bytes = memory.wire;
  serving.max_fd = max_fd;
  // Twice the counted memory, since much of it is copied once. The memory of models is added.
  serving.max_memory_bytes = tandem::ResidentMemory() + 2 * memory.requests + memory.wire;
  auto server = tandem::Server::Start(serving, core);
  if (!server.ok()) return Fail(server.error().message);

  const nlohmann::ordered_json ready = {{"ready", core.HasUsableModel()},
                                        {"id", options.core.engine_id},
                                        {"address", server.value()->address()},
                                        {"pid", getpid()}};
  std::printf("%s\n", ready.dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace).c_str());
  std::fflush(stdout);
  spdlog::info("serving on {}", server.value()->address());

  const int signal = WaitForStop();
  spdlog::info("signal {}: finishing {} inputs in flight", signal, core.in_flight());
  const bool in_time = server.value()->Drain(options.drain_timeout);
  if (!in_time) spdlog::warn("the rest was cancelled after {} ms", options.drain_timeout.count());
  if (exporter) exporter->Close(kLastSpans);
  spdlog::info("stopped");
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  int exit_code = 0;
  const auto options = tandem::ParseCommandLine(argc, argv, exit_code);
  if (!options) return exit_code;
  if (!options->check_health.empty()) {
    const auto error = tandem::CheckHealth(options->check_health, kHealthTimeout, options->server.tls);
    return error ? Fail(error->message) : 0;
  }
  if (!options->check_file.empty()) return tandem::CheckFile(options->check_file, options->check_manifest);
  if (!options->learning_log.empty()) return tandem::PrintReplay(options->learning_log);
  return Serve(*options);
}
