// The loader's codec, from and to memory.
#pragma once

#include <cstdio>
#include <cstdlib>
#include <string>

#include "fuzz/fuzz_target.h"
#include "nir/tree_codec.h"

namespace tandem::fuzz {

inline Expected<GraphTree> TreeOf(std::string bytes) {
  // fmemopen refuses an empty buffer.
  std::FILE* file = bytes.empty() ? std::fopen("/dev/null", "rb") : fmemopen(bytes.data(), bytes.size(), "rb");
  Require(file != nullptr, "memory can be opened as a file");
  auto tree = ReadTree(file);
  std::fclose(file);
  return tree;
}

inline std::string BytesOf(const Expected<GraphTree>& tree) {
  char* memory = nullptr;
  std::size_t size = 0;
  std::FILE* file = open_memstream(&memory, &size);
  Require(file != nullptr && WriteTree(tree, file), "a tree can be written");
  std::fclose(file);
  std::string bytes(memory, size);
  std::free(memory);  // NOLINT(cppcoreguidelines-no-malloc)
  return bytes;
}

}  // namespace tandem::fuzz
