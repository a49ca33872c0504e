#include "telemetry/log.h"

#include <spdlog/pattern_formatter.h>
#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <array>
#include <cstdio>
#include <memory>

#include "base/text.h"

namespace tandem {
namespace {

// %* in the pattern: the message, escaped for a JSON string.
class JsonMessage : public spdlog::custom_flag_formatter {
 public:
  void format(const spdlog::details::log_msg& message, const std::tm&, spdlog::memory_buf_t& to) override {
    for (const char c : message.payload) {
      if (c == '"' || c == '\\') to.push_back('\\');
      if (static_cast<unsigned char>(c) >= 0x20) {
        to.push_back(c);
        continue;
      }
      char escaped[8];
      std::snprintf(escaped, sizeof(escaped), "\\u%04x", static_cast<unsigned>(c));
      to.append(escaped, escaped + 6);
    }
  }
  [[nodiscard]] std::unique_ptr<custom_flag_formatter> clone() const override {
    return spdlog::details::make_unique<JsonMessage>();
  }
};

thread_local const TraceId* trace_in_log = nullptr;

// %~ in the pattern: the trace of the line, if it has one.
class TraceField : public spdlog::custom_flag_formatter {
 public:
  explicit TraceField(bool json) : json_(json) {}
  void format(const spdlog::details::log_msg&, const std::tm&, spdlog::memory_buf_t& to) override {
    if (trace_in_log == nullptr) return;
    std::string field = json_ ? R"(,"trace_id":")" : " trace_id=";
    field += Hex(*trace_in_log);
    if (json_) field += '"';
    to.append(field.data(), field.data() + field.size());
  }
  [[nodiscard]] std::unique_ptr<custom_flag_formatter> clone() const override {
    return spdlog::details::make_unique<TraceField>(json_);
  }

 private:
  bool json_;
};

void MoveLevel(int by) {
  const int level = std::clamp<int>(spdlog::get_level() + by, spdlog::level::trace, spdlog::level::err);
  const auto now = static_cast<spdlog::level::level_enum>(level);
  spdlog::set_level(now);
  const auto name = spdlog::level::to_string_view(now);
  // Logged at a level that is shown.
  spdlog::log(std::max(now, spdlog::level::info), "the log level is now {}",
              std::string_view(name.data(), name.size()));
}

}  // namespace

TraceInLog::TraceInLog(const TraceId& id) { trace_in_log = &id; }
TraceInLog::~TraceInLog() { trace_in_log = nullptr; }

void LogMore() { MoveLevel(-1); }
void LogLess() { MoveLevel(+1); }

MaybeError SetUpLog(const std::string& level, bool json) {
  constexpr std::array kLevels = {"trace", "debug", "info", "warn", "error", "off"};
  if (std::ranges::find(kLevels, level) == kLevels.end()) {
    return Error{Code::kInvalidArgument,
                 "LOG_LEVEL",
                 "log level \"" + Printable(level) + "\" is not one of trace, debug, info, warn, error, off",
                 {}};
  }
  auto logger = spdlog::stderr_logger_mt("tandem-engine");
  auto formatter = std::make_unique<spdlog::pattern_formatter>();
  formatter->add_flag<JsonMessage>('*');
  formatter->add_flag<TraceField>('~', json);
  formatter->set_pattern(json ? R"({"time":"%Y-%m-%dT%H:%M:%S.%e%z","level":"%l","pid":%P,"message":"%*"%~})"
                              : "%Y-%m-%dT%H:%M:%S.%e%z %l %v%~");
  logger->set_formatter(std::move(formatter));
  logger->set_level(spdlog::level::from_str(level));
  spdlog::set_default_logger(std::move(logger));
  return std::nullopt;
}

}  // namespace tandem
