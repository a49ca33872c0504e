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
  std::uint32_t weights = 0;  // so many weights have one bit flipped, in memory, under their model's true id
  std::chrono::milliseconds delay{0};  // every batch takes so much longer
  std::uint64_t seed = 1;
};

// Adds what "name=number" says. The error lists the names.
std::optional<Error> AddFault(const std::string& spec, Faults& to);

// From now on this process has them; or, where `on` is false, once they are switched. Before any run.
void SetFaults(const Faults& faults, bool on);

// Off if they are on, and on if they are off. From a signal handler, too.
void SwitchFaults();

// Those that are on. Any thread.
Faults FaultsNow();

}  // namespace tandem
