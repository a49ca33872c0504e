// The answer of tandem-loader on its pipe: a graph, or the error. The engine treats the bytes as hostile.
#pragma once

#include <cstdint>

#include "base/status.h"
#include "nir/byte_stream.h"
#include "nir/graph.h"

namespace tandem {

struct Answer {
  Expected<Graph> graph;            // or the error in the file
  std::uint64_t seccomp_errno = 0;  // error number if the kernel did not filter the loader's system calls; else 0
};

void WriteAnswer(const Answer& answer, ByteSink& to);

// An error is a fault of the loader, not of the file: the bytes end early, are invalid, or are of another version.
Expected<Answer> ReadAnswer(ByteSource& from);

}  // namespace tandem
