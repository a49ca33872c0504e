#include "telemetry/otlp_settings.h"

#include <algorithm>
#include <charconv>
#include <cstdint>
#include <string_view>

#include "base/text.h"

namespace tandem {
namespace {

constexpr std::string_view kUnix = "unix:";
constexpr std::string_view kHttp = "http://";
constexpr std::string_view kHttps = "https://";
constexpr const char* kDefaultService = "tandem-engine";
constexpr std::uint64_t kMaxMs = 3'600'000;
constexpr std::uint64_t kMaxSpans = 1'000'000;

Error Bad(const std::string& variable, const std::string& what) {
  return {Code::kInvalidArgument, "TRACING", variable + " " + what, {{"variable", variable}}};
}

struct Variable {
  std::string name;
  std::string value;  // empty: not set
};

Variable Read(const Environment& environment, const std::string& name) {
  return {name, environment(name.c_str()).value_or("")};
}

// The variable for traces, else the variable for all exports.
Variable ReadOtlp(const Environment& environment, const std::string& name) {
  Variable traces = Read(environment, "OTEL_EXPORTER_OTLP_TRACES_" + name);
  return traces.value.empty() ? Read(environment, "OTEL_EXPORTER_OTLP_" + name) : traces;
}

std::string_view Trim(std::string_view text) {
  constexpr std::string_view kBlank = " \t";
  text.remove_prefix(std::min(text.find_first_not_of(kBlank), text.size()));
  return text.substr(0, text.find_last_not_of(kBlank) + 1);
}

std::string LowerCase(std::string text) {
  for (char& c : text) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  return text;
}

// Decodes escapes: %41 is A. Other text stays.
std::string Unescape(std::string_view text) {
  std::string plain;
  for (std::size_t k = 0; k < text.size(); ++k) {
    std::uint8_t byte = 0;
    const char* const digits = text.data() + k + 1;
    const bool escape =
        text[k] == '%' && k + 2 < text.size() && std::from_chars(digits, digits + 2, byte, 16).ptr == digits + 2;
    plain.push_back(escape ? static_cast<char>(byte) : text[k]);
    if (escape) k += 2;
  }
  return plain;
}

void Set(TextPairs& pairs, const std::string& key, std::string value) {
  std::erase_if(pairs, [&](const auto& pair) { return pair.first == key; });
  pairs.emplace_back(key, std::move(value));
}

// Parses "key=value,key=value" with escapes in values. If a key occurs twice, the last value counts.
Expected<TextPairs> ReadPairs(const Variable& variable) {
  TextPairs pairs;
  std::string_view rest = variable.value;
  while (!rest.empty()) {
    const std::string_view entry = Trim(rest.substr(0, rest.find(',')));
    rest.remove_prefix(std::min(rest.find(','), rest.size() - 1) + 1);
    if (entry.empty()) continue;
    const std::size_t equals = entry.find('=');
    const std::string key(Trim(entry.substr(0, equals)));
    if (equals == std::string_view::npos || key.empty()) {
      return Bad(variable.name, "must be key=value,key=value; write a comma inside a value as %2C");
    }
    std::string value = Unescape(Trim(entry.substr(equals + 1)));
    if (!IsUtf8(key) || !IsUtf8(value)) return Bad(variable.name, "must be UTF-8");
    Set(pairs, key, std::move(value));
  }
  return pairs;
}

// Sets `to` if the variable is set.
MaybeError ReadNumber(const Variable& variable, const std::string& unit, std::uint64_t max, std::uint64_t& to) {
  if (variable.value.empty()) return std::nullopt;
  std::uint64_t number = 0;
  const char* const end = variable.value.data() + variable.value.size();
  const auto [stop, failed] = std::from_chars(variable.value.data(), end, number);
  if (failed == std::errc() && stop == end && number >= 1 && number <= max) {
    to = number;
    return std::nullopt;
  }
  return Bad(variable.name, "must be a number of " + unit + " from 1 to " + std::to_string(max) + ", found \"" +
                                Printable(variable.value) + "\"");
}

MaybeError ReadEndpoint(const Variable& variable, OtlpSettings& to) {
  std::string_view endpoint = variable.value;
  if (endpoint.starts_with(kUnix) && endpoint.size() > kUnix.size()) {
    to.target = endpoint;
    return std::nullopt;
  }
  to.tls = endpoint.starts_with(kHttps);
  const bool known = to.tls || endpoint.starts_with(kHttp);
  if (known) endpoint.remove_prefix((to.tls ? kHttps : kHttp).size());
  endpoint = endpoint.substr(0, endpoint.find('/'));  // a path means nothing to gRPC
  // A gRPC address has no name and password; a collector gets them in headers.
  if (!known || endpoint.empty() || endpoint.find('@') != std::string_view::npos) {
    return Bad(variable.name,
               "must be http://host:port or https://host:port of an OTLP/gRPC receiver, or unix:/path of its socket");
  }
  to.target = endpoint;
  const std::size_t colon = endpoint.rfind(':');
  const bool has_port = colon != std::string_view::npos && endpoint.find(']', colon) == std::string_view::npos;
  if (!has_port) to.target += ":4317";
  return std::nullopt;
}

MaybeError ReadResource(const Environment& environment, OtlpSettings& to) {
  auto resource = ReadPairs(Read(environment, "OTEL_RESOURCE_ATTRIBUTES"));
  if (!resource.ok()) return resource.error();
  to.service_name = Read(environment, "OTEL_SERVICE_NAME").value;
  for (auto& [key, value] : resource.value()) {
    if (key != "service.name") {
      to.resource.emplace_back(std::move(key), std::move(value));
    } else if (to.service_name.empty()) {
      to.service_name = std::move(value);
    }
  }
  if (to.service_name.empty()) to.service_name = kDefaultService;
  if (!IsUtf8(to.service_name)) return Bad("OTEL_SERVICE_NAME", "must be UTF-8");
  return std::nullopt;
}

MaybeError ReadExport(const Environment& environment, OtlpSettings& to) {
  const Variable protocol = ReadOtlp(environment, "PROTOCOL");
  if (!protocol.value.empty() && protocol.value != "grpc") {
    return Bad(protocol.name, "is \"" + Printable(protocol.value) +
                                  "\", but this engine exports over gRPC only; set it to grpc and " +
                                  "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT to an OTLP/gRPC receiver (port 4317 as a rule)");
  }
  auto headers = ReadPairs(ReadOtlp(environment, "HEADERS"));
  if (!headers.ok()) return headers.error();
  to.headers = std::move(headers).value();
  for (auto& [key, value] : to.headers) {
    key = LowerCase(key);
  }
  std::uint64_t timeout_ms = to.timeout.count();
  std::uint64_t delay_ms = to.delay.count();
  std::uint64_t max_queue = to.max_queue;
  std::uint64_t max_batch = to.max_batch;
  if (auto error = ReadNumber(ReadOtlp(environment, "TIMEOUT"), "milliseconds", kMaxMs, timeout_ms)) return error;
  const auto bsp = [&](const std::string& name) { return Read(environment, "OTEL_BSP_" + name); };
  if (auto error = ReadNumber(bsp("SCHEDULE_DELAY"), "milliseconds", kMaxMs, delay_ms)) return error;
  if (auto error = ReadNumber(bsp("MAX_QUEUE_SIZE"), "spans", kMaxSpans, max_queue)) return error;
  if (auto error = ReadNumber(bsp("MAX_EXPORT_BATCH_SIZE"), "spans", kMaxSpans, max_batch)) return error;
  to.timeout = std::chrono::milliseconds(timeout_ms);
  to.delay = std::chrono::milliseconds(delay_ms);
  to.max_queue = max_queue;
  to.max_batch = std::min(max_batch, max_queue);
  return std::nullopt;
}

}  // namespace

void OtlpSettings::SetResource(const std::string& key, std::string value) { Set(resource, key, std::move(value)); }

Expected<OtlpSettings> ReadOtlpSettings(const Environment& environment) {
  OtlpSettings settings;
  const Variable exporter = Read(environment, "OTEL_TRACES_EXPORTER");
  const Variable endpoint = ReadOtlp(environment, "ENDPOINT");
  const bool off = LowerCase(Read(environment, "OTEL_SDK_DISABLED").value) == "true" || exporter.value == "none";
  if (off || endpoint.value.empty()) return settings;
  if (!exporter.value.empty() && exporter.value != "otlp") {
    return Bad(exporter.name, "is \"" + Printable(exporter.value) + "\"; this engine supports otlp and none");
  }
  if (auto error = ReadExport(environment, settings)) return *std::move(error);
  if (auto error = ReadResource(environment, settings)) return *std::move(error);
  if (auto error = ReadEndpoint(endpoint, settings)) return *std::move(error);
  return settings;
}

}  // namespace tandem
