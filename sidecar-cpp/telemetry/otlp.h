// Encodes spans in the OpenTelemetry protocol: opentelemetry/proto/collector/trace/v1/trace_service.proto.
#pragma once

#include <chrono>
#include <string>

#include "base/clock.h"
#include "telemetry/otlp_settings.h"
#include "telemetry/span.h"

namespace tandem {

// The offset from our clock to the time since 1970.
using UnixOffset = std::chrono::nanoseconds;

// The present offset. Related spans must use the same offset: readings of two clocks differ a little, and a child must
// stay within its parent. Other spans use a new one, so it follows changes of the wall clock.
UnixOffset CurrentUnixOffset();

// A message Resource, encoded: the program's service name and further attributes.
std::string OtlpResource(const OtlpSettings& settings);

// Appends `span` as an element of ScopeSpans.spans. Written by hand, since a tracing router wants three spans of each
// input, and building protobuf's objects took longer than the rest of their way.
void AppendOtlp(const Span& span, UnixOffset offset, std::string& to);

// The beginning of an ExportTraceServiceRequest that ends with `spans_bytes` bytes of AppendOtlp.
std::string OtlpRequestStart(const std::string& resource, std::size_t spans_bytes);

}  // namespace tandem
