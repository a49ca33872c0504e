// An input of the targets `request` and `stream` that has a result.
#pragma once

#include <string>
#include <vector>

#include "fuzz/messages.h"
#include "fuzz/models.h"
#include "tandem/engine/v1/engine.pb.h"

namespace tandem::fuzz {

inline std::string SoundInput() {
  engine::v1::InferStreamRequest request;
  auto& item = *request.add_items();
  item.set_id(1);
  item.set_model("net");
  item.add_shape(kInputs);
  const std::vector<float> values(kInputs, 1.0f);
  item.set_data(values.data(), values.size() * sizeof(float));
  // Without a checksum: a stream then has none.
  return InputOf({{kRun, request.SerializeAsString()}});
}

}  // namespace tandem::fuzz
