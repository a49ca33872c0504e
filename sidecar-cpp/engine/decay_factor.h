// The share of a leaky state that decays in one step (proto/NUMERICS.md, "Decay"): x = dt/tau under forward Euler, or 1
// - exp(-x) for the exact solution.
#pragma once

namespace tandem {

// 1 - exp(-x) for x > 0, rounded to binary64, by the steps on that page. No library's exp is used, since libraries
// differ in the last bit.
double ExponentialDecay(double x);

// Caches the last argument, since the elements of a node usually share one time constant.
class DecayFactor {
 public:
  explicit DecayFactor(bool exponential) : exponential_(exponential) {}

  double Of(double x) {
    if (!exponential_) return x;
    if (x != last_) {
      last_ = x;
      factor_ = ExponentialDecay(x);
    }
    return factor_;
  }

 private:
  bool exponential_;
  double last_ = 0;
  double factor_ = 0;
};

}  // namespace tandem
