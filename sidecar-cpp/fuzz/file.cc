// The bytes of a NIR file, through tandem-loader as the engine loads them. The HDF5 library may crash, loop or exhaust
// memory on a damaged file: that must end the loader alone, in its time, and come back as an error.
#include <string_view>
#include <utility>

#include "fuzz/compile.h"
#include "fuzz/fuzz_target.h"
#include "loader/load.h"
#include "testing/memory_file.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using tandem::fuzz::Require;
  const tandem::Descriptor file =
      tandem::testing::MemoryFile(std::string_view(reinterpret_cast<const char*>(data), size));
  // Little processor time: a loop is common, and costs all of it.
  tandem::LoadLimits limits;
  limits.cpu_seconds = 1;
  auto loaded = tandem::Load(file.get(), limits, {});
  if (loaded.ok()) {
    tandem::fuzz::CompileAndRun(std::move(loaded.value().graph));
  } else {
    Require(!loaded.error().message.empty(), "an error says what is wrong");
  }
  return 0;
}
