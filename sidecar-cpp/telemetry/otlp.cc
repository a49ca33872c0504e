#include "telemetry/otlp.h"

#include <google/protobuf/io/coded_stream.h>

#include <bit>
#include <cstdint>
#include <string_view>
#include <variant>

#include "opentelemetry/proto/resource/v1/resource.pb.h"

namespace tandem {
namespace {

using google::protobuf::io::CodedOutputStream;

constexpr std::string_view kScope = "\x0a\x0dtandem-engine";  // InstrumentationScope {name: "tandem-engine"}

// Tags: the number of a field and its wire type.
namespace tag {
constexpr std::uint8_t kResourceSpans = 0x0a;
constexpr std::uint8_t kResource = 0x0a;
constexpr std::uint8_t kScopeSpans = 0x12;
constexpr std::uint8_t kScope = 0x0a;
constexpr std::uint8_t kSpan = 0x12;
constexpr std::uint8_t kTraceId = 0x0a;
constexpr std::uint8_t kSpanId = 0x12;
constexpr std::uint8_t kParent = 0x22;
constexpr std::uint8_t kName = 0x2a;
constexpr std::uint8_t kKind = 0x30;
constexpr std::uint8_t kStart = 0x39;
constexpr std::uint8_t kEnd = 0x41;
constexpr std::uint8_t kAttribute = 0x4a;
constexpr std::uint8_t kStatus = 0x7a;
constexpr std::uint8_t kKey = 0x0a;
constexpr std::uint8_t kValue = 0x12;
constexpr std::uint8_t kText = 0x0a;
constexpr std::uint8_t kInteger = 0x18;
constexpr std::uint8_t kDouble = 0x21;
constexpr std::uint8_t kStatusText = 0x12;
constexpr std::uint8_t kStatusCode = 0x18;
}  // namespace tag

constexpr std::uint8_t kInternal = 1;  // Span.SpanKind
constexpr std::uint8_t kServer = 2;
constexpr std::uint8_t kError = 2;  // Status.StatusCode

// Sizes include the tag.
constexpr std::size_t kFixed64Bytes = 9;
constexpr std::size_t kSmallBytes = 2;

std::size_t FramedBytes(std::size_t bytes) { return 1 + CodedOutputStream::VarintSize64(bytes) + bytes; }

class Writer {
 public:
  explicit Writer(std::string& to) : to_(to) {}

  void Small(std::uint8_t tag, std::uint8_t value) {
    Byte(tag);
    Byte(value);
  }
  void Varint(std::uint64_t value) {
    std::uint8_t bytes[10];
    const auto* end = CodedOutputStream::WriteVarint64ToArray(value, bytes);
    to_.append(reinterpret_cast<const char*>(bytes), static_cast<std::size_t>(end - bytes));
  }
  void Integer(std::uint8_t tag, std::uint64_t value) {
    Byte(tag);
    Varint(value);
  }
  void Fixed64(std::uint8_t tag, std::uint64_t value) {
    Byte(tag);
    std::uint8_t bytes[8];
    CodedOutputStream::WriteLittleEndian64ToArray(value, bytes);
    to_.append(reinterpret_cast<const char*>(bytes), sizeof(bytes));
  }
  // The frame of a message or a text of this number of bytes.
  void Frame(std::uint8_t tag, std::size_t bytes) { Integer(tag, bytes); }
  void Text(std::uint8_t tag, std::string_view text) {
    Frame(tag, text.size());
    to_.append(text);
  }

 private:
  void Byte(std::uint8_t value) { to_.push_back(static_cast<char>(value)); }

  std::string& to_;
};

std::string_view Bytes(const auto& id) { return {reinterpret_cast<const char*>(id.data()), id.size()}; }

std::uint64_t UnixNanos(TimePoint time, UnixOffset offset) {
  return static_cast<std::uint64_t>((time.time_since_epoch() + offset).count());
}

struct ValueBytes {
  std::size_t operator()(std::int64_t value) const {
    return 1 + CodedOutputStream::VarintSize64(static_cast<std::uint64_t>(value));
  }
  std::size_t operator()(double) const { return kFixed64Bytes; }
  std::size_t operator()(const std::string& value) const { return FramedBytes(value.size()); }
};

struct WriteValue {
  void operator()(std::int64_t value) const { to.Integer(tag::kInteger, static_cast<std::uint64_t>(value)); }
  void operator()(double value) const { to.Fixed64(tag::kDouble, std::bit_cast<std::uint64_t>(value)); }
  void operator()(const std::string& value) const { to.Text(tag::kText, value); }
  Writer& to;
};

std::size_t AttributeBytes(const SpanAttribute& attribute) {
  return FramedBytes(attribute.key.size()) + FramedBytes(std::visit(ValueBytes{}, attribute.value));
}

void WriteAttribute(const SpanAttribute& attribute, Writer& to) {
  to.Frame(tag::kAttribute, AttributeBytes(attribute));
  to.Text(tag::kKey, attribute.key);
  to.Frame(tag::kValue, std::visit(ValueBytes{}, attribute.value));
  std::visit(WriteValue{to}, attribute.value);
}

std::size_t StatusBytes(const std::string& error) { return FramedBytes(error.size()) + kSmallBytes; }

std::size_t SpanBytes(const Span& span) {
  std::size_t bytes = FramedBytes(span.trace_id.size()) + FramedBytes(span.span_id.size()) +
                      FramedBytes(span.parent.size()) + FramedBytes(span.name.size()) + kSmallBytes + 2 * kFixed64Bytes;
  for (const SpanAttribute& attribute : span.attributes) bytes += FramedBytes(AttributeBytes(attribute));
  return bytes + (span.error.empty() ? 0 : FramedBytes(StatusBytes(span.error)));
}

void Add(const std::string& key, const std::string& value, opentelemetry::proto::resource::v1::Resource& to) {
  auto& attribute = *to.add_attributes();
  attribute.set_key(key);
  attribute.mutable_value()->set_string_value(value);
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

std::string OtlpResource(const OtlpSettings& settings) {
  opentelemetry::proto::resource::v1::Resource resource;
  Add("service.name", settings.service_name, resource);
  for (const auto& [key, value] : settings.resource) Add(key, value, resource);
  return resource.SerializeAsString();
}

void AppendOtlp(const Span& span, UnixOffset offset, std::string& to) {
  Writer writer(to);
  writer.Frame(tag::kSpan, SpanBytes(span));
  writer.Text(tag::kTraceId, Bytes(span.trace_id));
  writer.Text(tag::kSpanId, Bytes(span.span_id));
  writer.Text(tag::kParent, Bytes(span.parent));
  writer.Text(tag::kName, span.name);
  writer.Small(tag::kKind, span.is_server ? kServer : kInternal);
  writer.Fixed64(tag::kStart, UnixNanos(span.start, offset));
  writer.Fixed64(tag::kEnd, UnixNanos(span.end, offset));
  for (const SpanAttribute& attribute : span.attributes) WriteAttribute(attribute, writer);
  if (span.error.empty()) return;
  writer.Frame(tag::kStatus, StatusBytes(span.error));
  writer.Text(tag::kStatusText, span.error);
  writer.Small(tag::kStatusCode, kError);
}

std::string OtlpRequestStart(const std::string& resource, std::size_t spans_bytes) {
  const std::size_t scope_spans = FramedBytes(kScope.size()) + spans_bytes;
  std::string start;
  Writer writer(start);
  writer.Frame(tag::kResourceSpans, FramedBytes(resource.size()) + FramedBytes(scope_spans));
  writer.Text(tag::kResource, resource);
  writer.Frame(tag::kScopeSpans, scope_spans);
  writer.Text(tag::kScope, kScope);
  return start;
}

}  // namespace tandem
