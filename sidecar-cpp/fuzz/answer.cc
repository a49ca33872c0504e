// The bytes that the loader sends to the engine. The engine can compile every graph that it accepts, and write it again
// unchanged.
#include <string>
#include <utility>

#include "fuzz/answer_bytes.h"
#include "fuzz/compile.h"
#include "fuzz/fuzz_target.h"
#include "fuzz/models.h"
#include "nir/flatten.h"

extern "C" int LLVMFuzzerInitialize(int*, char***) {
  const auto answer = tandem::fuzz::AnswerOf(tandem::fuzz::BytesOf({tandem::Flatten(tandem::fuzz::SmallGraph()), 0}));
  tandem::fuzz::Require(answer.ok() && answer.value().graph.ok(), "a sound graph is read");
  return 0;
}

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using tandem::fuzz::Require;
  auto answer = tandem::fuzz::AnswerOf({reinterpret_cast<const char*>(data), size});
  if (!answer.ok()) return 0;
  const std::string written = tandem::fuzz::BytesOf(answer.value());
  const auto again = tandem::fuzz::AnswerOf(written);
  Require(again.ok(), "what was read can be read again");
  Require(tandem::fuzz::BytesOf(again.value()) == written, "what was read again is the same");
  if (answer.value().graph.ok()) tandem::fuzz::CompileAndRun(std::move(answer.value().graph).value());
  return 0;
}
