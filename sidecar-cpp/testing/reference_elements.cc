#include "testing/reference_elements.h"

#include <cmath>

#include "engine/decay_factor.h"

namespace tandem::testing {

double Parameter(const Node& node, const std::string& field, std::size_t k) {
  const auto found = node.parameters.find(field);
  if (found == node.parameters.end()) return field == "w_in" ? 1.0 : 0.0;
  return found->second.values.size() == 1 ? found->second.values[0] : found->second.values[k];
}

float FloatParameter(const Node& node, const std::string& field, std::size_t k) {
  return static_cast<float>(Parameter(node, field, k));
}

ElementByDefinition::ElementByDefinition(const Node& node, std::size_t k, const Manifest& manifest)
    : node_(node),
      k_(k),
      by_(manifest.SettingsOf(node.name)),
      dt_(manifest.dt),
      threshold_(FloatParameter(node, "v_threshold", k)) {}

float ElementByDefinition::Share(const char* tau) const {
  const double ratio = dt_ / Parameter(node_, tau, k_);
  return static_cast<float>(by_.decay == Decay::kExponential ? ExponentialDecay(ratio) : ratio);
}

void ElementByDefinition::Membrane(const char* tau, float drive, float& v) const {
  const float a = Share(tau);
  const float leak = FloatParameter(node_, "v_leak", k_);
  if (by_.lif_gain == InputGain::kDt) v = v + (a * ((leak - v) + (FloatParameter(node_, "r", k_) * drive)));
  if (by_.lif_gain == InputGain::kUnit) v = (v + (a * (leak - v))) + drive;
  if (by_.lif_gain == InputGain::kDecayed) {
    const float sum = v + drive;
    v = sum + (a * (leak - sum));
  }
}

float ElementByDefinition::Synapse(float x, float& i) const {
  const float b = Share("tau_syn");
  if (by_.synapse_gain == InputGain::kDt) i = i + (b * ((FloatParameter(node_, "w_in", k_) * x) - i));
  if (by_.synapse_gain == InputGain::kUnit) i = (i - (b * i)) + x;
  if (by_.synapse_gain == InputGain::kDecayed) {
    const float sum = i + x;
    i = sum - (b * sum);
  }
  return i;
}

float ElementByDefinition::Spikes(float potential) const {
  const bool fires = by_.fire_at == FireAt::kReached ? potential >= threshold_ : potential > threshold_;
  if (!fires) return 0.0f;
  if (by_.spikes_per_step == SpikesPerStep::kSingle) return 1.0f;
  const float held = potential / threshold_;
  return held > 4095.0f ? 4095.0f : std::trunc(held);
}

void ElementByDefinition::ApplyReset(float count, float& v) const {
  if (count == 0.0f || by_.reset == Reset::kNone) return;
  v = by_.resets_to_value() ? FloatParameter(node_, "v_reset", k_) : v - (count * threshold_);
}

bool ElementByDefinition::Step(float x, float& i, float& v, float& y) const {
  float before_reset = 0.0f;
  const float before = v;
  const bool late = by_.emit == Emit::kNextStep;
  const auto fire = [&] {
    before_reset = v;
    y = Spikes(late ? before : v);
    if (by_.resets_delayed()) {
      ApplyReset(Spikes(before), v);
      if (!late) y = Spikes(v);
    } else if (!late) {
      ApplyReset(y, v);
    }
  };
  const double r = Parameter(node_, "r", k_);
  const auto gain = static_cast<float>(by_.if_gain == IfGain::kUnit ? r : dt_ * r);
  if (IsSpikingNeuron(node_.type) && late && !by_.resets_delayed()) ApplyReset(Spikes(before), v);
  switch (node_.type) {
    case NodeType::kScale:
      y = FloatParameter(node_, "scale", k_) * x;
      break;
    case NodeType::kThreshold:
      y = x > FloatParameter(node_, "threshold", k_) ? 1.0f : 0.0f;
      break;
    case NodeType::kLif:
      Membrane("tau", x, v);
      fire();
      break;
    case NodeType::kLi:
      Membrane("tau", x, v);
      break;
    case NodeType::kIf:
      v = v + (gain * x);
      fire();
      break;
    case NodeType::kI:
      v = v + (gain * x);
      break;
    case NodeType::kCubaLif:
      Membrane("tau_mem", Synapse(x, i), v);
      fire();
      break;
    case NodeType::kCubaLi:
      Membrane("tau_mem", Synapse(x, i), v);
      break;
    default:
      y = x;
  }
  const float before_min = v;
  if (HasPotential(node_.type)) {
    if (const auto least = static_cast<float>(by_.v_min); v < least) v = least;
    if (!IsSpikingNeuron(node_.type)) y = v;
  }
  return std::isfinite(y) && std::isfinite(v) && std::isfinite(i) && std::isfinite(before_reset) &&
         std::isfinite(before_min);
}

}  // namespace tandem::testing
