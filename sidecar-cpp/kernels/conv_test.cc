// Convolutions, pools and delays against their definition, on every instruction set.
#include "kernels/conv.h"

#include <algorithm>
#include <vector>

#include "kernels/delay.h"
#include "kernels/pool.h"
#include "kernels/targets_test_support.h"

namespace tandem {
namespace {

class Windows : public EveryTarget {};
TANDEM_ON_EVERY_TARGET(Windows);

class Picker {
 public:
  explicit Picker(std::uint64_t seed) : random_(seed) {}
  std::uint32_t operator()(std::uint32_t low, std::uint32_t high) {
    return std::uniform_int_distribution<std::uint32_t>(low, high)(random_);
  }
  Axis MakeAxis(std::uint32_t max_dilation) {
    for (;;) {
      Axis axis{(*this)(1, 9), 0, (*this)(1, 4), (*this)(1, 3), (*this)(1, max_dilation), (*this)(0, 3)};
      const std::uint32_t reach = axis.dilation * (axis.kernel - 1) + 1;
      if (axis.in + 2 * axis.before < reach) continue;
      axis.out = (axis.in + 2 * axis.before - reach) / axis.stride + 1;
      return axis;
    }
  }

 private:
  std::mt19937_64 random_;
};

// Calls `what(source, tap)` for each tap of one output position that lies within the input, in ascending order.
template <typename What>
void ForEachSource(const Window& w, std::size_t channel, std::size_t cell, What what) {
  for (std::uint32_t kr = 0; kr < w.rows.kernel; ++kr) {
    for (std::uint32_t kc = 0; kc < w.columns.kernel; ++kc) {
      const std::uint32_t row = static_cast<std::uint32_t>(cell / w.columns.out) * w.rows.stride + kr * w.rows.dilation;
      const std::uint32_t column =
          static_cast<std::uint32_t>(cell % w.columns.out) * w.columns.stride + kc * w.columns.dilation;
      if (row < w.rows.before || row - w.rows.before >= w.rows.in) continue;
      if (column < w.columns.before || column - w.columns.before >= w.columns.in) continue;
      what((channel * w.rows.in + row - w.rows.before) * w.columns.in + column - w.columns.before,
           kr * w.columns.kernel + kc);
    }
  }
}

FloatRow ConvByDefinition(const Window& w, const std::vector<float>& weight, const FloatRow& bias, const FloatRow& x) {
  FloatRow y(PaddedSize(w.out_channels * w.out_plane()), 0.0f);
  for (std::size_t o = 0; o < w.out_channels * w.out_plane(); ++o) {
    const std::size_t channel = o / w.out_plane();
    float sum = bias[channel];
    for (std::size_t c = 0; c < w.group_in(); ++c) {
      ForEachSource(w, channel / w.group_out() * w.group_in() + c, o % w.out_plane(),
                    [&](std::size_t source, std::size_t tap) {
                      if (x[source] == 0.0f) return;
                      const float product = weight[(channel * w.group_in() + c) * w.kernel() + tap] * x[source];
                      sum = sum + product;
                    });
    }
    y[o] = sum;
  }
  return y;
}

TEST_P(Windows, AConvolutionEqualsItsDefinition) {
  for (std::uint64_t seed = 0; seed < 300; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    Picker pick(seed);
    HostileFloats random(seed);
    const std::uint32_t groups = pick(1, 3);
    Window w{groups * pick(1, 3), groups * std::vector{1u, 3u, 4u, 6u, 16u, 18u, 33u}[pick(0, 6)], groups, {}, {}};
    w.rows = pick.MakeAxis(3);
    w.columns = pick.MakeAxis(3);
    std::vector<float> weight(w.out_channels * w.group_in() * w.kernel());
    for (float& value : weight) value = random.Next() * 1e-3f;
    const FloatRow bias = random.Row(w.out_channels);
    FloatRow x = random.Row(w.in_channels * w.in_plane());
    const bool spikes = pick(0, 1) == 0;
    std::vector<std::uint32_t> active;
    for (std::uint32_t k = 0; k < w.in_channels * w.in_plane(); ++k) {
      if (pick(0, 2) == 0) x[k] = 0.0f;
      if (spikes && x[k] != 0.0f) x[k] = 1.0f;
      if (x[k] != 0.0f) active.push_back(k);
    }
    const ConvWeights weights(w, weight);
    FloatRow sums(weights.sum_floats());
    FloatRow y(PaddedSize(w.out_channels * w.out_plane()), 0.0f);
    StartConv(weights, bias.data(), sums.data(), y.data());
    if (spikes) {
      AddConvSpikes(weights, active, sums.data(), y.data());
    } else {
      AddConvValues(weights, active, x.data(), sums.data(), y.data());
    }
    FinishConv(weights, sums.data(), y.data());
    ASSERT_TRUE(SameBits(y, ConvByDefinition(w, weight, bias, x)));
  }
}

TEST_P(Windows, APoolEqualsItsDefinitionWithAndWithoutItsZeros) {
  for (std::uint64_t seed = 0; seed < 300; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    Picker pick(seed);
    HostileFloats random(seed);
    const std::uint32_t channels = pick(1, 4);
    Window w{channels, channels, channels, pick.MakeAxis(1), pick.MakeAxis(1)};
    const FloatRow x = random.Row(channels * w.in_plane());
    FloatRow want(PaddedSize(channels * w.out_plane()), 0.0f);
    for (std::size_t o = 0; o < channels * w.out_plane(); ++o) {
      ForEachSource(w, o / w.out_plane(), o % w.out_plane(),
                    [&](std::size_t source, std::size_t) { want[o] = want[o] + x[source]; });
    }
    FloatRow y(want.size(), 0.0f);
    SumPool(w, 0, channels, x.data(), y.data());
    ASSERT_TRUE(SameBits(y, want));
    const PoolTargets targets(w);
    if (targets.empty()) continue;
    std::vector<std::uint32_t> active;
    for (std::uint32_t k = 0; k < channels * w.in_plane(); ++k) {
      if (x[k] != 0.0f) active.push_back(k);
    }
    PoolValues(targets, active, x.data(), {y.data(), channels * w.out_plane()});
    ASSERT_TRUE(SameBits(y, want));
    FloatRow spikes = x;
    for (const std::uint32_t source : active) spikes[source] = 1.0f;
    SumPool(w, 0, channels, spikes.data(), want.data());
    PoolSpikes(targets, active, {y.data(), channels * w.out_plane()});
    ASSERT_TRUE(SameBits(y, want));
  }
}

TEST(Delay, GivesTheInputOfEarlierSteps) {
  const std::vector<std::uint32_t> delays = {0, 1, 3};
  FloatRow ring(3 * kRowMultiple, 0.0f);
  std::vector<std::vector<float>> seen;
  for (std::uint32_t step = 0; step < 6; ++step) {
    const std::vector<float> x(3, static_cast<float>(step + 1));
    std::vector<float> y(3);
    StepDelay(delays, step, 3, kRowMultiple, x.data(), ring.data(), y.data());
    seen.push_back(y);
  }
  EXPECT_EQ(seen, (std::vector<std::vector<float>>{{1, 0, 0}, {2, 1, 0}, {3, 2, 0}, {4, 3, 1}, {5, 4, 2}, {6, 5, 3}}));
}

}  // namespace
}  // namespace tandem
