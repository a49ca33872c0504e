#include "engine/trace.h"

#include <utility>

#include "engine/fingerprints.h"
#include "engine/run.h"

namespace tandem {
namespace {

// Observes the only item of the run.
class TraceObserver final : public RunObserver {
 public:
  explicit TraceObserver(const std::function<bool()>& ask) : ask_(ask) {}

  bool Abandoned(std::size_t) override { return abandoned = ask_(); }
  void Finished(std::size_t, Expected<RunResult> result) override {
    if (!result.ok()) failed = result.error().reason;
  }

  bool abandoned = false;
  std::string failed;

 private:
  const std::function<bool()>& ask_;
};

void Take(const NetworkNode& node, const NodeState& state, Trace& to) {
  const auto row = [&node](const Rows& rows) { return std::vector<float>(rows[0], rows[0] + node.out); };
  if (HasCurrent(node.type)) to.current = row(state.current);
  if (HasPotential(node.type)) to.potential = row(state.potential);
  to.output = row(state.out);
}

}  // namespace

std::optional<Trace> TraceRun(const Network& network, std::uint32_t steps, const RunInput& input,
                              std::optional<TracePlace> place, Scratch& scratch,
                              const std::function<bool()>& abandoned) {
  TraceObserver watch(abandoned);
  Run run(network, 0, steps, {&input, 1}, scratch, watch, StepByStep(1));
  Trace trace;
  const std::uint32_t end = place ? place->step + 1 : steps;
  for (std::uint32_t step = 0; step < end; ++step) {
    run.Step();
    if (watch.abandoned) return std::nullopt;
    if (run.running() == 0) {
      trace.ended = std::move(watch.failed);
      return trace;
    }
    if (place) continue;
    // The row of a node of the constant part keeps the output of step 0 for every step.
    for (std::size_t k = 0; k < network.nodes.size(); ++k) {
      trace.digests.push_back(TraceDigest(network.nodes[k], run.state().nodes[k], 0));
    }
  }
  if (place) Take(network.nodes[place->node], run.state().nodes[place->node], trace);
  return trace;
}

}  // namespace tandem
