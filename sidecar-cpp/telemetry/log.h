// Logs go to stderr, so that stdout has only the ready line. One event is one line. A line never has inputs, answers or
// the headers of exports.
#pragma once

#include <string>

#include "base/status.h"
#include "telemetry/trace_context.h"

namespace tandem {

// Sets up the logger of the process. `level` is one of trace, debug, info, warn, error, off. `json`: one JSON object
// per line. Call it once, before other threads log.
MaybeError SetUpLog(const std::string& level, bool json);

// Logs one level more (down to trace) or less (up to error) from now on, and logs the new level. Any thread.
void LogMore();
void LogLess();

// While it exists, log lines of the calling thread have this trace id. The id must outlive it.
class TraceInLog {
 public:
  explicit TraceInLog(const TraceId& id);
  ~TraceInLog();
  TraceInLog(const TraceInLog&) = delete;
  TraceInLog& operator=(const TraceInLog&) = delete;
};

}  // namespace tandem
