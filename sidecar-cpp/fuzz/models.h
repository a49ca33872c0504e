// The models of a fuzz target's engine: small ones, for both kinds of input.
#pragma once

#include <memory>
#include <string>
#include <utility>

#include "engine/repository.h"
#include "testing/graphs.h"

namespace tandem::fuzz {

inline constexpr std::uint32_t kInputs = 4;

inline GraphTree SmallGraph() { return testing::LifNet(kInputs, 3, 2, 1); }

inline Repository SmallModels() {
  const auto model = [](const char* name, const Manifest& manifest) {
    auto made = std::make_shared<Model>();
    made->name = name;
    made->version = 1;
    made->model_id = 42;
    made->manifest = manifest;
    made->network = testing::Compile(SmallGraph(), manifest);
    return std::shared_ptr<const Model>(std::move(made));
  };
  Manifest series;
  series.input_kind = InputKind::kSeries;
  series.input_shape = {2, 2};
  auto broken = std::make_shared<Model>();
  broken->name = "broken";
  broken->version = 1;
  broken->error = "node \"a\": field \"tau\": must be > 0";
  return Repository({model("net", {}), model("series", series), broken});
}

}  // namespace tandem::fuzz
