// A finished piece of work, and its trace.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/clock.h"
#include "telemetry/trace_context.h"

namespace tandem {

// An attribute of a span or of the program. Keys of spans are literals, so they outlive the span.
struct SpanAttribute {
  std::string_view key;
  std::variant<std::int64_t, double, std::string> value;
};

struct Span {
  TraceId trace_id{};
  SpanId span_id{};
  SpanId parent{};
  std::string name;
  bool is_server = false;  // true if it answers a call of another program; else it is a part of such a span
  TimePoint start;
  TimePoint end;
  std::vector<SpanAttribute> attributes;
  std::string error;  // empty: it went well
};

// Accepts ended spans. Thread-safe; never blocks.
class SpanSink {
 public:
  virtual ~SpanSink() = default;
  // Related spans, a parent and its children, in any order.
  virtual void Add(std::vector<Span> spans) = 0;
};

}  // namespace tandem
