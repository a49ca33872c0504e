#include "kernels/recording.h"

#include <bit>
#include <vector>

#include "kernels/targets_test_support.h"

namespace tandem {
namespace {

class RecordingKernels : public EveryTarget {};
TANDEM_ON_EVERY_TARGET(RecordingKernels);

// As proto/NUMERICS.md says it.
std::uint32_t ByTheBook(std::size_t n, std::initializer_list<const float*> rows) {
  std::uint32_t h[8] = {};
  for (const float* row : rows) {
    for (std::size_t k = 0; k < n; ++k) {
      const auto w = std::bit_cast<std::uint32_t>(row[k]);
      h[k % 8] = h[k % 8] * 0xC2B2AE3Du + (w ^ (w >> 16));
    }
  }
  std::uint32_t c = 0;
  for (const std::uint32_t lane : h) c = c * 0x85EBCA77u + lane;
  return c;
}

TEST_P(RecordingKernels, SpikesArePackedAndNothingBehindThemIsTouched) {
  std::mt19937_64 random(1);
  for (std::size_t n = 1; n < 150; ++n) {
    FloatRow spikes(PaddedSize(n), 1.0f);  // the padding, too: it must not show
    std::vector<std::uint8_t> want(SpikeBytes(n), 0);
    for (std::size_t k = 0; k < n; ++k) {
      spikes[k] = static_cast<float>(random() % 2);
      if (spikes[k] != 0.0f) want[k / 8] = static_cast<std::uint8_t>(want[k / 8] | 1u << k % 8);
    }
    std::vector<std::uint8_t> bits(want.size() + 8, 0xAA);
    want.resize(bits.size(), 0xAA);
    PackSpikes(n, spikes.data(), bits.data());
    ASSERT_EQ(bits, want) << n;
  }
}

TEST_P(RecordingKernels, ChecksumsAreThoseOfThePlainLoop) {
  HostileFloats random(2);
  for (std::size_t n = 1; n < 300; ++n) {
    FloatRow a = random.Row(n);
    FloatRow b = random.Row(n);
    for (std::size_t k = n; k < a.size(); ++k) a[k] = b[k] = 7.0f;  // must not show
    ASSERT_EQ(StateChecksum(n, a.data(), nullptr), ByTheBook(n, {a.data()})) << n;
    ASSERT_EQ(StateChecksum(n, a.data(), b.data()), ByTheBook(n, {a.data(), b.data()})) << n;
  }
}

TEST_P(RecordingKernels, AnyChangedBitOrPairOfChangedSignsShows) {
  constexpr std::size_t kN = 70;
  FloatRow row = HostileFloats(3).Row(kN);
  const std::uint32_t before = StateChecksum(kN, row.data(), nullptr);
  const auto flip = [&row](std::size_t k, unsigned bit) {
    row[k] = std::bit_cast<float>(std::bit_cast<std::uint32_t>(row[k]) ^ (std::uint32_t{1} << bit));
  };
  for (std::size_t k = 0; k < kN; ++k) {
    for (unsigned bit = 0; bit < 32; ++bit) {
      flip(k, bit);
      EXPECT_NE(StateChecksum(kN, row.data(), nullptr), before);
      flip(k, bit);
    }
    for (std::size_t other = 0; other < k; ++other) {
      flip(k, 31);
      flip(other, 31);
      EXPECT_NE(StateChecksum(kN, row.data(), nullptr), before) << k << " and " << other;
      flip(k, 31);
      flip(other, 31);
    }
  }
}

}  // namespace
}  // namespace tandem
