// A GraphTree, or the error in its place, as bytes on a pipe between two processes of the same binary.
#pragma once

#include <cstdio>

#include "base/status.h"
#include "nir/graph.h"

namespace tandem {

// False: the pipe broke.
bool WriteTree(const Expected<GraphTree>& tree, std::FILE* to);

// An INTERNAL error where the bytes end early or make no sense.
Expected<GraphTree> ReadTree(std::FILE* from);

}  // namespace tandem
