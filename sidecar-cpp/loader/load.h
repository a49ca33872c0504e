// Reading a model file that nobody vouches for.
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
  std::string warning;  // how the loader was less confined than it should be; empty: fully
};

// Reads the NIR file behind `file`, a descriptor of a regular file, in a process of its own (tandem-loader) with limits
// on memory and time. The HDF5 library can crash, loop or exhaust memory on a damaged file; here that ends the loader,
// and comes back as an error like any other. What the loader answers is checked as hostile input.
//
// Errors: MODEL_INVALID, what is wrong in the file; CANCELLED, `stop` was requested; INTERNAL, what is wrong with the
// loader or this machine. Throws std::bad_alloc. Safe from any thread; returns when the loader has ended.
Expected<LoadResult> Load(int file, const LoadLimits& limits, const std::stop_token& stop);

// The same with another program in the loader's place.
Expected<LoadResult> LoadWith(const std::filesystem::path& program, int file, const LoadLimits& limits,
                              const std::stop_token& stop);

// tandem-loader, beside the program that runs.
std::filesystem::path LoaderProgram();

}  // namespace tandem
