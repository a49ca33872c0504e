#include "bench/load_options.h"

#include <CLI/CLI.hpp>

namespace tandem::bench {

std::optional<LoadOptions> ParseLoadOptions(int argc, const char* const* argv, int& exit_code) {
  LoadOptions to;
  CLI::App app(
      "Calls a router or an engine as fast as it answers, with a fixed number of concurrent calls; prints JSON.",
      "tandem-load");
  app.footer("\nExample:\n  tandem-load --target 127.0.0.1:50061 --call infer --model supersense --concurrency 64");
  app.option_defaults()->always_capture_default();
  app.add_option("--target", to.target, "address, h2c: host:port or unix:/path");
  app.add_option("--call", to.call, "reason (router) or infer (engine)")->check(CLI::IsMember({"reason", "infer"}));
  app.add_option("--model", to.model, "model name");
  app.add_option("--concurrency", to.concurrency, "concurrent calls")->check(CLI::Range(1, 4096));
  app.add_option("--connections", to.connections, "connections they share")->check(CLI::Range(1, 256));
  app.add_option("--duration", to.duration_s, "seconds to measure")->check(CLI::Range(0.01, 86400.0));
  app.add_option("--requests", to.requests, "stop after this number of calls (0: by duration)");
  app.add_option("--warmup", to.warmup_s, "seconds before measuring")->check(CLI::Range(0.0, 3600.0));
  app.add_option("--inputs", to.inputs, "file of float32 vectors, or float16 if its name ends in .f16");
  app.add_option("--size", to.size, "elements of one input")->check(CLI::Range(1, 1 << 20));
  app.add_option("--seed", to.seed, "seed of random inputs and of cancellations");
  app.add_option("--timeout-ms", to.timeout_ms, "deadline of a call")->check(CLI::Range(1, 3600000));
  app.add_option("--cancel-share", to.cancel_share, "share of calls that are cancelled before their answer")
      ->check(CLI::Range(0.0, 1.0));
  app.add_flag("--tensor", to.tensor, "reason: send raw bytes instead of packed floats");
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& stop) {
    exit_code = app.exit(stop) == 0 ? 0 : 2;
    return std::nullopt;
  }
  return to;
}

}  // namespace tandem::bench
