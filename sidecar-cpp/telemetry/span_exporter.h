// Sends spans to an OTLP/gRPC receiver, on a separate thread and channel. A call of Export only moves them into a list,
// also if the receiver is slow or unreachable.
#pragma once

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "telemetry/occasionally.h"
#include "telemetry/otlp.h"
#include "telemetry/otlp_client.h"
#include "telemetry/otlp_settings.h"
#include "telemetry/span.h"

namespace tandem {

// Thread-safe. Holds at most settings.max_queue spans, including those being sent. Further ones are dropped and
// counted, and the log says so at most once a minute. While the receiver is unreachable, spans are kept and sent again
// after growing pauses. Spans that it refuses, or does not accept in time, are dropped.
class SpanExporter final : public SpanSink {
 public:
  // `settings` must have a target. Starts a thread.
  explicit SpanExporter(OtlpSettings settings);
  ~SpanExporter() override;

  void Add(std::vector<Span> spans) override;

  // Sends the remaining spans once, and ends. Spans that are not sent within `limit`, and later ones, are dropped. Call
  // it once.
  void Close(std::chrono::milliseconds limit);

  [[nodiscard]] std::uint64_t sent() const { return sent_; }
  [[nodiscard]] std::uint64_t dropped() const { return dropped_; }

 private:
  void Run();
  // Waits until there is a batch or the delay has passed. Returns nothing at the end, after closing.
  std::vector<std::vector<Span>> Take();
  // Sends `count` encoded spans until they are accepted or given up.
  void Deliver(const std::string& spans, std::size_t count);
  void NoteFailure(const grpc::Status& status);
  // Waits before the next attempt. Returns false if there is none: after the close there is only one.
  bool Pause();
  void LogDrops(bool last);
  TimePoint close_by();

  const OtlpSettings settings_;
  const std::string resource_;
  OtlpClient client_;

  std::mutex mutex_;
  std::condition_variable wake_;        // a batch is there, or closing
  std::condition_variable ended_wake_;  // the thread is done
  std::vector<std::vector<Span>> queue_;
  std::size_t held_ = 0;              // spans in the queue and being sent
  TimePoint close_by_ = kNoDeadline;  // set: closing
  bool ended_ = false;

  std::atomic<std::uint64_t> sent_ = 0;
  std::atomic<std::uint64_t> dropped_ = 0;

  // The thread's own.
  std::chrono::milliseconds pause_;
  std::string failure_;  // error of the last attempt; empty: it succeeded
  std::uint64_t logged_drops_ = 0;
  Occasionally log_failure_;
  Occasionally log_drops_;

  std::thread thread_;  // last: it uses the members above
};

}  // namespace tandem
