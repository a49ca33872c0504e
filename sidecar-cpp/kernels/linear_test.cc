#include "kernels/linear.h"

#include <vector>

#include "kernels/dense.h"
#include "kernels/elementwise.h"
#include "kernels/targets_test_support.h"

namespace tandem {
namespace {

constexpr std::size_t kWidths[] = {1, 2, 7, 15, 16, 17, 31, 45, 63, 64, 65, 100, 128, 130, 257};

class Linear : public EveryTarget {};
TANDEM_ON_EVERY_TARGET(Linear);

struct Case {
  Case(std::size_t outs, std::size_t ins, std::uint64_t seed) : out(outs), in(ins), random(seed) {
    for (std::size_t k = 0; k < out * in; ++k) row_major.push_back(random.Next() * 1e-3f);
    start = random.Row(out);
  }
  // Sums by definition: sources ascending, zeros skipped, products rounded.
  [[nodiscard]] FloatRow Law(const float* x) const {
    FloatRow y = start;
    for (std::size_t o = 0; o < out; ++o) {
      for (std::size_t j = 0; j < in; ++j) {
        if (x[j] == 0.0f) continue;
        const float product = row_major[o * in + j] * x[j];
        y[o] = y[o] + product;
      }
    }
    return y;
  }
  std::size_t out;
  std::size_t in;
  HostileFloats random;
  std::vector<float> row_major;
  FloatRow start;
};

template <typename Add>
FloatRow OverPanels(const Case& given, Add add) {
  const Weights weights(given.row_major, given.out, given.in);
  FloatRow y = given.start;
  for (std::size_t p = 0; p < weights.panel_count(); ++p) add(weights.panel(p), y.data());
  return y;
}

TEST_P(Linear, SpikesAddTheirWeightsInOrder) {
  for (const std::size_t out : kWidths) {
    SCOPED_TRACE("outputs " + std::to_string(out));
    Case given(out, 33, out);
    FloatRow x(PaddedSize(33), 0.0f);
    std::vector<std::uint32_t> active;
    for (std::uint32_t j = 0; j < 33; j += 1 + j % 3) {
      x[j] = 1.0f;
      active.push_back(j);
    }
    // The list in two parts, and a second row with an empty one.
    FloatRow other(given.start.size(), 7.0f);
    const FloatRow y = OverPanels(given, [&](const Panel& panel, float* first) {
      const SpikeRow rows[] = {{active, first}, {{}, other.data()}};
      AddSpikes(panel, given.start.data(), 0, 5, rows);
      AddSpikes(panel, given.start.data(), 5, 100, rows);
    });
    EXPECT_TRUE(SameBits(y, given.Law(x.data())));
    EXPECT_TRUE(SameBits(other, given.start));
  }
}

TEST_P(Linear, ValuesAreRoundedBeforeTheyAreAdded) {
  for (const std::size_t out : kWidths) {
    SCOPED_TRACE("outputs " + std::to_string(out));
    Case given(out, 40, out + 1000);
    const FloatRow x = given.random.Row(40);
    std::vector<std::uint32_t> index(40 + kRowMultiple);
    const ActiveSources active = CollectActive(PaddedSize(40), x.data(), index.data());
    const std::span<const std::uint32_t> list(index.data(), active.count);
    EXPECT_TRUE(SameBits(OverPanels(given, [&](const Panel& panel, float* y) { AddValues(panel, list, x.data(), y); }),
                         given.Law(x.data())));
  }
}

TEST_P(Linear, DenseRowsEqualOneByOne) {
  for (const std::size_t out : kWidths) {
    // Every height of a tile, and sums that are stored between two parts of the sources.
    for (const std::size_t count : {1u, 2u, 3u, 4u, 6u, 7u, 8u, 13u}) {
      SCOPED_TRACE("outputs " + std::to_string(out) + " rows " + std::to_string(count));
      constexpr std::size_t kIn = 137;
      Case given(out, kIn, out + 2000);
      for (float& start : given.start) start = start == 0.0f ? 0.0f : start;  // no sum starts at -0
      std::vector<FloatRow> x;
      std::vector<FloatRow> y(count, given.start);
      std::vector<DenseRow> rows;
      for (std::size_t r = 0; r < count; ++r) x.push_back(given.random.Row(kIn));
      for (std::size_t r = 0; r < count; ++r) rows.push_back({x[r].data(), y[r].data()});
      const Weights weights(given.row_major, given.out, given.in);
      for (std::size_t p = 0; p < weights.panel_count(); ++p) {
        AddDense(weights.panel(p), 0, 20, rows);
        AddDense(weights.panel(p), 20, kIn, rows);
      }
      for (std::size_t r = 0; r < count; ++r) EXPECT_TRUE(SameBits(y[r], given.Law(x[r].data()))) << "row " << r;
    }
  }
}

TEST_P(Linear, WithoutActiveSourcesMinusZeroStays) {
  Case given(20, 5, 1);
  given.start.assign(32, -0.0f);
  std::fill(given.start.begin() + 20, given.start.end(), 0.0f);
  FloatRow y(given.start.size(), 7.0f);
  const SpikeRow rows[] = {{{}, y.data()}};
  OverPanels(given, [&](const Panel& panel, float*) { AddSpikes(panel, given.start.data(), 0, 5, rows); });
  EXPECT_TRUE(SameBits(y, given.start));
}

TEST(Weights, ANarrowMatrixIsNotPaddedOut) {
  const std::vector<float> values(1000, 1.0f);
  const Weights weights(values, 1, 1000);
  EXPECT_EQ(weights.panel(0).stride, 1u);
}

}  // namespace
}  // namespace tandem
