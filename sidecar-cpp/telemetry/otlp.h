// Spans as the OpenTelemetry protocol has them.
#pragma once

#include <chrono>
#include <span>
#include <utility>

#include "base/clock.h"
#include "opentelemetry/proto/collector/trace/v1/trace_service.pb.h"
#include "telemetry/otlp_settings.h"
#include "telemetry/span.h"

namespace tandem {

// What to add to a point on our clock for the time since 1970.
using UnixOffset = std::chrono::nanoseconds;

// The offset of now. Spans that belong together must get one and the same: two readings of two clocks differ a little,
// and a child must not leave its parent. Taken anew for others, it follows a wall clock that is set.
UnixOffset CurrentUnixOffset();

// The program that the spans come from: its service name and further attributes.
opentelemetry::proto::resource::v1::Resource ToOtlpResource(const OtlpSettings& settings);

void ToOtlp(const Span& span, UnixOffset offset, opentelemetry::proto::trace::v1::Span& to);

}  // namespace tandem
