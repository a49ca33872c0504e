// `tandem-engine learn-replay FILE`: learns all examples of a learning log again, and compares every commit's state to
// the bit. The log's form: services/learning/log-record.ts.
#pragma once

#include <cstdint>
#include <string>

#include "base/status.h"

namespace tandem {

struct ReplayResult {
  std::uint64_t examples = 0;
  std::uint64_t commits = 0;
  // XXH64 of the state at the end.
  std::uint64_t digest = 0;
};

// Returns an error if the log is damaged, or if a commit has another state than the examples before it give. An
// incomplete last record, as after a crash, is ignored.
Expected<ReplayResult> ReplayLog(const std::string& file);

// Prints the result to stdout, or the error to stderr. The process's exit code: 0 or 1.
int PrintReplay(const std::string& file);

}  // namespace tandem
