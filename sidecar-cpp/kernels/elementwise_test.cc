#include "kernels/elementwise.h"

#include <cmath>
#include <vector>

#include "kernels/targets_test_support.h"

namespace tandem {
namespace {

constexpr std::size_t kN = 176;

class Elementwise : public EveryTarget {};
TANDEM_ON_EVERY_TARGET(Elementwise);

TEST_P(Elementwise, RowsAreAddedScaledAndDividedElementByElement) {
  for (std::uint64_t seed = 1; seed <= 50; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    HostileFloats random(seed);
    const FloatRow a = random.Row(kN);
    const FloatRow b = random.Row(kN);
    FloatRow sum(kN), product(kN), quotient(kN), want_sum(kN), want_product(kN), want_quotient(kN);
    bool sums_finite = true;
    bool products_finite = true;
    for (std::size_t k = 0; k < kN; ++k) {
      want_sum[k] = a[k] + b[k];
      want_product[k] = a[k] * b[k];
      want_quotient[k] = a[k] / 3.0f;
      sums_finite = sums_finite && std::isfinite(want_sum[k]);
      products_finite = products_finite && std::isfinite(want_product[k]);
    }
    EXPECT_EQ(AddRows(kN, a.data(), b.data(), sum.data()), sums_finite);
    EXPECT_EQ(ScaleRow(kN, a.data(), b.data(), product.data()), products_finite);
    DivideRow(kN, 3.0f, a.data(), quotient.data());
    EXPECT_TRUE(SameBits(sum, want_sum));
    EXPECT_TRUE(SameBits(product, want_product));
    EXPECT_TRUE(SameBits(quotient, want_quotient));
  }
}

TEST_P(Elementwise, AThresholdIsCrossedStrictly) {
  HostileFloats random(5);
  const FloatRow x = random.Row(kN);
  FloatRow threshold = random.Row(kN);
  for (std::size_t k = 0; k < kN; k += 2) threshold[k] = x[k];
  FloatRow y(kN);
  ThresholdRow(kN, threshold.data(), x.data(), y.data());
  for (std::size_t k = 0; k < kN; ++k) EXPECT_EQ(y[k], x[k] > threshold[k] ? 1.0f : 0.0f) << k;
}

TEST_P(Elementwise, TheLargerIsKeptAndOfEqualOnesTheFirst) {
  HostileFloats random(7);
  const FloatRow x = random.Row(kN);
  FloatRow y = random.Row(kN);
  for (std::size_t k = 0; k < kN; k += 4) y[k] = -0.0f;
  FloatRow want(kN);
  for (std::size_t k = 0; k < kN; ++k) want[k] = x[k] > y[k] ? x[k] : y[k];
  KeepLarger(kN, x.data(), y.data());
  EXPECT_TRUE(SameBits(y, want));
}

TEST_P(Elementwise, StepsAreCountedFromTheFirstThatIsNotZero) {
  FloatRow y(kN, 0.0f);
  for (int step = 0; step < 5; ++step) {
    FloatRow x(kN, 0.0f);
    for (std::size_t k = step; k < kN; k += 7) x[k] = 2.0f;  // 5 and 6 never
    CountSinceFirst(kN, x.data(), y.data());
  }
  for (std::size_t k = 0; k < kN; ++k) EXPECT_EQ(y[k], k % 7 < 5 ? 5.0f - static_cast<float>(k % 7) : 0.0f) << k;
}

TEST_P(Elementwise, SpikesAreCounted) {
  FloatRow spikes(kN, 0.0f);
  std::vector<std::uint32_t, AlignedAllocator<std::uint32_t>> counts(kN, 5);
  for (std::size_t k = 0; k < kN; k += 3) spikes[k] = 1.0f;
  CountSpikes(kN, spikes.data(), counts.data());
  for (std::size_t k = 0; k < kN; ++k) EXPECT_EQ(counts[k], k % 3 == 0 ? 6u : 5u) << k;
}

TEST_P(Elementwise, ActiveSourcesAreThoseNotZeroInOrder) {
  for (std::uint64_t seed = 1; seed <= 50; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    const FloatRow x = HostileFloats(seed).Row(kN);
    std::vector<std::uint32_t> want;
    for (std::uint32_t k = 0; k < kN; ++k) {
      if (x[k] != 0.0f) want.push_back(k);
    }
    std::vector<std::uint32_t> index(kN + kRowMultiple);
    const ActiveSources active = CollectActive(kN, x.data(), index.data());
    index.resize(active.count);
    EXPECT_EQ(index, want);
    EXPECT_FALSE(active.all_one);
  }
}

TEST_P(Elementwise, OnlyOnesAndZerosAreSpikes) {
  FloatRow x(kN, 0.0f);
  x[3] = x[100] = 1.0f;
  std::vector<std::uint32_t> index(kN + kRowMultiple);
  EXPECT_TRUE(CollectActive(kN, x.data(), index.data()).all_one);
  x[101] = std::nextafter(1.0f, 0.0f);
  EXPECT_FALSE(CollectActive(kN, x.data(), index.data()).all_one);
}

TEST_P(Elementwise, AnyNanOrInfinityIsFoundWhereverItStands) {
  for (const float bad : {std::numeric_limits<float>::quiet_NaN(), std::numeric_limits<float>::infinity(),
                          -std::numeric_limits<float>::infinity()}) {
    for (std::size_t n = 1; n < 70; ++n) {
      std::vector<float> x(n, std::numeric_limits<float>::max());
      EXPECT_TRUE(AllFinite(n, x.data())) << n;
      x[n / 2] = bad;
      EXPECT_FALSE(AllFinite(n, x.data())) << n;
      x[n / 2] = 0;
      x[n - 1] = bad;
      EXPECT_FALSE(AllFinite(n, x.data())) << n;
    }
  }
}

}  // namespace
}  // namespace tandem
