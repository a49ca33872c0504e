// The common parts of all fuzz targets: libFuzzer's entry points, and a check that ends the program if it fails.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>

// Runs before the first input: valid data must be accepted. A target that refuses everything would find nothing.
extern "C" int LLVMFuzzerInitialize(int* argc, char*** argv);
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);

namespace tandem::fuzz {

// libFuzzer keeps the input of a program that aborts.
inline void Require(bool holds, const char* what) {
  if (holds) return;
  std::fprintf(stderr, "fuzz target: does not hold: %s\n", what);
  std::abort();
}

}  // namespace tandem::fuzz
