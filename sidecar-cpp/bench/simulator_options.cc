#include "bench/simulator_options.h"

#include <CLI/CLI.hpp>

namespace tandem::bench {

SimulatorOptions ParseSimulatorOptions(int argc, const char* const* argv, const std::string& what) {
  SimulatorOptions to;
  CLI::App app(what);
  app.add_option("--model", to.model, "folder with model.yaml and <version>/model.nir")->check(CLI::ExistingDirectory);
  app.add_option("--inputs", to.inputs, "file of little-endian float32 inputs")->check(CLI::ExistingFile);
  app.add_option("--simd", to.simd, "instruction set: avx512, avx2, sse4, ssse3, neon or scalar (default: the best)");
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& stop) {
    std::exit(app.exit(stop) == 0 ? 0 : 2);
  }
  UseSimd(to.simd);
  return to;
}

}  // namespace tandem::bench
