// One step of a neuron population. The arithmetic and its order are those of proto/NUMERICS.md, element by element;
// no operation crosses elements, so the result does not depend on the vector width.
//
// All rows are 64-byte aligned and hold `n` floats, `n` a multiple of kRowMultiple. Callers pad parameters so that
// padding elements never spike: 0 everywhere, and the largest finite float as threshold. `y` may be `x`. Stateless:
// safe from any thread on distinct rows.
#pragma once

#include <cstddef>
#include <cstdint>

namespace tandem {

struct StepOutcome {
  std::uint32_t spikes = 0;  // sum of the outputs of a spiking node
  bool finite = true;        // no i or v, before or after the reset, was NaN or infinite
};

// Maximum spikes of an element in a step (FireRule::multiple), so that counts of a run fit 32 bits.
inline constexpr float kMaxSpikesPerStep = 4095.0f;

// When a neuron fires and how it resets; the defaults are those of `model.yaml`.
struct FireRule {
  bool delayed = false;   // the reset of a spike takes place in the next step
  bool late = false;      // a potential fires in the next step, before the update
  bool multiple = false;  // a spike for each threshold that v contains; thresholds are > 0
  bool reached = false;   // v == threshold fires
  bool resets = true;     // a spike changes v

  [[nodiscard]] bool IsDefault() const { return !delayed && !late && !multiple && !reached && resets; }
};

// How a neuron fires; not used by LI and CubaLI.
struct FireParams {
  const float* threshold;
  const float* reset;  // the potential after a spike; null: subtract the threshold
  FireRule rule = {};
};

// How an input enters a leaky state (proto/NUMERICS.md, "Conventions"). The numbers are part of the model's identity.
enum class InputGain : std::uint8_t { kDt = 0, kUnit = 1, kDecayed = 2 };

// Membrane by `gain`, then fire into y.
struct LifParams {
  const float* a;
  const float* v_leak;
  const float* r;  // used with InputGain::kDt only
  FireParams fire;
  InputGain gain = InputGain::kDt;
};
StepOutcome StepLif(const LifParams& p, std::size_t n, const float* x, float* v, float* y);

// As LIF without firing; y = v.
StepOutcome StepLi(const LifParams& p, std::size_t n, const float* x, float* v, float* y);

// v = v + (g * x), then fire.
struct IfParams {
  const float* g;
  FireParams fire;
};
StepOutcome StepIf(const IfParams& p, std::size_t n, const float* x, float* v, float* y);

// Synapse by `gain`, then the membrane as LIF with i instead of x.
struct CubaParams {
  const float* b;
  const float* w_in;  // used with InputGain::kDt only
  LifParams membrane;
  InputGain gain = InputGain::kDt;
};
StepOutcome StepCubaLif(const CubaParams& p, std::size_t n, const float* x, float* i, float* v, float* y);
StepOutcome StepCubaLi(const CubaParams& p, std::size_t n, const float* x, float* i, float* v, float* y);

}  // namespace tandem
