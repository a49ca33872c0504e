#include "testing/reference_simulator.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <functional>
#include <map>
#include <set>

#include "engine/digest.h"
#include "nir/sizes.h"
#include "testing/reference_elements.h"
#include "testing/reference_windows.h"

namespace tandem::testing {
namespace {

using Floats = std::vector<float>;

struct State {
  Floats y, i, v;
  std::size_t in = 0, out = 0;
  Window window;
  std::vector<std::size_t> delays;  // of a Delay's elements, in steps
  std::vector<Floats> history;      // of a Delay: all its inputs
};

class Reference {
 public:
  Reference(const Graph& graph, const Manifest& manifest) : graph_(graph), manifest_(manifest) {
    for (const std::uint32_t output : graph.outputs) Walk(output);
    FindSizes();
    MarkConstant();
    readout_ = graph.outputs[0];
    for (const std::uint32_t node : order_) {
      if (graph.nodes[node].name == manifest.readout_node) readout_ = node;
    }
    while (Passes(readout_) && sources_[readout_].size() == 1 &&
           !delayed_.contains({sources_[readout_][0], readout_})) {
      readout_ = sources_[readout_][0];
    }
  }

  ReferenceOutcome Run(std::uint64_t model_id, std::span<const float> input) {
    const bool series = manifest_.input_kind == InputKind::kSeries;
    std::size_t n_in = 0;
    for (const std::uint32_t node : graph_.inputs) n_in += state_[node].out;
    const std::size_t n = state_[readout_].out;
    ReferenceOutcome outcome;
    RunResult& result = outcome.result;
    result.steps = series ? static_cast<std::uint32_t>(input.size() / n_in) : manifest_.steps;
    result.spike_counts.assign(n, 0);
    Floats mean(n, 0.0f);
    Floats largest(n, 0.0f);
    std::vector<std::uint32_t> first_spike(n, result.steps);  // never
    outcome.recording = EmptyRecording();
    for (std::uint32_t step = 0; step < result.steps; ++step) {
      for (const std::uint32_t node : order_) {
        bool finite = true;
        if (step == 0 || !constant_.contains(node)) {
          finite = Evaluate(node, input.subspan(series ? step * n_in : 0, n_in), result);
        }
        if (node == readout_) {
          for (std::size_t k = 0; k < n; ++k) {
            if (CountsSpikes(node)) result.spike_counts[k] += static_cast<std::uint32_t>(state_[node].y[k]);
            mean[k] = mean[k] + Potential()[k];
            if (step == 0 || Potential()[k] > largest[k]) largest[k] = Potential()[k];
            const bool fires = CountsSpikes(node) && state_[node].y[k] != 0.0f;
            if (fires && first_spike[k] == result.steps) first_spike[k] = step;
            const bool last = step + 1 == result.steps && manifest_.readout_from == ReadoutFrom::kMeanPotential;
            if (last && !std::isfinite(mean[k])) finite = false;
          }
        }
        if (!finite) {
          outcome.failed_at = "step " + std::to_string(step) + " node " + graph_.nodes[node].name;
          return outcome;
        }
      }
      for (const std::uint32_t node : order_) outcome.trace.push_back(AddNeuron(node, {}, true).Value());
      for (ReferenceRecordedNode& recorded : outcome.recording) Record(recorded);
    }
    result.potentials = Potential();
    for (std::size_t k = 0; k < n; ++k) {
      float& potential = result.potentials[k];
      if (manifest_.readout_from == ReadoutFrom::kMeanPotential) potential = mean[k] / static_cast<float>(result.steps);
      if (manifest_.readout_from == ReadoutFrom::kMaxPotential) potential = largest[k];
      if (manifest_.readout_from == ReadoutFrom::kFirstSpike) {
        potential = static_cast<float>(result.steps - first_spike[k]);
      }
    }
    AddDigests(model_id, result);
    return outcome;
  }

 private:
  bool Passes(std::uint32_t node) const { return PassesThrough(graph_.nodes[node].type); }
  bool CountsSpikes(std::uint32_t node) const {
    const NodeType type = graph_.nodes[node].type;
    return IsSpikingNeuron(type) || type == NodeType::kThreshold;
  }
  Floats& Potential() {
    State& state = state_[readout_];
    return HasPotential(graph_.nodes[readout_].type) ? state.v : state.y;
  }

  void Walk(std::uint32_t node) {
    walking_.insert(node);
    for (std::uint32_t source = 0; source < graph_.nodes.size(); ++source) {
      if (std::ranges::find(graph_.edges, std::pair(source, node)) == graph_.edges.end()) continue;
      sources_[node].push_back(source);
      if (walking_.contains(source)) {
        delayed_.insert({source, node});
      } else if (std::ranges::find(order_, source) == order_.end()) {
        Walk(source);
      }
    }
    walking_.erase(node);
    order_.push_back(node);
  }

  void FindSizes() {
    const auto sizes = InferSizes(graph_).value();
    for (const std::uint32_t index : order_) {
      State& state = state_[index];
      state.in = sizes[index].in;
      state.out = sizes[index].out;
      state.window = sizes[index].window.value_or(Window());
      for (Floats* row : {&state.y, &state.i, &state.v}) row->assign(state.out, 0.0f);
      const VStart start = manifest_.SettingsOf(graph_.nodes[index].name).v_start;
      if (start != VStart::kZero && HasPotential(graph_.nodes[index].type)) {
        for (std::size_t k = 0; k < state.out; ++k) {
          state.v[k] = FloatParameter(graph_.nodes[index], start == VStart::kLeak ? "v_leak" : "v_reset", k);
        }
      }
      if (graph_.nodes[index].type != NodeType::kDelay) continue;
      for (std::size_t k = 0; k < state.out; ++k) {
        state.delays.push_back(
            static_cast<std::size_t>(std::round(Parameter(graph_.nodes[index], "delay", k) / manifest_.dt)));
      }
    }
  }

  void MarkConstant() {
    if (manifest_.input_kind != InputKind::kConstant) return;
    for (const std::uint32_t index : order_) {
      const NodeType type = graph_.nodes[index].type;
      bool constant = HasWeight(type) || HasWindow(type) || PassesThrough(type) || type == NodeType::kScale ||
                      type == NodeType::kThreshold;
      for (const std::uint32_t source : sources_[index]) {
        constant = constant && constant_.contains(source) && !delayed_.contains({source, index});
      }
      if (constant) constant_.insert(index);
    }
  }

  bool Evaluate(std::uint32_t index, std::span<const float> input, RunResult& result) {
    const Node& node = graph_.nodes[index];
    State& state = state_[index];
    Floats x;
    if (std::ranges::find(graph_.inputs, index) != graph_.inputs.end()) {
      std::size_t first = 0;
      for (const std::uint32_t other : graph_.inputs) first += other < index ? state_[other].out : 0;
      x.assign(input.begin() + first, input.begin() + first + state.out);
    } else {
      x = state_[sources_[index][0]].y;
      for (std::size_t s = 1; s < sources_[index].size(); ++s) {
        for (std::size_t k = 0; k < x.size(); ++k) {
          x[k] = x[k] + state_[sources_[index][s]].y[k];
          if (!std::isfinite(x[k])) return false;
        }
      }
    }
    if (HasWeight(node.type)) return EvaluateWeights(node, x, state, result);
    if (HasWindow(node.type)) {
      state.y = IsConvolution(node.type) ? ConvolveByDefinition(node, state.window, x, result.synaptic_operations)
                                         : PoolByDefinition(node, state.window, x);
      return std::ranges::all_of(state.y, [](float value) { return std::isfinite(value); });
    }
    if (node.type == NodeType::kDelay) {
      state.history.push_back(x);
      for (std::size_t k = 0; k < state.out; ++k) {
        const std::size_t steps = state.delays[k];
        state.y[k] = steps < state.history.size() ? state.history[state.history.size() - 1 - steps][k] : 0.0f;
      }
      return true;
    }
    bool finite = true;
    for (std::size_t k = 0; k < state.out; ++k) {
      ElementByDefinition element(node, k, manifest_);
      finite = element.Step(x[k], state.i[k], state.v[k], state.y[k]) && finite;
      if (IsSpikingNeuron(node.type)) result.total_spikes += static_cast<std::uint64_t>(state.y[k]);
    }
    return finite;
  }

  bool EvaluateWeights(const Node& node, const Floats& x, State& state, RunResult& result) {
    const auto& weight = node.parameters.at("weight").values;
    bool finite = true;
    for (std::size_t o = 0; o < state.out; ++o) {
      float sum = node.type == NodeType::kAffine ? FloatParameter(node, "bias", o) : 0.0f;
      for (std::size_t j = 0; j < state.in; ++j) {
        if (x[j] == 0.0f) continue;
        const float product = static_cast<float>(weight[o * state.in + j]) * x[j];
        sum = sum + product;
      }
      state.y[o] = sum;
      finite = finite && std::isfinite(sum);
    }
    for (const float value : x) result.synaptic_operations += value != 0.0f ? state.out : 0;
    return finite;
  }

  std::vector<ReferenceRecordedNode> EmptyRecording() const {
    std::vector<ReferenceRecordedNode> recording;
    for (const std::uint32_t node : order_) {
      const NodeType type = graph_.nodes[node].type;
      if (CountsSpikes(node) || HasPotential(type) || node == readout_)
        recording.push_back({graph_.nodes[node].name, {}, {}});
    }
    return recording;
  }

  // Values of the last step.
  void Record(ReferenceRecordedNode& to) {
    const auto found = std::ranges::find(order_, to.node, [this](std::uint32_t k) { return graph_.nodes[k].name; });
    const NodeType type = graph_.nodes[*found].type;
    const State& state = state_[*found];
    if (CountsSpikes(*found)) {
      const std::size_t begin = to.spikes.size();
      to.spikes.resize(begin + (state.out + 7) / 8);
      for (std::size_t k = 0; k < state.out; ++k) {
        if (state.y[k] != 0.0f) to.spikes[begin + k / 8] |= static_cast<std::uint8_t>(1u << k % 8);
      }
    }
    std::uint32_t h[16] = {};
    std::uint16_t p = 0x6A09;
    std::uint16_t q = 0x3E1B;
    const auto add = [&](const Floats& row) {
      for (std::size_t k = 0; k < row.size(); ++k) {
        const auto w = std::bit_cast<std::int32_t>(row[k]);
        const std::int64_t low = static_cast<std::int16_t>(w & 0xFFFF);
        const std::int64_t high = w >> 16;
        h[k % 16] +=
            static_cast<std::uint32_t>(low * static_cast<std::int16_t>(p) + high * static_cast<std::int16_t>(q));
        if (k % 16 != 15 && k + 1 != row.size()) continue;
        p = static_cast<std::uint16_t>(p * 9);
        q = static_cast<std::uint16_t>(q * 9);
      }
    };
    if (HasCurrent(type)) add(state.i);
    add(HasPotential(type) ? state.v : state.y);
    std::uint32_t c = 0;
    for (const std::uint32_t lane : h) c = c * 0x85EBCA77u + (lane ^ (lane >> 16));
    to.checksums.push_back(c);
  }

  Digest AddNeuron(std::uint32_t node, Digest to, bool with_output) {
    if (HasCurrent(graph_.nodes[node].type)) to.AddAll<float>(state_[node].i);
    if (HasPotential(graph_.nodes[node].type)) to.AddAll<float>(state_[node].v);
    if (with_output) to.AddAll<float>(state_[node].y);
    return to;
  }

  static void AddDelayed(const State& state, Digest& to) {
    if (state.delays.empty()) return;
    for (std::size_t back = *std::ranges::max_element(state.delays); back > 0; --back) {
      const std::size_t steps = state.history.size();
      to.AddAll<float>(back <= steps ? state.history[steps - back] : Floats(state.out, 0.0f));
    }
  }

  static void AddReadout(const RunResult& result, Digest& to) {
    to.Add(result.steps);
    for (const std::uint32_t count : result.spike_counts) to.Add(count);
    for (const float potential : result.potentials) to.Add(potential);
  }

  void AddDigests(std::uint64_t model_id, RunResult& result) {
    Digest readout;
    AddReadout(result, readout);
    readout.Add(result.total_spikes);
    readout.Add(result.synaptic_operations);
    result.readout_digest = readout.Value();
    Digest digest;
    digest.Add(model_id);
    AddReadout(result, digest);
    std::vector<std::uint32_t> canonical = order_;
    std::ranges::sort(canonical, {}, [&](std::uint32_t node) { return graph_.nodes[node].name; });
    for (const std::uint32_t node : canonical) {
      const bool feeds = std::ranges::any_of(delayed_, [&](const auto& edge) { return edge.first == node; });
      digest = AddNeuron(node, digest, false);
      AddDelayed(state_[node], digest);
      if (feeds) digest.AddAll<float>(state_[node].y);
    }
    result.state_digest = digest.Value();
  }

  const Graph& graph_;
  const Manifest& manifest_;
  std::vector<std::uint32_t> order_;
  std::set<std::uint32_t> walking_;
  std::map<std::uint32_t, std::vector<std::uint32_t>> sources_;
  std::set<std::pair<std::uint32_t, std::uint32_t>> delayed_;
  std::set<std::uint32_t> constant_;
  std::map<std::uint32_t, State> state_;
  std::uint32_t readout_ = 0;
};

}  // namespace

ReferenceOutcome RunReference(const Graph& graph, const Manifest& manifest, std::uint64_t model_id,
                              std::span<const float> input) {
  return Reference(graph, manifest).Run(model_id, input);
}

}  // namespace tandem::testing
