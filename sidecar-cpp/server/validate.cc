#include "server/validate.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <span>

#include "base/little_endian.h"
#include "engine/session_state.h"
#include "kernels/elementwise.h"

namespace tandem {
namespace {

using Shape = std::span<const std::uint32_t>;

std::string Text(Shape shape) {
  constexpr std::size_t kMaxShown = 8;
  std::string text = "[";
  for (std::size_t k = 0; k < std::min(shape.size(), kMaxShown); ++k) {
    text += (k == 0 ? "" : ", ") + std::to_string(shape[k]);
  }
  return text + (shape.size() > kMaxShown ? ", ...]" : "]");
}

Error BadShape(const char* reason, const std::string& message) {
  return {Code::kInvalidArgument, reason, message, {{"field", "shape"}}};
}

// Returns true if `shape` is one step of the model's input: flat, or as in the manifest.
bool IsOneStep(Shape shape, const Model& model) {
  const auto& given = model.manifest.input_shape;
  const bool flat = shape.size() == 1 && shape[0] == model.network->input_size();
  return flat || (!given.empty() && std::ranges::equal(shape, given));
}

bool IsSeries(Shape shape, const Model& model) { return shape.size() >= 2 && IsOneStep(shape.subspan(1), model); }

// The number of steps of the shape, or its error.
Expected<std::uint32_t> StepsOf(Shape shape, const Model& model) {
  const Network& network = *model.network;
  const std::string n = std::to_string(network.input_size());
  if (network.input_kind == InputKind::kConstant) {
    if (IsOneStep(shape, model)) return network.steps;
    if (IsSeries(shape, model)) {
      return BadShape("INPUT_KIND", "shape " + Text(shape) + " is a time series, but model \"" + model.name +
                                        "\" takes a constant input; send the shape [" + n + "]");
    }
    return BadShape("INPUT_LENGTH",
                    "shape " + Text(shape) + " does not fit model \"" + model.name + "\"; send [" + n + "]");
  }
  if (IsSeries(shape, model)) {
    if (shape[0] >= 1 && shape[0] <= kMaxSteps) return shape[0];
    return BadShape("INPUT_STEPS", "a time series must have 1 to " + std::to_string(kMaxSteps) + " steps, found " +
                                       std::to_string(shape[0]));
  }
  if (IsOneStep(shape, model)) {
    return BadShape("INPUT_KIND", "shape " + Text(shape) + " is a constant input, but model \"" + model.name +
                                      "\" takes a time series; send the shape [steps, " + n + "]");
  }
  return BadShape("INPUT_LENGTH",
                  "shape " + Text(shape) + " does not fit model \"" + model.name + "\"; send [steps, " + n + "]");
}

MaybeError CheckData(const std::string& data, std::uint64_t elements) {
  if (data.size() != elements * sizeof(float)) {
    return Error{Code::kInvalidArgument,
                 "INPUT_LENGTH",
                 "data has " + std::to_string(data.size()) + " bytes, but the shape needs " +
                     std::to_string(elements * sizeof(float)) + " (4 for each element)",
                 {{"field", "data"}}};
  }
  // In C++ the bytes of a std::string are not aligned as floats. The kernel loads them unaligned.
  if (AllFinite(elements, reinterpret_cast<const float*>(data.data()))) return std::nullopt;
  std::uint64_t index = 0;
  for (; index + 1 < elements; ++index) {
    float value = 0;
    std::memcpy(&value, data.data() + index * sizeof(float), sizeof(float));
    if (!std::isfinite(value)) break;
  }
  return Error{Code::kInvalidArgument,
               "INPUT_NOT_FINITE",
               "data is NaN or infinite at index " + std::to_string(index) + "; send finite numbers",
               {{"field", "data"}, {"index", std::to_string(index)}}};
}

// The detail of the run: none if only digests are requested.
Expected<Detail> DetailOf(const engine::v1::InferItem& item, const Network& network, std::uint32_t steps) {
  Detail detail = Detail::kSummary;
  switch (item.detail()) {
    case engine::v1::DETAIL_UNSPECIFIED:
      return detail;
    case engine::v1::DETAIL_LAYERS:
      detail = Detail::kLayers;
      break;
    case engine::v1::DETAIL_RASTER:
      detail = Detail::kRaster;
      break;
    case engine::v1::DETAIL_READOUT:
      detail = Detail::kReadout;
      break;
    default:
      return Error{Code::kInvalidArgument,
                   "INVALID_FIELD",
                   "detail " + std::to_string(item.detail()) + " is not known; send 0, 1, 2 or 3",
                   {{"field", "detail"}}};
  }
  const bool of_readout = detail == Detail::kReadout;
  const std::size_t rows = of_readout ? network.output_size() : SpikingNodes(network).size();
  if (steps * rows <= kMaxLayerCounts) return item.digest_only() ? Detail::kSummary : detail;
  return Error{Code::kResourceExhausted,
               "DETAIL_TOO_LARGE",
               std::to_string(steps) + " steps of " + std::to_string(rows) + (of_readout ? " outputs" : " layers") +
                   " are more than " + std::to_string(kMaxLayerCounts) + " numbers; send a series of " +
                   std::to_string(kMaxLayerCounts / rows) + " steps at most, or request no detail",
               {{"max_counts", std::to_string(kMaxLayerCounts)}}};
}

MaybeError CheckState(const engine::v1::InferItem& item, const Model& model, std::uint32_t steps) {
  const Network& network = *model.network;
  if (const std::size_t bytes = SessionStateBytes(network); item.return_state() && bytes > kMaxSessionStateBytes) {
    return Error{Code::kResourceExhausted,
                 "STATE_TOO_LARGE",
                 "a state of model \"" + model.name + "\" has " + std::to_string(bytes) +
                     " bytes, above the limit of " + std::to_string(kMaxSessionStateBytes) +
                     "; send the whole series at once",
                 {{"field", "return_state"}}};
  }
  if (item.state().empty()) return std::nullopt;
  return CheckSessionState(network, model.model_id, item.state(), steps);
}

}  // namespace

Expected<Job::Request> ValidateItem(engine::v1::InferItem& item, const Repository& repository, TimePoint received) {
  auto model = repository.Find(item.model(), item.model_version());
  if (!model.ok()) return model.error();
  const Shape shape(item.shape().data(), static_cast<std::size_t>(item.shape_size()));
  const auto steps = StepsOf(shape, *model.value());
  if (!steps.ok()) return steps.error();
  const bool series = model.value()->network->input_kind == InputKind::kSeries;
  const std::uint64_t rows = series ? steps.value() : 1;
  if (auto error = CheckData(item.data(), rows * model.value()->network->input_size())) return *std::move(error);
  const auto detail = DetailOf(item, *model.value()->network, steps.value());
  if (!detail.ok()) return detail.error();
  if (auto error = CheckState(item, *model.value(), steps.value())) return *std::move(error);

  Job::Request request;
  request.id = item.id();
  request.model = std::move(model).value();
  request.data = std::move(*item.mutable_data());
  request.steps = steps.value();
  request.state = std::move(*item.mutable_state());
  request.return_state = item.return_state();
  request.digest_only = item.digest_only();
  request.detail = detail.value();
  request.received = received;
  request.deadline = DeadlineAfter(received, item.timeout_us());
  return request;
}

}  // namespace tandem
