// Builds an input as callers send it.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "tandem/engine/v1/engine.pb.h"

namespace tandem::testing {

// All its numbers are `value`.
inline engine::v1::InferItem MakeItem(std::uint64_t id, const std::string& model,
                                      const std::vector<std::uint32_t>& shape, float value = 1.0f) {
  engine::v1::InferItem item;
  item.set_id(id);
  item.set_model(model);
  std::size_t elements = 1;
  for (const std::uint32_t dim : shape) {
    item.add_shape(dim);
    elements *= dim;
  }
  const std::vector<float> values(elements, value);
  item.set_data(values.data(), elements * sizeof(float));
  return item;
}

}  // namespace tandem::testing
