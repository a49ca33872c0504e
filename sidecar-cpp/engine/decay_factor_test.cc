#include "engine/decay_factor.h"

#include <gtest/gtest.h>

#include <limits>

namespace tandem {
namespace {

struct Exact {
  double x, decay;
};
// 1 - exp(-x), computed with 400 bits by mpmath and rounded once. The TypeScript engine is tested with the same values.
constexpr Exact kExact[] = {
    {8.470329472543003e-22, 8.470329472543003e-22},
    {8.673617379884035e-19, 8.673617379884035e-19},
    {1e-12, 9.999999999995e-13},
    {1e-9, 9.999999995e-10},
    {1e-6, 9.999995000001667e-7},
    {0.3333333333333333, 0.28346868942621073},
    {0.1, 0.09516258196404043},
    {0.5, 0.3934693402873666},
    {0.6931471805599453, 0.5},
    {1, 0.6321205588285577},
    {2, 0.8646647167633873},
    {10, 0.9999546000702375},
    {36.7, 0.9999999999999999},
    {39.999, 1},
    {40, 1},
    {1e300, 1},
    {0.010359721657180776, 0.010306244569338638},
    {0.7909490686701958, 0.5465857302625092},
    {0.013582239126319963, 0.01349041670461256},
    {0.06295060355202445, 0.06101014469288253},
    {0.010138357020623644, 0.010087137120439202},
    {0.5597921385367401, 0.42867219145855096},
    {0.011368651788205082, 0.0113042728646088},
    {0.014669869683847881, 0.01456279139324559},
};

TEST(ExponentialDecay, IsTheNearestBinary64Number) {
  for (const Exact& exact : kExact) EXPECT_EQ(ExponentialDecay(exact.x), exact.decay) << exact.x;
}

TEST(ExponentialDecay, OfAnInfiniteArgumentIsOne) {
  EXPECT_EQ(ExponentialDecay(std::numeric_limits<double>::infinity()), 1.0);
}

TEST(DecayFactor, IsTheArgumentUnderEuler) {
  DecayFactor euler(false);
  EXPECT_EQ(euler.Of(0.25), 0.25);
}

TEST(DecayFactor, FollowsItsArgument) {
  DecayFactor exponential(true);
  const double first = exponential.Of(0.25);
  EXPECT_EQ(exponential.Of(0.5), ExponentialDecay(0.5));
  EXPECT_EQ(exponential.Of(0.25), first);
  EXPECT_EQ(first, ExponentialDecay(0.25));
}

}  // namespace
}  // namespace tandem
