// A sound HDF5 file whose contents are not those of a sound model, read in this process as the loader reads it: what
// the reader accepts, the engine accepts from the loader, and compiles.
#include <string>
#include <utility>

#include "fuzz/compile.h"
#include "fuzz/file_program.h"
#include "fuzz/fuzz_target.h"
#include "loader/reader.h"
#include "nir/flatten.h"
#include "nir/graph_invariants.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string bytes = tandem::fuzz::FileOf({reinterpret_cast<const char*>(data), size});
  auto tree = tandem::ReadNir(bytes);
  if (!tree.ok()) return 0;
  auto graph = tandem::Flatten(std::move(tree).value());
  if (!graph.ok()) return 0;
  const auto wrong = tandem::CheckInvariants(graph.value());
  tandem::fuzz::Require(!wrong, "the engine accepts what the loader makes");
  tandem::fuzz::CompileAndRun(std::move(graph).value());
  return 0;
}
