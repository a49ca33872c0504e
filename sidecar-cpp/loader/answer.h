// What tandem-loader says on its pipe: a graph, or why there is none. The engine takes the bytes for hostile.
#pragma once

#include <cstdint>

#include "base/status.h"
#include "nir/byte_stream.h"
#include "nir/graph.h"

namespace tandem {

struct Answer {
  Expected<Graph> graph;            // or what is wrong in the file
  std::uint64_t seccomp_errno = 0;  // why the kernel has not filtered the loader's system calls; 0: it has
};

void WriteAnswer(const Answer& answer, ByteSink& to);

// An error is one of the loader, not of the file: the bytes end early, cannot be, or are those of another version.
Expected<Answer> ReadAnswer(ByteSource& from);

}  // namespace tandem
