// The bytes of a NIR file, through tandem-loader as the engine loads them. The HDF5 library may crash, loop or exhaust
// memory on a damaged file. That must end only the loader, within its time limit, and give an error.
#include <string_view>
#include <utility>

#include "fuzz/compile.h"
#include "fuzz/fuzz_target.h"
#include "fuzz/models.h"
#include "loader/load.h"
#include "testing/memory_file.h"
#include "testing/nir_writer.h"

namespace tandem::fuzz {
namespace {

Expected<LoadResult> LoadBytes(std::string_view bytes) {
  const Descriptor file = testing::MemoryFile(bytes);
  // A short limit on processor time: loops are common, and use all of it.
  LoadLimits limits;
  limits.cpu_seconds = 1;
  return Load(file.get(), limits, {});
}

}  // namespace
}  // namespace tandem::fuzz

extern "C" int LLVMFuzzerInitialize(int*, char***) {
  const auto loaded = tandem::fuzz::LoadBytes(tandem::testing::NirBytes(tandem::fuzz::SmallGraph()));
  tandem::fuzz::Require(loaded.ok(), loaded.ok() ? "" : loaded.error().message.c_str());
  return 0;
}

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  auto loaded = tandem::fuzz::LoadBytes({reinterpret_cast<const char*>(data), size});
  if (loaded.ok()) {
    tandem::fuzz::CompileAndRun(std::move(loaded.value().graph));
  } else {
    tandem::fuzz::Require(!loaded.error().message.empty(), "an error says what is wrong");
  }
  return 0;
}
