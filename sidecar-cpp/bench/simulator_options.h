// Flags that the simulator's benchmarks share.
#pragma once

#include <filesystem>
#include <string>

#include "bench/subject.h"

namespace tandem::bench {

struct SimulatorOptions {
  std::filesystem::path model;   // empty: the program's default
  std::filesystem::path inputs;  // empty: the program makes some
  std::string simd;              // empty: the best
};

// Reads --model, --inputs and --simd; ends the program with a message if they are wrong.
SimulatorOptions ParseSimulatorOptions(int argc, const char* const* argv, const std::string& what);

}  // namespace tandem::bench
