// A piece of work that is over, and the trace it belongs to.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/clock.h"
#include "telemetry/trace_context.h"

namespace tandem {

// Of a span or of the program. Keys of spans are literals: a string that outlives the span.
struct SpanAttribute {
  std::string_view key;
  std::variant<std::int64_t, double, std::string> value;
};

struct Span {
  TraceId trace_id{};
  SpanId span_id{};
  SpanId parent{};
  std::string name;
  bool is_server = false;  // answers a call from another program; else it is a part of one that does
  TimePoint start;
  TimePoint end;
  std::vector<SpanAttribute> attributes;
  std::string error;  // empty: it went well
};

// Takes spans that ended. Thread-safe, and never keeps its caller waiting.
class SpanSink {
 public:
  virtual ~SpanSink() = default;
  // Spans that belong together, a parent and its children, in any order.
  virtual void Add(std::vector<Span> spans) = 0;
};

}  // namespace tandem
