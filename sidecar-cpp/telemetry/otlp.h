// Encodes spans in the OpenTelemetry protocol.
#pragma once

#include <chrono>
#include <span>
#include <utility>

#include "base/clock.h"
#include "opentelemetry/proto/collector/trace/v1/trace_service.pb.h"
#include "telemetry/otlp_settings.h"
#include "telemetry/span.h"

namespace tandem {

// The offset from our clock to the time since 1970.
using UnixOffset = std::chrono::nanoseconds;

// The present offset. Related spans must use the same offset: readings of two clocks differ a little, and a child must
// stay within its parent. Other spans use a new one, so it follows changes of the wall clock.
UnixOffset CurrentUnixOffset();

// The program of the spans: its service name and further attributes.
opentelemetry::proto::resource::v1::Resource ToOtlpResource(const OtlpSettings& settings);

void ToOtlp(const Span& span, UnixOffset offset, opentelemetry::proto::trace::v1::Span& to);

}  // namespace tandem
