// The bytes that the loader sends to the engine: what the engine accepts, it can write again as it was, and compile.
#include <cstdio>
#include <string>
#include <utility>

#include "fuzz/compile.h"
#include "fuzz/fuzz_target.h"
#include "fuzz/tree_bytes.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using tandem::fuzz::Require;
  auto tree = tandem::fuzz::TreeOf({reinterpret_cast<const char*>(data), size});
  const std::string written = tandem::fuzz::BytesOf(tree);
  const auto again = tandem::fuzz::TreeOf(written);
  Require(again.ok() == tree.ok(), "what was read can be read again");
  Require(tandem::fuzz::BytesOf(again) == written, "what was read again is the same");
  if (tree.ok()) tandem::fuzz::CompileAndRun(std::move(tree).value());
  return 0;
}
