// The bytes of an HDF5 file, read in this process as the loader reads them, then compiled.
#include <span>
#include <utility>

#include "fuzz/compile.h"
#include "fuzz/fuzz_target.h"
#include "nir/reader.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  auto tree = tandem::ReadNir(std::span(reinterpret_cast<const char*>(data), size));
  if (tree.ok()) tandem::fuzz::CompileAndRun(std::move(tree).value());
  return 0;
}
