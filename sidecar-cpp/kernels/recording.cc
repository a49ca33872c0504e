#include "kernels/recording.h"

#include <algorithm>
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

// Of sixteen elements.
HWY_INLINE uint32_t BitsOf16(const float* spikes) {
  const D d;
  uint32_t bits = 0;
  for (size_t k = 0; k < kRowMultiple; k += hn::Lanes(d)) {
    uint8_t stored[8] = {};  // StoreMaskBits may write as many
    hn::StoreMaskBits(d, hn::Ne(hn::Load(d, spikes + k), hn::Zero(d)), stored);
    uint16_t some;
    std::memcpy(&some, stored, sizeof(some));
    bits |= uint32_t{some} << k;
  }
  return bits;
}

void PackSpikes(size_t n, const float* spikes, uint8_t* bits) {
  size_t k = 0;
  for (; k + kRowMultiple <= n; k += kRowMultiple) {
    const auto whole = static_cast<uint16_t>(BitsOf16(spikes + k));
    std::memcpy(bits + k / 8, &whole, sizeof(whole));
  }
  if (k == n) return;
  const uint32_t rest = BitsOf16(spikes + k) & ((uint32_t{1} << (n - k)) - 1);
  bits[k / 8] = static_cast<uint8_t>(rest);
  if (n - k > 8) bits[k / 8 + 1] = static_cast<uint8_t>(rest >> 8);
}

// The lanes, in as many vectors as they take.
using DU = hn::CappedTag<uint32_t, 8>;
using VU = hn::Vec<DU>;
constexpr size_t kLanes = 8;

constexpr uint32_t kFactor = 0xC2B2AE3D;
constexpr uint32_t kFoldFactor = 0x85EBCA77;

// Rows of eight that one multiplication of the lanes takes in: a product is long under way, and the lanes wait for it.
constexpr size_t kUnrolled = 8;

constexpr uint32_t Power(size_t exponent) {
  uint32_t power = 1;
  for (size_t k = 0; k < exponent; ++k) power *= kFactor;
  return power;
}

HWY_INLINE VU Mixed(const float* row) {
  const DU du;
  const VU w = hn::Load(du, reinterpret_cast<const uint32_t*>(row));
  return hn::Xor(w, hn::ShiftRight<16>(w));
}

HWY_INLINE VU Times(VU value, uint32_t factor) { return hn::Mul(value, hn::Set(DU(), factor)); }

// For one vector of lanes, of which `lane` is the first.
HWY_INLINE VU AddRow(size_t n, const float* row, size_t lane, VU lanes) {
  const DU du;
  row += lane;
  size_t k = 0;
  for (; k + kLanes * kUnrolled <= n; k += kLanes * kUnrolled) {
    VU sum = Mixed(row + k + kLanes * (kUnrolled - 1));
    sum = hn::Add(sum, Times(Mixed(row + k + kLanes * 6), Power(1)));
    sum = hn::Add(sum, Times(Mixed(row + k + kLanes * 5), Power(2)));
    sum = hn::Add(sum, Times(Mixed(row + k + kLanes * 4), Power(3)));
    sum = hn::Add(sum, Times(Mixed(row + k + kLanes * 3), Power(4)));
    sum = hn::Add(sum, Times(Mixed(row + k + kLanes * 2), Power(5)));
    sum = hn::Add(sum, Times(Mixed(row + k + kLanes * 1), Power(6)));
    sum = hn::Add(sum, Times(Mixed(row + k), Power(7)));
    lanes = hn::Add(Times(lanes, Power(kUnrolled)), sum);
  }
  for (; k + kLanes <= n; k += kLanes) lanes = hn::Add(Times(lanes, kFactor), Mixed(row + k));
  if (k + lane >= n) return lanes;
  const auto real = hn::FirstN(du, std::min(n - k - lane, hn::Lanes(du)));
  return hn::IfThenElse(real, hn::Add(Times(lanes, kFactor), Mixed(row + k)), lanes);
}

uint32_t StateChecksum(size_t n, const float* first, const float* second) {
  const DU du;
  HWY_ALIGN uint32_t lanes[kLanes];
  for (size_t lane = 0; lane < kLanes; lane += hn::Lanes(du)) {
    VU h = AddRow(n, first, lane, hn::Zero(du));
    if (second != nullptr) h = AddRow(n, second, lane, h);
    hn::Store(h, du, lanes + lane);
  }
  uint32_t checksum = 0;
  for (const uint32_t lane : lanes) checksum = checksum * kFoldFactor + lane;
  return checksum;
}

}  // namespace tandem::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace tandem {

HWY_EXPORT(PackSpikes);
HWY_EXPORT(StateChecksum);

void PackSpikes(std::size_t n, const float* spikes, std::uint8_t* bits) {
  HWY_DYNAMIC_DISPATCH(PackSpikes)(n, spikes, bits);
}
std::uint32_t StateChecksum(std::size_t n, const float* first, const float* second) {
  return HWY_DYNAMIC_DISPATCH(StateChecksum)(n, first, second);
}

}  // namespace tandem
#endif
