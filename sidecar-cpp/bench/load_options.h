// Flags of tandem-load.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>

namespace tandem::bench {

struct LoadOptions {
  std::string target = "127.0.0.1:50051";
  std::string call = "reason";  // reason: ReasoningService/Reason; infer: EngineService/Infer
  std::string model;            // reason: may be empty; infer: required
  std::size_t concurrency = 32;
  std::size_t connections = 1;
  double duration_s = 5;
  std::uint64_t requests = 0;  // 0: as many as fit into the duration
  double warmup_s = 0.5;       // not measured
  std::string inputs;          // file of float32 (or .f16: float16) vectors; empty: random
  std::size_t size = 768;      // elements of one input
  std::uint64_t seed = 1;
  std::uint32_t timeout_ms = 10000;
  double cancel_share = 0;  // share of calls that are cancelled before their answer
  bool tensor = false;      // reason: send raw bytes instead of packed floats
};

// nullopt: exit with `exit_code`.
std::optional<LoadOptions> ParseLoadOptions(int argc, const char* const* argv, int& exit_code);

}  // namespace tandem::bench
