#include "telemetry/otlp.h"

#include <string_view>
#include <variant>

namespace tandem {
namespace {

using opentelemetry::proto::common::v1::AnyValue;
using opentelemetry::proto::common::v1::KeyValue;
using OtlpSpan = opentelemetry::proto::trace::v1::Span;

std::uint64_t UnixNanos(TimePoint time, UnixOffset offset) {
  return static_cast<std::uint64_t>((time.time_since_epoch() + offset).count());
}

void Set(AnyValue& to, std::int64_t value) { to.set_int_value(value); }
void Set(AnyValue& to, double value) { to.set_double_value(value); }
void Set(AnyValue& to, const std::string& value) { to.set_string_value(value); }

template <typename Value>
void Add(std::string_view key, const Value& value, google::protobuf::RepeatedPtrField<KeyValue>& to) {
  KeyValue& attribute = *to.Add();
  attribute.mutable_key()->assign(key);
  Set(*attribute.mutable_value(), value);
}

}  // namespace

// The thread may be interrupted between two readings for milliseconds, so the closest of a few pairs is used.
UnixOffset CurrentUnixOffset() {
  constexpr int kReadings = 3;
  UnixOffset offset{};
  auto shortest = Clock::duration::max();
  for (int reading = 0; reading < kReadings; ++reading) {
    const TimePoint before = Clock::now();
    const auto wall = std::chrono::system_clock::now().time_since_epoch();
    const auto took = Clock::now() - before;
    if (took >= shortest) continue;
    shortest = took;
    offset = std::chrono::duration_cast<UnixOffset>(wall) - (before.time_since_epoch() + took / 2);
  }
  return offset;
}

opentelemetry::proto::resource::v1::Resource ToOtlpResource(const OtlpSettings& settings) {
  opentelemetry::proto::resource::v1::Resource resource;
  Add("service.name", settings.service_name, *resource.mutable_attributes());
  for (const auto& [key, value] : settings.resource) Add(key, value, *resource.mutable_attributes());
  return resource;
}

void ToOtlp(const Span& span, UnixOffset offset, OtlpSpan& to) {
  to.set_trace_id(span.trace_id.data(), span.trace_id.size());
  to.set_span_id(span.span_id.data(), span.span_id.size());
  to.set_parent_span_id(span.parent.data(), span.parent.size());
  to.set_name(span.name);
  to.set_kind(span.is_server ? OtlpSpan::SPAN_KIND_SERVER : OtlpSpan::SPAN_KIND_INTERNAL);
  to.set_start_time_unix_nano(UnixNanos(span.start, offset));
  to.set_end_time_unix_nano(UnixNanos(span.end, offset));
  for (const SpanAttribute& attribute : span.attributes) {
    std::visit([&](const auto& value) { Add(attribute.key, value, *to.mutable_attributes()); }, attribute.value);
  }
  if (span.error.empty()) return;
  to.mutable_status()->set_code(opentelemetry::proto::trace::v1::Status::STATUS_CODE_ERROR);
  to.mutable_status()->set_message(span.error);
}

}  // namespace tandem
