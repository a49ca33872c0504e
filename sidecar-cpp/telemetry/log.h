// Logs go to stderr, so that stdout holds nothing but the ready line.
#pragma once

#include <string>

#include "base/status.h"

namespace tandem {

// Sets the process-wide logger up. `level` is one of trace, debug, info, warn, error, off. `json`: one JSON object a
// line. Call once, before other threads log.
MaybeError SetUpLog(const std::string& level, bool json);

}  // namespace tandem
