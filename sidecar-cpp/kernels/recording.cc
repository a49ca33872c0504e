#include "kernels/recording.h"

#include <cstring>

#include "kernels/padded.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/recording.cc"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

HWY_BEFORE_NAMESPACE();
namespace tandem::HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

using D = hn::CappedTag<float, 16>;
using DI = hn::RebindToSigned<D>;
using DU = hn::RebindToUnsigned<D>;
using V = hn::Vec<D>;
using VI = hn::Vec<DI>;

// A block is one element of every lane.
constexpr size_t kLanes = kRowMultiple;
constexpr size_t kVectorLanes = hn::MaxLanes(D());
constexpr size_t kVectors = kLanes / kVectorLanes;

// The factors of the first block, for the lower and the upper half of an element, and their growth factor.
constexpr uint16_t kLowFactor = 0x6A09;
constexpr uint16_t kHighFactor = 0x3E1B;
constexpr uint16_t kGrowth = 9;
constexpr uint32_t kFoldFactor = 0x85EBCA77;

// Number of blocks with independent factors, since a product has a long latency.
constexpr size_t kUnrolled = 4;

constexpr uint16_t Power(uint16_t base, size_t exponent) {
  uint16_t power = 1;
  for (size_t k = 0; k < exponent; ++k) power = static_cast<uint16_t>(uint32_t{power} * base);
  return power;
}

// Adds a block to the lanes. x86 adds the two 16-bit products of every lane in one instruction; other machines use two
// 32-bit products.
struct Checksum {
#if HWY_ARCH_X86 && HWY_TARGET != HWY_SCALAR && HWY_TARGET != HWY_EMU128
  using DF = hn::Repartition<int16_t, DI>;
  using Factors = hn::Vec<DF>;

  static HWY_INLINE Factors First() {
    return hn::BitCast(DF(), hn::Set(DU(), uint32_t{kHighFactor} << 16 | kLowFactor));
  }
  static HWY_INLINE Factors Grow(Factors factors, uint16_t by) {
    return hn::Mul(factors, hn::Set(DF(), static_cast<int16_t>(by)));
  }
  static HWY_INLINE VI AddProducts(VI lane, VI word, Factors factors) {
    VI unused = hn::Zero(DI());
    return hn::ReorderWidenMulAccumulate(DI(), hn::BitCast(DF(), word), factors, lane, unused);
  }
#else
  struct Factors {
    uint16_t low;
    uint16_t high;
  };

  static HWY_INLINE Factors First() { return {kLowFactor, kHighFactor}; }
  static HWY_INLINE Factors Grow(Factors factors, uint16_t by) {
    return {static_cast<uint16_t>(uint32_t{factors.low} * by), static_cast<uint16_t>(uint32_t{factors.high} * by)};
  }
  static HWY_INLINE VI AddProducts(VI lane, VI word, Factors factors) {
    const VI low = hn::ShiftRight<16>(hn::ShiftLeft<16>(word));
    const VI high = hn::ShiftRight<16>(word);
    lane = hn::Add(lane, hn::Mul(low, hn::Set(DI(), static_cast<int16_t>(factors.low))));
    return hn::Add(lane, hn::Mul(high, hn::Set(DI(), static_cast<int16_t>(factors.high))));
  }
#endif
};

// For sixteen elements.
HWY_INLINE uint32_t BitsOf16(const float* spikes) {
  const D d;
  uint32_t bits = 0;
  for (size_t k = 0; k < kLanes; k += kVectorLanes) {
    uint8_t stored[8] = {};  // StoreMaskBits may write this many
    hn::StoreMaskBits(d, hn::Ne(hn::Load(d, spikes + k), hn::Zero(d)), stored);
    uint16_t some;
    std::memcpy(&some, stored, sizeof(some));
    bits |= uint32_t{some} << k;
  }
  return bits;
}

HWY_INLINE void PackBlock(const float* spikes, uint8_t* bits) {
  if constexpr (kVectors == 1) {
    const D d;
    uint8_t stored[8];  // directly to memory
    hn::StoreMaskBits(d, hn::Ne(hn::Load(d, spikes), hn::Zero(d)), stored);
    std::memcpy(bits, stored, kLanes / 8);
    return;
  }
  const auto whole = static_cast<uint16_t>(BitsOf16(spikes));
  std::memcpy(bits, &whole, sizeof(whole));
}

HWY_INLINE void PackRest(size_t n, const float* spikes, uint8_t* bits) {
  const uint32_t rest = BitsOf16(spikes) & ((uint32_t{1} << n) - 1);
  bits[0] = static_cast<uint8_t>(rest);
  if (n > 8) bits[1] = static_cast<uint8_t>(rest >> 8);
}

HWY_INLINE void AddBlock(const float* row, Checksum::Factors factors, VI* HWY_RESTRICT lanes) {
  for (size_t v = 0; v < kVectors; ++v) {
    const VI word = hn::BitCast(DI(), hn::Load(D(), row + v * kVectorLanes));
    lanes[v] = Checksum::AddProducts(lanes[v], word, factors);
  }
}

HWY_INLINE void AddRest(size_t n, const float* row, Checksum::Factors factors, VI* HWY_RESTRICT lanes) {
  const VI index = hn::Iota(DI(), 0);
  for (size_t v = 0; v < kVectors; ++v) {
    const auto real = hn::Lt(index, hn::Set(DI(), static_cast<int32_t>(n) - static_cast<int32_t>(v * kVectorLanes)));
    const VI word = hn::BitCast(DI(), hn::Load(D(), row + v * kVectorLanes));
    lanes[v] = Checksum::AddProducts(lanes[v], hn::IfThenElseZero(real, word), factors);
  }
}

// Adds a row and packs its spikes, if it has any. Returns the factors of the next block.
template <bool kSpikes>
HWY_INLINE Checksum::Factors AddRow(size_t n, const float* row, const float* spikes, uint8_t* bits,
                                    Checksum::Factors factors, VI* HWY_RESTRICT lanes) {
  size_t k = 0;
  if (n >= kUnrolled * kLanes) {
    Checksum::Factors second = Checksum::Grow(factors, kGrowth);
    Checksum::Factors third = Checksum::Grow(factors, Power(kGrowth, 2));
    Checksum::Factors fourth = Checksum::Grow(factors, Power(kGrowth, 3));
    for (; k + kUnrolled * kLanes <= n; k += kUnrolled * kLanes) {
      AddBlock(row + k, factors, lanes);
      AddBlock(row + k + kLanes, second, lanes);
      AddBlock(row + k + 2 * kLanes, third, lanes);
      AddBlock(row + k + 3 * kLanes, fourth, lanes);
      factors = Checksum::Grow(factors, Power(kGrowth, kUnrolled));
      second = Checksum::Grow(second, Power(kGrowth, kUnrolled));
      third = Checksum::Grow(third, Power(kGrowth, kUnrolled));
      fourth = Checksum::Grow(fourth, Power(kGrowth, kUnrolled));
      if constexpr (kSpikes) {
        for (size_t block = 0; block < kUnrolled; ++block) {
          PackBlock(spikes + k + block * kLanes, bits + k / 8 + block * kLanes / 8);
        }
      }
    }
  }
  for (; k + kLanes <= n; k += kLanes) {
    AddBlock(row + k, factors, lanes);
    factors = Checksum::Grow(factors, kGrowth);
    if constexpr (kSpikes) PackBlock(spikes + k, bits + k / 8);
  }
  if (k == n) return factors;
  AddRest(n - k, row + k, factors, lanes);
  if constexpr (kSpikes) PackRest(n - k, spikes + k, bits + k / 8);
  return Checksum::Grow(factors, kGrowth);
}

// kFoldFactor to the power of 15, 14, …, 0.
struct FoldFactors {
  constexpr FoldFactors() {
    uint32_t power = 1;
    for (size_t lane = kLanes; lane-- > 0; power *= kFoldFactor) of[lane] = power;
  }
  alignas(64) uint32_t of[kLanes] = {};
};
constexpr FoldFactors kFoldFactors;

HWY_INLINE uint32_t Fold(const VI* lanes) {
  const DU du;
  auto sum = hn::Zero(du);
  for (size_t v = 0; v < kVectors; ++v) {
    const auto h = hn::BitCast(du, lanes[v]);
    const auto mixed = hn::Xor(h, hn::ShiftRight<16>(h));
    sum = hn::Add(sum, hn::Mul(mixed, hn::Load(du, kFoldFactors.of + v * kVectorLanes)));
  }
#if HWY_ARCH_X86 && HWY_MAX_BYTES == 64
  // For 16 lanes, GCC's function adds the last two as signed numbers. Their overflow is undefined.
  const hn::Half<DU> half;
  return hn::GetLane(hn::SumOfLanes(half, hn::Add(hn::LowerHalf(half, sum), hn::UpperHalf(half, sum))));
#else
  return hn::GetLane(hn::SumOfLanes(du, sum));
#endif
}

uint32_t RecordOne(size_t n, const float* first, const float* second, const float* spikes, uint8_t* bits) {
  VI lanes[kVectors];
  for (VI& lane : lanes) lane = hn::Zero(DI());
  Checksum::Factors factors = Checksum::First();
  const float* last = first;
  if (second != nullptr) {
    factors = AddRow<false>(n, first, nullptr, nullptr, factors, lanes);
    last = second;
  }
  if (spikes != nullptr) {
    AddRow<true>(n, last, spikes, bits, factors, lanes);
  } else {
    AddRow<false>(n, last, nullptr, nullptr, factors, lanes);
  }
  return Fold(lanes);
}

}  // namespace tandem::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace tandem {

HWY_EXPORT(RecordOne);

RecordRow* RecordRowKernel() {
  // If no target was chosen yet, Highway would return its chooser function at every call.
  if (!hwy::GetChosenTarget().IsInitialized()) hwy::GetChosenTarget().Update(hwy::SupportedTargets());
  return &HWY_DYNAMIC_DISPATCH(RecordOne);
}

}  // namespace tandem
#endif
