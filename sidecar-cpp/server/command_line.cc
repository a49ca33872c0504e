#include "server/command_line.h"

#include <unistd.h>

#include <CLI/CLI.hpp>

#include <algorithm>
#include <array>
#include <thread>

#include "server/build_info.h"

namespace tandem {
namespace {

constexpr const char* kFooter = R"(
Every flag can also be set as TANDEM_ENGINE_<NAME>, for example TANDEM_ENGINE_MAX_QUEUE=512.

Example:
  tandem-engine --listen 127.0.0.1:50061 --id engine-1 --models deploy/models
  tandem-engine --check-health unix:/run/tandem/engine-1.sock
  tandem-engine check deploy/models/supersense/1/model.nir --manifest deploy/models/supersense/model.yaml

SIGTERM and SIGINT finish what is in flight and exit 0; a second signal exits at once. SIGUSR1 has more logged, SIGUSR2
less; SIGHUP changes nothing. Changed files of --tls-… are read within some seconds. OTEL_EXPORTER_OTLP_ENDPOINT=http://host:4317 (or unix:/path.sock) exports spans of traced
inputs over OTLP/gRPC.)";

// In a container this is its id, which `docker ps` shows.
std::string HostName() {
  std::array<char, 256> name{};
  return gethostname(name.data(), name.size() - 1) == 0 ? name.data() : "engine";
}

std::size_t DefaultThreads() { return std::max(1u, std::thread::hardware_concurrency() / 2); }

void AddServeFlags(CLI::App& app, CommandLine& to, long& drain_ms) {
  app.add_option("--listen", to.server.listen, "host:port (port 0: any free one) or unix:/path.sock")
      ->envname("TANDEM_ENGINE_LISTEN");
  app.add_option("--tls-cert", to.server.tls.cert, "PEM file with the engine's certificate; empty: plaintext")
      ->envname("TANDEM_ENGINE_TLS_CERT");
  app.add_option("--tls-key", to.server.tls.key, "PEM file with the private key of --tls-cert")
      ->envname("TANDEM_ENGINE_TLS_KEY");
  app.add_option("--tls-client-ca", to.server.tls.client_ca,
                 "PEM file with the CAs that sign routers' certificates; empty: no certificate is required")
      ->envname("TANDEM_ENGINE_TLS_CLIENT_CA");
  app.add_option("--id", to.core.engine_id, "this engine's name, unique in a deployment (default: the host's)")
      ->envname("TANDEM_ENGINE_ID");
  app.add_option("--models", to.models, "model repository: <model>/model.yaml, <model>/<version>/model.nir")
      ->envname("TANDEM_ENGINE_MODELS");
  app.add_option("--threads", to.core.batcher.threads, "threads that simulate")
      ->envname("TANDEM_ENGINE_THREADS")
      ->check(CLI::Range(1, 256));
  app.add_option("--max-queue", to.core.batcher.max_in_flight, "limit on queued and running inputs; more are refused")
      ->envname("TANDEM_ENGINE_MAX_QUEUE")
      ->check(CLI::Range(1, 1000000));
  app.add_option("--max-batch", to.core.batcher.max_batch, "inputs simulated together")
      ->envname("TANDEM_ENGINE_MAX_BATCH")
      ->check(CLI::Range(1, 4096));
  app.add_option("--max-message-bytes", to.server.max_message_bytes, "largest message taken")
      ->envname("TANDEM_ENGINE_MAX_MESSAGE_BYTES")
      ->check(CLI::Range(1024, 1 << 30));
  app.add_option("--recorder-bytes", to.core.recorder_bytes,
                 "memory for recordings of the newest runs, bytes; 0: record nothing")
      ->envname("TANDEM_ENGINE_RECORDER_BYTES")
      ->check(CLI::Range(std::size_t{0}, std::size_t{1} << 40));
  app.add_option("--log-level", to.log_level, "trace, debug, info, warn, error or off")
      ->envname("TANDEM_ENGINE_LOG_LEVEL");
  app.add_flag("--log-json,!--no-log-json", to.log_json,
               "log one JSON object per line (default: if stderr is not a terminal)")
      ->envname("TANDEM_ENGINE_LOG_JSON");
  app.add_flag("--reflection,!--no-reflection", to.server.reflection, "serve gRPC reflection")
      ->envname("TANDEM_ENGINE_REFLECTION");
  app.add_option("--simd", to.simd,
                 "force an instruction set: avx512, avx2, sse4, ssse3, neon or scalar (default: the best)")
      ->envname("TANDEM_SIMD");
  app.add_option("--drain-timeout-ms", drain_ms, "time to finish open requests on SIGTERM")
      ->envname("TANDEM_ENGINE_DRAIN_TIMEOUT_MS")
      ->check(CLI::Range(0, 3600000));
}

}  // namespace

std::optional<CommandLine> ParseCommandLine(int argc, const char* const* argv, int& exit_code) {
  CommandLine to;
  to.core.engine_id = HostName();
  to.core.batcher.threads = DefaultThreads();
  to.log_json = isatty(STDERR_FILENO) == 0;  // text on a terminal, else JSON
  long drain_ms = to.drain_timeout.count();
  CLI::App app("Runs spiking neural networks (NIR files) behind gRPC: tandem.engine.v1.EngineService.",
               "tandem-engine");
  app.footer(kFooter);
  app.set_version_flag("--version", BuildName());
  app.option_defaults()->always_capture_default();
  AddServeFlags(app, to, drain_ms);
  const CLI::Option* check_health =
      app.add_option("--check-health", to.check_health,
                     "check the engine at this address (default: that of --listen): exit 0 if it serves, else 1")
          ->expected(0, 1);
  const CLI::Option* exit_with_parent =
      app.add_option("--exit-with-parent", to.parent,
                     "stop when the process that started this one ends; its process id, if given, also tells that it "
                     "ended before this one began")
          ->expected(0, 1)
          ->check(CLI::NonNegativeNumber);
  CLI::App* check = app.add_subcommand("check", "validate a NIR file and print its nodes or its error");
  check->add_option("file", to.check_file, "the .nir file")->required();
  check->add_option(
      "--manifest", to.check_manifest,
      "its model.yaml (default: the file that the server would use: beside the NIR file, else one folder above)");
  CLI::App* learn_replay = app.add_subcommand(
      "learn-replay", "learn the examples of a learning log again, and compare each commit to the bit");
  learn_replay->add_option("file", to.learning_log, "the student's .log file")->required();
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& stop) {
    exit_code = app.exit(stop) == 0 ? 0 : 1;
    return std::nullopt;
  }
  if (check_health->count() > 0 && to.check_health.empty()) to.check_health = to.server.listen;
  to.exit_with_parent = exit_with_parent->count() > 0;
  to.drain_timeout = std::chrono::milliseconds(drain_ms);
  return to;
}

}  // namespace tandem
