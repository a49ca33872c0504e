#include "kernels/neuron.h"

#include <cmath>

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

// The law, one element at a time.
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

// Runs a kernel and the law side by side for a few hundred random rows.
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

TEST_P(Neuron, AnInfinitePotentialIsSeenThoughTheResetHidesIt) {
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
