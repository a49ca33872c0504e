// W3C Trace Context: the ids that connect spans of several programs to one trace.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace tandem {

using TraceId = std::array<std::uint8_t, 16>;
using SpanId = std::array<std::uint8_t, 8>;

// Bytes of a context in InferItem.trace_parent: trace id, span id, flags.
inline constexpr std::size_t kTraceContextBytes = 25;

struct TraceContext {
  TraceId trace_id{};
  SpanId span_id{};
  bool sampled = false;
};

// nullopt if it is not kTraceContextBytes long, or an id is all zeros, which the W3C forbids.
std::optional<TraceContext> TraceContextFromBytes(std::string_view bytes);

// The bytes of a `traceparent` header: "00-<32 hex>-<16 hex>-<2 hex>"; a later version may append more. nullopt if it
// has another form. TraceContextFromBytes checks the ids.
std::optional<std::string> BytesOfTraceparent(std::string_view header);

// Lower-case hex.
std::string Hex(std::string_view bytes);
std::string Hex(const TraceId& id);

// A random id. Fast and thread-safe: each thread has its own generator. Not for secrets.
SpanId NewSpanId();

}  // namespace tandem
