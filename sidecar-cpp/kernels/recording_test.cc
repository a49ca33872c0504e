#include "kernels/recording.h"

#include <bit>
#include <vector>

#include "kernels/targets_test_support.h"

namespace tandem {
namespace {

class RecordingKernels : public EveryTarget {};
TANDEM_ON_EVERY_TARGET(RecordingKernels);

std::uint32_t BitsOf(float value) { return std::bit_cast<std::uint32_t>(value); }

// The definition of proto/NUMERICS.md.
std::uint32_t ByTheBook(std::size_t n, std::initializer_list<const float*> rows) {
  std::uint32_t h[16] = {};
  std::size_t blocks = 0;  // of the rows before
  for (const float* row : rows) {
    for (std::size_t k = 0; k < n; ++k) {
      std::uint16_t p = 0x6A09;
      std::uint16_t q = 0x3E1B;
      for (std::size_t j = 0; j < blocks + k / 16; ++j) {
        p = static_cast<std::uint16_t>(p * 9);
        q = static_cast<std::uint16_t>(q * 9);
      }
      const std::int64_t low = static_cast<std::int16_t>(BitsOf(row[k]) & 0xFFFF);
      const std::int64_t high = static_cast<std::int16_t>(BitsOf(row[k]) >> 16);
      h[k % 16] += static_cast<std::uint32_t>(low * static_cast<std::int16_t>(p) + high * static_cast<std::int16_t>(q));
    }
    blocks += (n + 15) / 16;
  }
  std::uint32_t c = 0;
  for (const std::uint32_t lane : h) c = c * 0x85EBCA77u + (lane ^ (lane >> 16));
  return c;
}

std::uint32_t Record(std::size_t n, const float* first, const float* second, const float* spikes, std::uint8_t* bits) {
  return RecordRowKernel()(n, first, second, spikes, bits);
}

std::uint32_t ChecksumOf(std::size_t n, const FloatRow& row) {
  return Record(n, row.data(), nullptr, nullptr, nullptr);
}

void Flip(FloatRow& row, std::size_t k, unsigned bit) {
  row[k] = std::bit_cast<float>(BitsOf(row[k]) ^ (std::uint32_t{1} << bit));
}

TEST_P(RecordingKernels, SpikesArePackedWithoutOtherWrites) {
  std::mt19937_64 random(1);
  for (std::size_t n = 1; n < 150; ++n) {
    FloatRow spikes(PaddedSize(n), 1.0f);  // the padding, too: it must have no effect
    std::vector<std::uint8_t> want(SpikeBytes(n), 0);
    for (std::size_t k = 0; k < n; ++k) {
      spikes[k] = static_cast<float>(random() % 2);
      if (spikes[k] != 0.0f) want[k / 8] = static_cast<std::uint8_t>(want[k / 8] | 1u << k % 8);
    }
    std::vector<std::uint8_t> bits(want.size() + 8, 0xAA);
    want.resize(bits.size(), 0xAA);
    Record(n, spikes.data(), nullptr, spikes.data(), bits.data());
    ASSERT_EQ(bits, want) << n;
  }
}

TEST_P(RecordingKernels, ChecksumsEqualThoseOfAPlainLoop) {
  HostileFloats random(2);
  for (std::size_t n = 1; n < 300; ++n) {
    FloatRow a = random.Row(n);
    FloatRow b = random.Row(n);
    for (std::size_t k = n; k < a.size(); ++k) a[k] = b[k] = 7.0f;  // must have no effect
    std::vector<std::uint8_t> bits(SpikeBytes(n));
    ASSERT_EQ(ChecksumOf(n, a), ByTheBook(n, {a.data()})) << n;
    ASSERT_EQ(Record(n, a.data(), nullptr, b.data(), bits.data()), ByTheBook(n, {a.data()})) << n;
    ASSERT_EQ(Record(n, a.data(), b.data(), nullptr, nullptr), ByTheBook(n, {a.data(), b.data()})) << n;
    ASSERT_EQ(Record(n, a.data(), b.data(), a.data(), bits.data()), ByTheBook(n, {a.data(), b.data()})) << n;
  }
}

TEST_P(RecordingKernels, AnyFlippedBitIsDetected) {
  HostileFloats random(3);
  for (const std::size_t n : {1, 45, 384, 1000}) {
    FloatRow row = random.Row(n);
    const std::uint32_t before = ChecksumOf(n, row);
    for (std::size_t k = 0; k < n; ++k) {
      for (unsigned bit = 0; bit < 32; ++bit) {
        Flip(row, k, bit);
        ASSERT_NE(ChecksumOf(n, row), before) << k << " bit " << bit;
        Flip(row, k, bit);
      }
    }
  }
}

TEST_P(RecordingKernels, AnyTwoFlippedBitsOfOneElementAreDetected) {
  constexpr std::size_t kN = 70;
  FloatRow row = HostileFloats(4).Row(kN);
  const std::uint32_t before = ChecksumOf(kN, row);
  for (std::size_t k = 0; k < kN; ++k) {
    for (unsigned bit = 0; bit < 32; ++bit) {
      for (unsigned other = 0; other < bit; ++other) {
        Flip(row, k, bit);
        Flip(row, k, other);
        ASSERT_NE(ChecksumOf(kN, row), before) << k << " bits " << bit << " and " << other;
        Flip(row, k, bit);
        Flip(row, k, other);
      }
    }
  }
}

TEST_P(RecordingKernels, AnyTwoFlippedBitsOfOneLaneAreDetected) {
  constexpr std::size_t kBlocks = 12;
  constexpr std::size_t kN = 16 * kBlocks;
  FloatRow row = HostileFloats(5).Row(kN);
  const std::uint32_t before = ChecksumOf(kN, row);
  for (std::size_t flip = 0; flip < kBlocks * 32; ++flip) {
    Flip(row, flip / 32 * 16 + 3, flip % 32);
    for (std::size_t other = 0; other < flip; ++other) {
      Flip(row, other / 32 * 16 + 3, other % 32);
      ASSERT_NE(ChecksumOf(kN, row), before) << flip << " and " << other;
      Flip(row, other / 32 * 16 + 3, other % 32);
    }
    Flip(row, flip / 32 * 16 + 3, flip % 32);
  }
}

TEST_P(RecordingKernels, AnyTwoFlippedSignsAreDetected) {
  constexpr std::size_t kN = 384;
  FloatRow row = HostileFloats(6).Row(kN);
  const std::uint32_t before = ChecksumOf(kN, row);
  for (std::size_t k = 0; k < kN; ++k) {
    Flip(row, k, 31);
    for (std::size_t other = 0; other < k; ++other) {
      Flip(row, other, 31);
      ASSERT_NE(ChecksumOf(kN, row), before) << k << " and " << other;
      Flip(row, other, 31);
    }
    Flip(row, k, 31);
  }
}

TEST_P(RecordingKernels, AMillionPairsOfFlippedBitsAreDetected) {
  constexpr std::size_t kN = 384;
  FloatRow row = HostileFloats(7).Row(kN);
  const std::uint32_t before = ChecksumOf(kN, row);
  std::mt19937_64 random(7);
  for (int pair = 0; pair < 1'000'000; ++pair) {
    const std::size_t one = random() % (kN * 32);
    const std::size_t other = random() % (kN * 32);
    if (one == other) continue;
    Flip(row, one / 32, one % 32);
    Flip(row, other / 32, other % 32);
    ASSERT_NE(ChecksumOf(kN, row), before) << one << " and " << other;
    Flip(row, one / 32, one % 32);
    Flip(row, other / 32, other % 32);
  }
}

}  // namespace
}  // namespace tandem
