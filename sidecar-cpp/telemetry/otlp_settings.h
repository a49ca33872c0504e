// The destination of spans, from OpenTelemetry's own environment variables:
// https://opentelemetry.io/docs/specs/otel/configuration
#pragma once

#include <chrono>
#include <cstddef>
#include <functional>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/status.h"

namespace tandem {

using TextPairs = std::vector<std::pair<std::string, std::string>>;

struct OtlpSettings {
  std::string target;  // in gRPC's form; empty: tracing is off
  bool tls = false;    // with this machine's root certificates
  TextPairs headers;   // sent with every export; may be secrets
  std::chrono::milliseconds timeout{10000};

  std::string service_name;
  TextPairs resource;  // further attributes of this program, each key once

  std::size_t max_queue = 2048;  // maximum waiting spans; further ones are dropped
  std::size_t max_batch = 512;   // maximum spans in one export
  std::chrono::milliseconds delay{5000};

  // Pauses after failures double, from the first to the longest.
  std::chrono::milliseconds first_pause{1000};
  std::chrono::milliseconds longest_pause{30000};

  // Replaces the environment's value of the same key, which may be inherited from another program.
  void SetResource(const std::string& key, std::string value);
};

// The value of a variable; nullopt: it is not set.
using Environment = std::function<std::optional<std::string>(const char* name)>;

// Reads OTEL_EXPORTER_OTLP_[TRACES_]ENDPOINT (http://host:port, https://host:port, or unix:/path), …_PROTOCOL (grpc),
// …_HEADERS and …_TIMEOUT, OTEL_TRACES_EXPORTER (otlp or none), OTEL_SDK_DISABLED, OTEL_SERVICE_NAME,
// OTEL_RESOURCE_ATTRIBUTES, and OTEL_BSP_SCHEDULE_DELAY, …_MAX_QUEUE_SIZE and …_MAX_EXPORT_BATCH_SIZE. Empty counts as
// unset. The caller decides which traces are sampled: OTEL_TRACES_SAMPLER is for the router. The error names the
// invalid variable and says what to do.
Expected<OtlpSettings> ReadOtlpSettings(const Environment& environment);

}  // namespace tandem
