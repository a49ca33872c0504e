// Logs go to stderr, so that stdout holds nothing but the ready line. One event is one line. Inputs, answers and the
// headers of exports are never in it.
#pragma once

#include <string>

#include "base/status.h"
#include "telemetry/trace_context.h"

namespace tandem {

// Sets the process-wide logger up. `level` is one of trace, debug, info, warn, error, off. `json`: one JSON object a
// line. Call once, before other threads log.
MaybeError SetUpLog(const std::string& level, bool json);

// One level more (down to trace) or less (up to error) is logged from now on; a line says which. Any thread.
void LogMore();
void LogLess();

// While it lives, what the calling thread logs names a trace. The id must outlive it.
class TraceInLog {
 public:
  explicit TraceInLog(const TraceId& id);
  ~TraceInLog();
  TraceInLog(const TraceInLog&) = delete;
  TraceInLog& operator=(const TraceInLog&) = delete;
};

}  // namespace tandem
