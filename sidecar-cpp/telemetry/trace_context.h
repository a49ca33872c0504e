// Who asked, as W3C Trace Context says it: the ids that tie spans of several programs to one trace.
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

// nullopt: not kTraceContextBytes long, or an id is all zeros, which the W3C forbids.
std::optional<TraceContext> TraceContextFromBytes(std::string_view bytes);

// The bytes that a `traceparent` header stands for: "00-<32 hex>-<16 hex>-<2 hex>"; a later version may have more
// behind. nullopt: it is none. Whether the ids are valid is left to TraceContextFromBytes.
std::optional<std::string> BytesOfTraceparent(std::string_view header);

// Lower-case hex.
std::string Hex(std::string_view bytes);
std::string Hex(const TraceId& id);

// A random id. Fast and thread-safe: each thread has a generator of its own. Not for secrets.
SpanId NewSpanId();

}  // namespace tandem
