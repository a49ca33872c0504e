#include "fuzz/message_target.h"

#include <cstdint>
#include <string>

#include "fuzz/fuzz_target.h"
#include "fuzz/messages.h"
#include "fuzz/models.h"
#include "testing/infer_item.h"

namespace tandem::fuzz {
namespace {

std::string SoundInput() {
  engine::v1::InferStreamRequest request;
  *request.add_items() = testing::MakeItem(1, "net", {kInputs});
  // Without a checksum, as in a stream without checksums.
  return InputOf({{kRun, request.SerializeAsString()}});
}

}  // namespace
}  // namespace tandem::fuzz

extern "C" int LLVMFuzzerInitialize(int*, char***) {
  tandem::fuzz::Require(tandem::fuzz::Run(tandem::fuzz::SoundInput()) == 1, "a sound input has a result");
  return 0;
}

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  tandem::fuzz::Run({reinterpret_cast<const char*>(data), size});
  return 0;
}
