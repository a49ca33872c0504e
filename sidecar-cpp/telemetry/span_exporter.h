// Sends spans to an OTLP/gRPC receiver, from a thread and over a channel of its own. A caller of Export pays for
// moving them into a list, whether the receiver is there, slow or gone.
#pragma once

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <mutex>
#include <span>
#include <string>
#include <thread>
#include <vector>

#include "telemetry/occasionally.h"
#include "telemetry/otlp.h"
#include "telemetry/otlp_client.h"
#include "telemetry/otlp_settings.h"
#include "telemetry/span.h"

namespace tandem {

// Thread-safe. Holds at most settings.max_queue spans, those on their way included; what comes then is dropped,
// counted, and said in the log once a minute at most. While the receiver cannot be reached, spans are kept and sent
// again after growing pauses; spans that it refuses, or does not take in time, are dropped.
class SpanExporter final : public SpanSink {
 public:
  // `settings` name a target. Starts a thread.
  explicit SpanExporter(OtlpSettings settings);
  ~SpanExporter() override;

  void Add(std::vector<Span> spans) override;

  // Sends what is held, once, and ends; what is not sent after `limit` is dropped, and so is what is added later. Once.
  void Close(std::chrono::milliseconds limit);

  [[nodiscard]] std::uint64_t sent() const { return sent_; }
  [[nodiscard]] std::uint64_t dropped() const { return dropped_; }

 private:
  void Run();
  // Waits until there is a batch or the delay is over; nothing, once closing: no more will come.
  std::vector<Span> Take();
  // Sends a batch until it is taken or given up.
  void Deliver(std::span<const Span> batch, UnixOffset offset);
  void NoteFailure(const grpc::Status& status);
  // The pause before the next try. False: there is none, the one after the close was the last.
  bool Pause();
  void LogDrops(bool last);
  TimePoint close_by();

  const OtlpSettings settings_;
  OtlpClient client_;

  std::mutex mutex_;
  std::condition_variable wake_;        // a batch is there, or closing
  std::condition_variable ended_wake_;  // the thread is done
  std::vector<std::vector<Span>> queue_;
  std::size_t held_ = 0;              // spans in the queue and on their way
  TimePoint close_by_ = kNoDeadline;  // set: closing
  bool ended_ = false;

  std::atomic<std::uint64_t> sent_ = 0;
  std::atomic<std::uint64_t> dropped_ = 0;

  // The thread's own.
  std::chrono::milliseconds pause_;
  std::string failure_;  // why the last try failed; empty: it did not
  std::uint64_t logged_drops_ = 0;
  Occasionally log_failure_;
  Occasionally log_drops_;

  std::thread thread_;  // last: it uses what stands above
};

}  // namespace tandem
