// A valid HDF5 file with an invalid model, read in this process as the loader reads it. The engine must accept from the
// loader, and compile, every graph that the reader accepts.
#include <hdf5.h>

#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "fuzz/compile.h"
#include "fuzz/file_program.h"
#include "fuzz/fuzz_target.h"
#include "loader/reader.h"
#include "nir/flatten.h"
#include "nir/graph_invariants.h"

namespace tandem::fuzz {
namespace {

MaybeError Run(std::string_view program) {
  const std::string bytes = FileOf(program);
  auto tree = ReadNir(bytes);
  if (!tree.ok()) return tree.error();
  auto graph = Flatten(std::move(tree).value());
  if (!graph.ok()) return graph.error();
  const auto wrong = CheckInvariants(graph.value());
  Require(!wrong, "the engine accepts what the loader makes");
  CompileAndRun(std::move(graph).value());
  return std::nullopt;
}

}  // namespace
}  // namespace tandem::fuzz

extern "C" int LLVMFuzzerInitialize(int*, char***) {
  // The library needs a megabyte for each file. It keeps that memory for the next file.
  H5set_free_list_limits(-1, -1, -1, -1, -1, -1);
  const auto error = tandem::fuzz::Run({});
  tandem::fuzz::Require(!error, error ? error->message.c_str() : "");
  return 0;
}

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  tandem::fuzz::Run({reinterpret_cast<const char*>(data), size});
  return 0;
}
