// What tandem-engine-faulty gets wrong on purpose, for the scenarios in test/faults. None of this is in tandem-engine.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>

#include "base/status.h"

namespace tandem {

// Shares are of the answers, 0 to 1. The same seed does the same harm, and tells the same lie about the same run.
struct Faults {
  double answers = 0.0;       // a bit of the readout flips behind the digests: they are true, the answer is not
  double runs = 0.0;          // it flips before them: a false answer that all digests bear out
  double nans = 0.0;          // all potentials are NaN, and all digests bear them out
  double oneshot = 0.0;       // bits of state or weights flip during the run, and are as before after it
  double refusals = 0.0;      // the run is refused with `refuse`
  std::string refuse = {};    // a reason, as InferError has it
  std::uint32_t weights = 0;  // so many weights have one bit flipped, in memory, under their model's true id
  bool nan_weight = false;    // one weight is NaN, in memory
  std::optional<unsigned> exponent_bit = {};  // this bit of one weight is flipped, in memory
  std::chrono::milliseconds delay{0};         // every batch takes so much longer
  std::uint64_t seed = 1;
  std::string log_file = {};  // gets a line of JSON for each one-shot fault; empty: none
};

// Adds what "name=value" says. The error lists the names.
std::optional<Error> AddFault(const std::string& spec, Faults& to);

// From now on this process has them; or, where `on` is false, once they are switched. Before any run.
void SetFaults(const Faults& faults, bool on);

// Off if they are on, and on if they are off. From a signal handler, too.
void SwitchFaults();

// Those that are on. Any thread.
Faults FaultsNow();

}  // namespace tandem
