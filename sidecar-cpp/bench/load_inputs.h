// The requests tandem-load sends, serialised once.
#pragma once

#include <string>
#include <vector>

#include "base/status.h"
#include "bench/load_options.h"

namespace tandem::bench {

// Serialised request messages, at least one, to be sent in turn.
Expected<std::vector<std::string>> LoadRequests(const LoadOptions& options);

}  // namespace tandem::bench
