#include "engine/simulator.h"

#include "engine/run.h"

namespace tandem {

void RunBatch(const Network& network, std::uint64_t model_id, std::uint32_t steps, std::span<const RunInput> inputs,
              Scratch& scratch, RunObserver& observer, NodeTimes* times, RunRecorder* recorder) {
  Run run(network, model_id, steps, inputs, scratch, observer, BlockFor(network, inputs.size(), steps));
  if (times != nullptr) run.Measure(*times);
  if (recorder != nullptr) run.Record(*recorder);
  run.ToTheEnd();
}

}  // namespace tandem
