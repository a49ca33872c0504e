// Reads an untrusted model file.
#pragma once

#include <filesystem>
#include <stop_token>
#include <string>

#include "base/status.h"
#include "loader/limits.h"
#include "nir/graph.h"

namespace tandem {

struct LoadResult {
  Graph graph;
  std::string warning;  // the missing part of the loader's confinement; empty: none
};

// Reads the NIR file behind `file`, a descriptor of a regular file, in a separate process (tandem-loader) with limits
// on memory and time. The HDF5 library can crash, loop or exhaust memory on a damaged file. That ends only the loader,
// and becomes an error. The loader's answer is checked as hostile input.
//
// Errors: MODEL_INVALID, with the error in the file; CANCELLED, `stop` was requested; INTERNAL, a fault of the loader
// or this machine. Throws std::bad_alloc. Safe from any thread; returns when the loader has ended.
Expected<LoadResult> Load(int file, const LoadLimits& limits, const std::stop_token& stop);

// The same with another program instead of the loader.
Expected<LoadResult> LoadWith(const std::filesystem::path& program, int file, const LoadLimits& limits,
                              const std::stop_token& stop);

// The path of tandem-loader: beside the running program.
std::filesystem::path LoaderProgram();

}  // namespace tandem
