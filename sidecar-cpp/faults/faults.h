// The deliberate faults of tandem-engine-faulty, for the scenarios in test/faults. None of this is in tandem-engine.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>

#include "base/status.h"

namespace tandem {

// Shares are of the answers, 0 to 1. With the same seed, the same run gets the same fault.
struct Faults {
  double answers = 0.0;       // a bit of the readout flips after the digests: they are correct, the answer is not
  double runs = 0.0;          // it flips before them: a wrong answer with matching digests
  double nans = 0.0;          // all potentials are NaN, with matching digests
  double oneshot = 0.0;       // bits of state or weights flip during the run only
  double refusals = 0.0;      // the run is refused with `refuse`
  std::string refuse = {};    // a reason, as InferError has it
  std::uint32_t weights = 0;  // this number of weights have one bit flipped, in memory; the model id stays
  bool nan_weight = false;    // one weight is NaN, in memory
  std::optional<unsigned> exponent_bit = {};  // this bit of one weight is flipped, in memory
  std::chrono::milliseconds delay{0};         // every batch takes this much longer
  std::uint64_t seed = 1;
  std::string log_file = {};  // gets a line of JSON for each one-shot fault; empty: none
};

// Adds the fault "name=value". The error lists the names.
std::optional<Error> AddFault(const std::string& spec, Faults& to);

// Enables them in this process, or, if `on` is false, prepares them for Switch. Call it before any run.
void SetFaults(const Faults& faults, bool on);

// Switches them off or on. May be called from a signal handler.
void SwitchFaults();

// The enabled faults. Any thread.
Faults FaultsNow();

}  // namespace tandem
