#include "kernels/neuron.h"

#include <algorithm>
#include <cmath>
#include <random>

#include "kernels/targets_test_support.h"

namespace tandem {
namespace {

constexpr std::size_t kSizes[] = {16, 48, 512};

class Neuron : public EveryTarget {};
TANDEM_ON_EVERY_TARGET(Neuron);

struct Rows {
  explicit Rows(std::size_t n, std::uint64_t seed) : random(seed) {
    for (FloatRow* row : {&a, &v_leak, &r, &threshold, &reset, &b, &w_in, &x, &i, &v}) *row = random.Row(n);
    y.assign(n, 7.0f);
  }
  [[nodiscard]] LifParams Membrane(bool subtract) const {
    return {a.data(), v_leak.data(), r.data(), {threshold.data(), subtract ? nullptr : reset.data()}};
  }
  HostileFloats random;
  FloatRow a, v_leak, r, threshold, reset, b, w_in, x, i, v, y;
};

// The definition, one element at a time.
struct Naive {
  Rows rows;
  StepOutcome outcome;

  void Membrane(std::size_t k, float drive) {
    rows.v[k] = rows.v[k] + (rows.a[k] * ((rows.v_leak[k] - rows.v[k]) + (rows.r[k] * drive)));
  }
  float Synapse(std::size_t k) {
    rows.i[k] = rows.i[k] + (rows.b[k] * ((rows.w_in[k] * rows.x[k]) - rows.i[k]));
    Watch(rows.i[k]);
    return rows.i[k];
  }
  void Fire(std::size_t k, bool subtract) {
    Watch(rows.v[k]);
    const bool fired = rows.v[k] > rows.threshold[k];
    rows.y[k] = fired ? 1.0f : 0.0f;
    if (fired) rows.v[k] = subtract ? rows.v[k] - rows.threshold[k] : rows.reset[k];
    Watch(rows.v[k]);
    outcome.spikes += fired ? 1 : 0;
  }
  void Leak(std::size_t k) {
    Watch(rows.v[k]);
    rows.y[k] = rows.v[k];
  }
  void Watch(float value) { outcome.finite = outcome.finite && std::isfinite(value); }
};

// Compares a kernel with the definition for a few hundred random rows.
template <typename Kernel, typename Law>
void Compare(Kernel kernel, Law law) {
  for (std::uint64_t seed = 1; seed <= 200; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    const std::size_t n = kSizes[seed % 3];
    const bool subtract = seed % 2 == 0;
    Rows rows(n, seed);
    Naive naive{rows, {}};
    const StepOutcome outcome = kernel(rows, n, subtract);
    for (std::size_t k = 0; k < n; ++k) law(naive, k, subtract);
    EXPECT_EQ(outcome.spikes, naive.outcome.spikes);
    EXPECT_EQ(outcome.finite, naive.outcome.finite);
    EXPECT_TRUE(SameBits(rows.v, naive.rows.v));
    EXPECT_TRUE(SameBits(rows.i, naive.rows.i));
    EXPECT_TRUE(SameBits(rows.y, naive.rows.y));
  }
}

TEST_P(Neuron, LifFollowsTheLaw) {
  Compare([](Rows& r, std::size_t n,
             bool subtract) { return StepLif(r.Membrane(subtract), n, r.x.data(), r.v.data(), r.y.data()); },
          [](Naive& law, std::size_t k, bool subtract) {
            law.Membrane(k, law.rows.x[k]);
            law.Fire(k, subtract);
          });
}

TEST_P(Neuron, LiFollowsTheLaw) {
  Compare([](Rows& r, std::size_t n, bool) { return StepLi(r.Membrane(true), n, r.x.data(), r.v.data(), r.y.data()); },
          [](Naive& law, std::size_t k, bool) {
            law.Membrane(k, law.rows.x[k]);
            law.Leak(k);
          });
}

TEST_P(Neuron, IfFollowsTheLaw) {
  Compare(
      [](Rows& r, std::size_t n, bool subtract) {
        return StepIf({r.r.data(), r.Membrane(subtract).fire}, n, r.x.data(), r.v.data(), r.y.data());
      },
      [](Naive& law, std::size_t k, bool subtract) {
        law.rows.v[k] = law.rows.v[k] + (law.rows.r[k] * law.rows.x[k]);
        law.Fire(k, subtract);
      });
}

TEST_P(Neuron, CubaLifFollowsTheLaw) {
  Compare(
      [](Rows& r, std::size_t n, bool subtract) {
        return StepCubaLif({r.b.data(), r.w_in.data(), r.Membrane(subtract)}, n, r.x.data(), r.i.data(), r.v.data(),
                           r.y.data());
      },
      [](Naive& law, std::size_t k, bool subtract) {
        law.Membrane(k, law.Synapse(k));
        law.Fire(k, subtract);
      });
}

TEST_P(Neuron, CubaLiFollowsTheLaw) {
  Compare(
      [](Rows& r, std::size_t n, bool) {
        return StepCubaLi({r.b.data(), r.w_in.data(), r.Membrane(true)}, n, r.x.data(), r.i.data(), r.v.data(),
                          r.y.data());
      },
      [](Naive& law, std::size_t k, bool) {
        law.Membrane(k, law.Synapse(k));
        law.Leak(k);
      });
}

// proto/NUMERICS.md, "Conventions", one element at a time.
float SpikesOf(const FireRule& rule, float v, float threshold) {
  if (!(rule.reached ? v >= threshold : v > threshold)) return 0.0f;
  return rule.multiple ? std::trunc(std::min(v / threshold, kMaxSpikesPerStep)) : 1.0f;
}

float Decayed(InputGain gain, float share, float leak, float factor, float x, float state) {
  if (gain == InputGain::kDt) return state + (share * ((leak - state) + (factor * x)));
  if (gain == InputGain::kUnit) return (state + (share * (leak - state))) + x;
  const float sum = state + x;
  return sum + (share * (leak - sum));
}

struct Stepped {
  float v, y;
};
Stepped StepByLaw(const CubaParams& p, std::size_t k, float i, float before) {
  const FireParams& fire = p.membrane.fire;
  const float threshold = fire.threshold[k];
  const auto reset = [&](float v, float spikes) {
    if (spikes == 0.0f) return v;
    return fire.reset != nullptr ? fire.reset[k] : v - (spikes * threshold);
  };
  const float earlier = SpikesOf(fire.rule, before, threshold);
  const bool resets_first = fire.rule.late && !fire.rule.delayed;
  const float start = resets_first ? reset(before, earlier) : before;
  const float v = Decayed(p.membrane.gain, p.membrane.a[k], p.membrane.v_leak[k], p.membrane.r[k], i, start);
  if (resets_first) return {v, earlier};
  if (!fire.rule.delayed) return {reset(v, SpikesOf(fire.rule, v, threshold)), SpikesOf(fire.rule, v, threshold)};
  const float after = reset(v, earlier);
  return {after, fire.rule.late ? earlier : SpikesOf(fire.rule, after, threshold)};
}

TEST_P(Neuron, FollowsTheLawUnderEveryConvention) {
  constexpr std::size_t kN = 48;
  std::mt19937_64 random(15);
  std::uniform_real_distribution<float> value(-0.5f, 2.0f);
  std::uniform_real_distribution<float> positive(0.05f, 0.9f);
  FloatRow a(kN), b(kN), leak(kN), r(kN), w_in(kN), threshold(kN), reset(kN), x(kN), i(kN), v(kN), y(kN);
  for (int n = 0; n < 32 * 9; ++n) {
    SCOPED_TRACE("convention " + std::to_string(n));
    const FireRule rule{(n & 1) != 0, (n & 2) != 0, (n & 4) != 0, (n & 8) != 0};
    const CubaParams p{b.data(),
                       w_in.data(),
                       {a.data(),
                        leak.data(),
                        r.data(),
                        {threshold.data(), (n & 16) != 0 ? reset.data() : nullptr, rule},
                        static_cast<InputGain>(n / 32 % 3)},
                       static_cast<InputGain>(n / 96)};
    for (std::size_t k = 0; k < kN; ++k) {
      for (FloatRow* row : {&leak, &r, &w_in, &reset, &x, &i, &v}) (*row)[k] = value(random);
      for (FloatRow* row : {&a, &b, &threshold}) (*row)[k] = positive(random);
      if (k % 5 == 0) v[k] = threshold[k];
    }
    const FloatRow i_before = i;
    const FloatRow v_before = v;
    const StepOutcome outcome = StepCubaLif(p, kN, x.data(), i.data(), v.data(), y.data());
    std::uint32_t spikes = 0;
    for (std::size_t k = 0; k < kN; ++k) {
      const float current = Decayed(p.gain, b[k], 0.0f, w_in[k], x[k], i_before[k]);
      const Stepped stepped = StepByLaw(p, k, i[k], v_before[k]);
      EXPECT_EQ(i[k], current);
      EXPECT_EQ(v[k], stepped.v);
      EXPECT_EQ(y[k], stepped.y);
      spikes += static_cast<std::uint32_t>(y[k]);
    }
    EXPECT_EQ(outcome.spikes, spikes);
  }
}

TEST_P(Neuron, APotentialAtTheThresholdDoesNotFire) {
  const FloatRow gain(16, 1.0f);
  const FloatRow threshold(16, 1.0f);
  FloatRow x(16, 1.0f);
  x[3] = std::nextafter(1.0f, 2.0f);
  FloatRow v(16, 0.0f);
  FloatRow y(16, 0.0f);
  const StepOutcome outcome = StepIf({gain.data(), {threshold.data(), nullptr}}, 16, x.data(), v.data(), y.data());
  EXPECT_EQ(outcome.spikes, 1u);
  EXPECT_EQ(y[3], 1.0f);
}

TEST_P(Neuron, AnInfinitePotentialIsDetectedBeforeTheReset) {
  const FloatRow gain(16, std::numeric_limits<float>::max());
  const FloatRow zero(16, 0.0f);
  const FloatRow x(16, 2.0f);
  FloatRow v(16, 0.0f);
  FloatRow y(16, 0.0f);
  EXPECT_FALSE(StepIf({gain.data(), {zero.data(), zero.data()}}, 16, x.data(), v.data(), y.data()).finite);
  EXPECT_EQ(v[0], 0.0f);
}

}  // namespace
}  // namespace tandem
