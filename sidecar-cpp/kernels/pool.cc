#include "kernels/pool.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>

#include "kernels/taps.h"

namespace tandem {
namespace {

struct Range {
  std::size_t begin = 0;
  std::size_t end = 0;
};

// Outputs whose element at kernel index `k` lies within the input.
Range OutputsWith(const Axis& axis, std::size_t k) {
  const std::size_t begin = k >= axis.before ? 0 : (axis.before - k + axis.stride - 1) / axis.stride;
  const std::size_t past = axis.in + std::size_t{axis.before};  // first padded index behind the input
  const std::size_t end = past <= k ? 0 : (past - k + axis.stride - 1) / axis.stride;
  return {begin, std::min<std::size_t>(end, axis.out)};
}

}  // namespace

PoolTargets::PoolTargets(const Window& window) {
  const Taps rows(window.rows);
  const Taps columns(window.columns);
  const auto overlaps = [](const Axis& axis) { return axis.kernel > axis.stride; };
  if (overlaps(window.rows) || overlaps(window.columns)) return;
  of_.reserve(window.in_channels * window.in_plane());
  for (std::uint32_t channel = 0; channel < window.in_channels; ++channel) {
    for (std::uint32_t row = 0; row < window.rows.in; ++row) {
      for (std::uint32_t column = 0; column < window.columns.in; ++column) {
        const bool taken = rows.of(row).count > 0 && columns.of(column).count > 0;
        const std::uint32_t out = (channel * window.rows.out + rows.of(row).out) * window.columns.out;
        of_.push_back(taken ? out + columns.of(column).out : kNone);
      }
    }
  }
}

void PoolSpikes(const PoolTargets& targets, std::span<const std::uint32_t> active, std::span<float> y) {
  std::ranges::fill(y, 0.0f);
  const std::uint32_t* const of = targets.data();
  for (const std::uint32_t source : active) {
    if (of[source] != PoolTargets::kNone) y[of[source]] = y[of[source]] + 1.0f;
  }
}

void PoolValues(const PoolTargets& targets, std::span<const std::uint32_t> active, const float* x, std::span<float> y) {
  std::ranges::fill(y, 0.0f);
  const std::uint32_t* const of = targets.data();
  for (const std::uint32_t source : active) {
    if (of[source] != PoolTargets::kNone) y[of[source]] = y[of[source]] + x[source];
  }
}

void SumPool(const Window& window, std::size_t first_channel, std::size_t channels, const float* x, float* y) {
  const Axis& rows = window.rows;
  const Axis& columns = window.columns;
  std::fill_n(y + first_channel * window.out_plane(), channels * window.out_plane(), 0.0f);
  for (std::size_t channel = first_channel; channel < first_channel + channels; ++channel) {
    const float* const from = x + channel * window.in_plane();
    float* const to = y + channel * window.out_plane();
    for (std::size_t kr = 0; kr < rows.kernel; ++kr) {
      const Range some_rows = OutputsWith(rows, kr);
      for (std::size_t row = some_rows.begin; row < some_rows.end; ++row) {
        const float* const in = from + (row * rows.stride + kr - rows.before) * columns.in;
        float* const out = to + row * columns.out;
        for (std::size_t kc = 0; kc < columns.kernel; ++kc) {
          const Range some = OutputsWith(columns, kc);
          for (std::size_t column = some.begin; column < some.end; ++column) {
            out[column] = out[column] + in[column * columns.stride + kc - columns.before];
          }
        }
      }
    }
  }
}

}  // namespace tandem
