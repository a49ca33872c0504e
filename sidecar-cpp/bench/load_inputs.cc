#include "bench/load_inputs.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <fstream>
#include <iterator>
#include <random>

#include "tandem/engine/v1/engine.pb.h"
#include "tandem/v1/reasoning.pb.h"

namespace tandem::bench {
namespace {

constexpr std::size_t kMaxInputs = 1024;
constexpr std::size_t kRandomInputs = 64;

using Vectors = std::vector<std::vector<float>>;

float FromHalf(std::uint16_t half) {
  const int exponent = (half >> 10) & 0x1F;
  const auto fraction = static_cast<float>(half & 0x3FF);
  const float magnitude = exponent == 0 ? std::ldexp(fraction, -24) : std::ldexp(fraction + 1024.0f, exponent - 25);
  return (half & 0x8000) != 0 ? -magnitude : magnitude;
}

// Random vectors of unit length, as embeddings are.
Vectors Random(const LoadOptions& options) {
  std::mt19937_64 random(options.seed);
  std::normal_distribution<float> normal;
  Vectors vectors(kRandomInputs, std::vector<float>(options.size));
  for (auto& vector : vectors) {
    double square = 0;
    for (float& value : vector) {
      value = normal(random);
      square += static_cast<double>(value) * static_cast<double>(value);
    }
    for (float& value : vector) value /= static_cast<float>(std::sqrt(square));
  }
  return vectors;
}

Expected<Vectors> FromFile(const LoadOptions& options) {
  std::ifstream file(options.inputs, std::ios::binary);
  const std::size_t element = options.inputs.ends_with(".f16") ? 2 : 4;
  std::string bytes(kMaxInputs * options.size * element, '\0');
  file.read(bytes.data(), static_cast<std::streamsize>(bytes.size()));
  const std::size_t count = static_cast<std::size_t>(file.gcount()) / (options.size * element);
  if (count == 0) {
    return Error{Code::kInvalidArgument,
                 "INPUTS",
                 "\"" + options.inputs + "\" holds no whole vector of --size " + std::to_string(options.size),
                 {}};
  }
  Vectors vectors(count, std::vector<float>(options.size));
  for (std::size_t k = 0; k < count * options.size; ++k) {
    float& value = vectors[k / options.size][k % options.size];
    if (element == 2) {
      std::uint16_t half = 0;
      std::memcpy(&half, bytes.data() + 2 * k, sizeof(half));
      value = FromHalf(half);
    } else {
      std::memcpy(&value, bytes.data() + 4 * k, sizeof(value));
    }
  }
  return vectors;
}

std::string Serialise(const LoadOptions& options, const std::vector<float>& input) {
  const auto size = static_cast<std::uint32_t>(input.size());
  const std::size_t bytes = input.size() * sizeof(float);
  if (options.call == "infer") {
    engine::v1::InferRequest request;
    request.mutable_item()->set_model(options.model);
    request.mutable_item()->add_shape(size);
    request.mutable_item()->set_data(input.data(), bytes);
    return request.SerializeAsString();
  }
  tandem::v1::ReasonRequest request;
  request.set_model(options.model);
  if (options.tensor) {
    request.mutable_tensor()->add_shape(size);
    request.mutable_tensor()->set_data(input.data(), bytes);
  } else {
    request.mutable_encoding()->Add(input.begin(), input.end());
  }
  return request.SerializeAsString();
}

}  // namespace

Expected<std::vector<std::string>> LoadRequests(const LoadOptions& options) {
  auto vectors = options.inputs.empty() ? Expected<Vectors>(Random(options)) : FromFile(options);
  if (!vectors.ok()) return vectors.error();
  std::vector<std::string> requests;
  for (const auto& vector : vectors.value()) requests.push_back(Serialise(options, vector));
  return requests;
}

}  // namespace tandem::bench
