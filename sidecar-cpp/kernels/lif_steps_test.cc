#include "kernels/lif_steps.h"

#include <algorithm>
#include <limits>
#include <vector>

#include "kernels/targets_test_support.h"

namespace tandem {
namespace {

class StepsOfLif : public EveryTarget {};
TANDEM_ON_EVERY_TARGET(StepsOfLif);

constexpr std::size_t kSteps = 7;

struct Case {
  Case(std::size_t size, std::uint64_t seed, bool subtract)
      : n(PaddedSize(size)), random(seed), a(Row()), leak(Row()), r(Row()), threshold(Row()), reset(Row()), v(Row()) {
    for (std::size_t step = 0; step < kSteps; ++step) {
      const FloatRow row = Row();
      x.insert(x.end(), row.begin(), row.end());
    }
    params = {a.data(), leak.data(), r.data(), {threshold.data(), subtract ? nullptr : reset.data()}};
  }
  // Small enough that most runs stay finite.
  FloatRow Row() {
    FloatRow row = random.Row(n);
    for (float& value : row) value = std::min(std::max(value, -1e9f), 1e9f);
    return row;
  }
  std::size_t n;
  HostileFloats random;
  FloatRow a, leak, r, threshold, reset, v, x;
  LifParams params;
};

struct Outcome {
  bool finite = true;
  FloatRow v, trace, y;
  std::vector<std::vector<std::uint32_t>> lists;
};

Outcome OneByOne(const Case& given, std::size_t x_stride) {
  Outcome out;
  out.v = given.v;
  for (std::size_t step = 0; step < kSteps; ++step) {
    FloatRow y(given.n);
    const float* const x = given.x.data() + step * x_stride;
    out.finite &= StepLif(given.params, given.n, x, out.v.data(), y.data()).finite;
    out.trace.insert(out.trace.end(), out.v.begin(), out.v.end());
    out.y.insert(out.y.end(), y.begin(), y.end());
    auto& list = out.lists.emplace_back();
    for (std::uint32_t k = 0; k < given.n; ++k) {
      if (y[k] == 1.0f) list.push_back(k);
    }
  }
  return out;
}

Outcome InOneGo(const Case& given, std::size_t x_stride) {
  const std::size_t stride = given.n + kRowMultiple;
  Outcome out;
  out.v = given.v;
  out.trace.resize(kSteps * given.n);
  out.y.resize(kSteps * given.n);
  std::vector<std::uint32_t> spikes(kSteps * stride);
  std::vector<std::uint32_t> counts(kSteps);
  LifSteps run{kSteps,       given.x.data(), x_stride, out.v.data(), out.trace.data(),
               out.y.data(), spikes.data(),  stride,   counts.data()};
  out.finite = StepsLif(given.params, given.n, run);
  for (std::size_t step = 0; step < kSteps; ++step) {
    const auto first = spikes.begin() + static_cast<std::ptrdiff_t>(step * stride);
    out.lists.emplace_back(first, first + counts[step]);
  }
  return out;
}

TEST_P(StepsOfLif, EqualSingleSteps) {
  std::size_t finite = 0;
  for (const std::size_t n : {16u, 32u, 48u, 64u, 112u, 256u}) {
    for (std::uint64_t seed = 0; seed < 8; ++seed) {
      SCOPED_TRACE("elements " + std::to_string(n) + " seed " + std::to_string(seed));
      const Case given(n, seed * 1000 + n, seed % 2 == 0);
      for (const std::size_t x_stride : {std::size_t{0}, n}) {
        const Outcome want = OneByOne(given, x_stride);
        const Outcome got = InOneGo(given, x_stride);
        ASSERT_EQ(got.finite, want.finite);
        if (!want.finite) continue;
        ++finite;
        EXPECT_TRUE(SameBits(got.v, want.v));
        EXPECT_TRUE(SameBits(got.trace, want.trace));
        EXPECT_TRUE(SameBits(got.y, want.y));
        EXPECT_EQ(got.lists, want.lists);
      }
    }
  }
  EXPECT_GT(finite, 10u) << "hardly any run stayed finite: the test lost a part of its reach";
}

// All elements are equal: each gets `x` at the given step, and 0 at the others.
Case Driven(float x, std::size_t step, bool subtract) {
  Case given(48, 1, subtract);
  for (FloatRow* row : {&given.leak, &given.v, &given.x, &given.reset}) std::ranges::fill(*row, 0.0f);
  for (FloatRow* row : {&given.a, &given.r, &given.threshold}) std::ranges::fill(*row, 1.0f);
  std::fill_n(given.x.begin() + static_cast<std::ptrdiff_t>(step * given.n), given.n, x);
  return given;
}

TEST_P(StepsOfLif, APotentialThatIsInfiniteAtAnyStepIsNotFinite) {
  constexpr float kInfinity = std::numeric_limits<float>::infinity();
  for (const bool subtract : {false, true}) {
    for (std::size_t step = 0; step < kSteps; ++step) {
      SCOPED_TRACE((subtract ? "subtract, step " : "value, step ") + std::to_string(step));
      EXPECT_TRUE(InOneGo(Driven(2.0f, step, subtract), 48).finite);
      EXPECT_FALSE(InOneGo(Driven(kInfinity, step, subtract), 48).finite);
      EXPECT_FALSE(InOneGo(Driven(-kInfinity, step, subtract), 48).finite);
    }
  }
}

TEST_P(StepsOfLif, AResetThatOverflowsIsNotFinite) {
  Case given(16, 1, true);
  std::ranges::fill(given.a, 0.0f);
  std::ranges::fill(given.x, 0.0f);
  std::ranges::fill(given.leak, 0.0f);
  std::ranges::fill(given.v, std::numeric_limits<float>::max());
  std::ranges::fill(given.threshold, std::numeric_limits<float>::lowest());
  EXPECT_FALSE(InOneGo(given, 0).finite);
}

}  // namespace
}  // namespace tandem
