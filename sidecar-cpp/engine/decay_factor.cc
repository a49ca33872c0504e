#include "engine/decay_factor.h"

namespace tandem {
namespace {

constexpr double kOne = 40;          // from here on, 1 - exp(-x) rounds to 1
constexpr double kLinear = 0x1p-60;  // below, it rounds to x
constexpr int kTerms = 12;
constexpr int kDoublings = 12;
constexpr double kFirst = 0x1p-12;  // 2 to the power of -kDoublings

// A number as the sum of two: about 104 bits.
struct Pair {
  double high, low;
};

// Exact where |a| >= |b|.
Pair FastSum(double a, double b) {
  const double sum = a + b;
  return {sum, b - (sum - a)};
}

// Exact: the difference and its rounding error.
Pair ExactDifference(double a, double b) {
  const double difference = a - b;
  const double subtracted = a - difference;
  return {difference, (a - (difference + subtracted)) + (subtracted - b)};
}

// Upper 26 bits and the rest (Veltkamp).
Pair Split(double a) {
  const double scaled = 134217729.0 * a;
  const double high = scaled - (scaled - a);
  return {high, a - high};
}

// Exact: the product and its rounding error (Dekker).
Pair ExactProduct(double a, double b) {
  const double product = a * b;
  const Pair x = Split(a);
  const Pair y = Split(b);
  return {product, ((x.high * y.high - product) + x.high * y.low + x.low * y.high) + x.low * y.low};
}

Pair Times(Pair a, Pair b) {
  const Pair product = ExactProduct(a.high, b.high);
  return FastSum(product.high, product.low + (a.high * b.low + a.low * b.high));
}

Pair DividedBy(Pair a, double b) {
  const double quotient = a.high / b;
  const Pair product = ExactProduct(quotient, b);
  return FastSum(quotient, (((a.high - product.high) - product.low) + a.low) / b);
}

Pair Minus(double a, Pair b) {
  const Pair difference = ExactDifference(a, b.high);
  return FastSum(difference.high, difference.low - b.low);
}

}  // namespace

double ExponentialDecay(double x) {
  if (!(x < kOne)) return 1;
  if (x < kLinear) return x;
  const Pair z{x * kFirst, 0};
  Pair sum{1, 0};
  for (int n = kTerms; n >= 2; --n) sum = Minus(1, DividedBy(Times(sum, z), n));
  Pair decay = Times(sum, z);  // 1 - exp(-z)
  for (int k = 0; k < kDoublings; ++k) decay = Times(decay, Minus(2, decay));
  return decay.high;
}

}  // namespace tandem
