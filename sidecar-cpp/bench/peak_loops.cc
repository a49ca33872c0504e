#include "bench/peak_loops.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "bench/peak_loops.cc"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

HWY_BEFORE_NAMESPACE();
namespace tandem::bench::HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

using D = hn::CappedTag<float, 16>;
using V = hn::Vec<D>;

// The number that fits into 16 registers with the other values of the loop.
constexpr size_t kPairs = 7;
constexpr size_t kChains = 14;
constexpr size_t kReads = 8;

double MultiplyAndAdd(size_t rounds, float one, float* to) {
  const D d;
  const V factor = hn::Set(d, one);
  V product[kPairs];
  V sum[kPairs];
  for (size_t k = 0; k < kPairs; ++k) {
    product[k] = hn::Set(d, one);
    sum[k] = hn::Zero(d);
  }
  for (size_t round = 0; round < rounds; ++round) {
    for (size_t k = 0; k < kPairs; ++k) {
      sum[k] = hn::Add(sum[k], product[k]);
      product[k] = hn::Mul(product[k], factor);
    }
  }
  for (size_t k = 1; k < kPairs; ++k) sum[0] = hn::Add(sum[0], hn::Add(sum[k], product[k]));
  hn::StoreU(sum[0], d, to);
  return static_cast<double>(rounds * kPairs * hn::Lanes(d));
}

double Add(size_t rounds, float one, float* to) {
  const D d;
  const V term = hn::Set(d, one);
  V sum[kChains];
  for (size_t k = 0; k < kChains; ++k) sum[k] = hn::Set(d, one * static_cast<float>(k));
  for (size_t round = 0; round < rounds; ++round) {
    for (size_t k = 0; k < kChains; ++k) sum[k] = hn::Add(sum[k], term);
  }
  for (size_t k = 1; k < kChains; ++k) sum[0] = hn::Add(sum[0], sum[k]);
  hn::StoreU(sum[0], d, to);
  return static_cast<double>(rounds * kChains * hn::Lanes(d));
}

void Read(const float* from, size_t count, float* to) {
  const D d;
  const size_t lanes = hn::Lanes(d);
  V sum[kReads];
  for (size_t k = 0; k < kReads; ++k) sum[k] = hn::Zero(d);
  for (size_t at = 0; at < count; at += kReads * lanes) {
    for (size_t k = 0; k < kReads; ++k) sum[k] = hn::Add(sum[k], hn::Load(d, from + at + k * lanes));
  }
  for (size_t k = 1; k < kReads; ++k) sum[0] = hn::Add(sum[0], sum[k]);
  hn::StoreU(sum[0], d, to);
}

}  // namespace tandem::bench::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace tandem::bench {

HWY_EXPORT(MultiplyAndAdd);
HWY_EXPORT(Add);
HWY_EXPORT(Read);

double MultiplyAndAdd(std::size_t rounds, float one, float* to) {
  return HWY_DYNAMIC_DISPATCH(MultiplyAndAdd)(rounds, one, to);
}

double Add(std::size_t rounds, float one, float* to) { return HWY_DYNAMIC_DISPATCH(Add)(rounds, one, to); }

void Read(const float* from, std::size_t count, float* to) { HWY_DYNAMIC_DISPATCH(Read)(from, count, to); }

}  // namespace tandem::bench
#endif
