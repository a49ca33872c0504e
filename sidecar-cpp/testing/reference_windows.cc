#include "testing/reference_windows.h"

#include <functional>

namespace tandem::testing {
namespace {

// Calls `what(source, weight index without the output channel)` for each tap of one output, sources ascending. `first`
// is its first channel.
void ForEachTap(const Window& w, std::size_t first, std::size_t channels, std::size_t row, std::size_t column,
                const std::function<void(std::size_t, std::size_t)>& what) {
  const auto position = [](const Axis& axis, std::size_t out, std::size_t k) {
    return static_cast<std::int64_t>(out * axis.stride + k * axis.dilation) - axis.before;
  };
  std::size_t index = 0;
  for (std::size_t c = 0; c < channels; ++c) {
    for (std::size_t kr = 0; kr < w.rows.kernel; ++kr) {
      for (std::size_t kc = 0; kc < w.columns.kernel; ++kc, ++index) {
        const std::int64_t r = position(w.rows, row, kr);
        const std::int64_t l = position(w.columns, column, kc);
        if (r < 0 || l < 0 || r >= w.rows.in || l >= w.columns.in) continue;
        what(((first + c) * w.rows.in + static_cast<std::size_t>(r)) * w.columns.in + static_cast<std::size_t>(l),
             index);
      }
    }
  }
}

}  // namespace

std::vector<float> ConvolveByDefinition(const Node& node, const Window& w, const std::vector<float>& x,
                                        std::uint64_t& operations) {
  const auto& weight = node.parameters.at("weight").values;
  const auto& bias = node.parameters.at("bias").values;
  const std::size_t of_output = weight.size() / w.out_channels;
  std::vector<float> y;
  for (std::size_t o = 0; o < w.out_channels * w.out_plane(); ++o) {
    const std::size_t channel = o / w.out_plane();
    const std::size_t cell = o % w.out_plane();
    const std::size_t first = channel / w.group_out() * w.group_in();
    auto sum = static_cast<float>(bias.size() == 1 ? bias[0] : bias[channel]);
    ForEachTap(w, first, w.group_in(), cell / w.columns.out, cell % w.columns.out,
               [&](std::size_t source, std::size_t index) {
                 if (x[source] == 0.0f) return;
                 ++operations;
                 const float product = static_cast<float>(weight[channel * of_output + index]) * x[source];
                 sum = sum + product;
               });
    y.push_back(sum);
  }
  return y;
}

std::vector<float> PoolByDefinition(const Node& node, const Window& w, const std::vector<float>& x) {
  std::vector<float> y;
  for (std::size_t o = 0; o < w.out_channels * w.out_plane(); ++o) {
    const std::size_t cell = o % w.out_plane();
    float sum = 0.0f;
    ForEachTap(w, o / w.out_plane(), 1, cell / w.columns.out, cell % w.columns.out,
               [&](std::size_t source, std::size_t) { sum = sum + x[source]; });
    y.push_back(node.type == NodeType::kAvgPool2d ? sum / static_cast<float>(w.kernel()) : sum);
  }
  return y;
}

}  // namespace tandem::testing
