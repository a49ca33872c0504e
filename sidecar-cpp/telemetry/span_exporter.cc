#include "telemetry/span_exporter.h"

#include <spdlog/spdlog.h>

#include <algorithm>
#include <iterator>
#include <utility>

#include "base/text.h"

namespace tandem {

SpanExporter::SpanExporter(OtlpSettings settings)
    : settings_(std::move(settings)),
      resource_(OtlpResource(settings_)),
      client_(settings_),
      pause_(settings_.first_pause) {
  queue_.reserve(settings_.max_queue);
  thread_ = std::thread([this] { Run(); });
}

SpanExporter::~SpanExporter() {
  if (thread_.joinable()) Close(std::chrono::milliseconds(0));
}

void SpanExporter::Add(std::vector<Span> spans) {
  const std::size_t count = spans.size();
  if (count == 0) return;
  bool full_batch = false;
  {
    const std::lock_guard lock(mutex_);
    if (close_by_ != kNoDeadline || held_ + count > settings_.max_queue) {
      dropped_ += count;
      return;
    }
    full_batch = held_ < settings_.max_batch && held_ + count >= settings_.max_batch;
    held_ += count;
    queue_.push_back(std::move(spans));
  }
  if (full_batch) wake_.notify_one();
}

void SpanExporter::Close(std::chrono::milliseconds limit) {
  {
    std::unique_lock lock(mutex_);
    close_by_ = Clock::now() + limit;
    wake_.notify_one();
    ended_wake_.wait_until(lock, close_by_, [this] { return ended_; });
  }
  client_.Cancel();
  thread_.join();
}

void SpanExporter::Run() {
  std::string encoded;
  for (auto taken = Take(); !taken.empty(); taken = Take()) {
    const UnixOffset offset = CurrentUnixOffset();
    std::size_t count = 0;
    for (const std::vector<Span>& together : taken) {
      for (const Span& span : together) {
        AppendOtlp(span, offset, encoded);
        if (++count < settings_.max_batch) continue;
        Deliver(encoded, count);
        encoded.clear();
        count = 0;
      }
    }
    if (count > 0) Deliver(encoded, count);
    encoded.clear();
  }
  LogDrops(true);
  const std::lock_guard lock(mutex_);
  ended_ = true;
  ended_wake_.notify_one();
}

std::vector<std::vector<Span>> SpanExporter::Take() {
  std::vector<std::vector<Span>> taken;
  const auto closing = [this] { return close_by_ != kNoDeadline; };
  while (taken.empty()) {
    LogDrops(false);
    std::unique_lock lock(mutex_);
    wake_.wait_for(lock, settings_.delay, [&] { return closing() || held_ >= settings_.max_batch; });
    if (queue_.empty() && closing()) return {};
    taken.reserve(settings_.max_queue);
    taken.swap(queue_);
  }
  return taken;
}

void SpanExporter::Deliver(const std::string& spans, std::size_t count) {
  const grpc::Slice parts[] = {grpc::Slice(OtlpRequestStart(resource_, spans.size())), grpc::Slice(spans)};
  const grpc::ByteBuffer request(parts, std::size(parts));

  bool taken = false;
  for (bool again = true; again && !taken;) {
    const grpc::Status status = client_.Export(request, close_by());
    taken = status.ok();
    if (!taken) NoteFailure(status);
    again = status.error_code() == grpc::StatusCode::UNAVAILABLE && Pause();
  }
  if (taken) {
    if (!failure_.empty()) spdlog::info("tracing: {} accepts spans again", settings_.target);
    failure_.clear();
    pause_ = settings_.first_pause;
  }
  (taken ? sent_ : dropped_) += count;
  const std::lock_guard lock(mutex_);
  held_ -= count;
}

void SpanExporter::NoteFailure(const grpc::Status& status) {
  failure_ = Printable(status.error_message());
  if (failure_.empty()) failure_ = "it gave no reason";
  if (log_failure_.Due()) {
    spdlog::warn("tracing: {} does not accept spans ({}); check OTEL_EXPORTER_OTLP_ENDPOINT. Nothing else is affected",
                 settings_.target, failure_);
  }
  LogDrops(false);
}

bool SpanExporter::Pause() {
  std::unique_lock lock(mutex_);
  if (close_by_ != kNoDeadline) return false;
  wake_.wait_for(lock, pause_, [this] { return close_by_ != kNoDeadline; });
  pause_ = std::min(pause_ * 2, settings_.longest_pause);
  return true;
}

void SpanExporter::LogDrops(bool last) {
  const std::uint64_t dropped = dropped_;
  if (dropped == logged_drops_ || !(log_drops_.Due() || last)) return;
  spdlog::warn("tracing: {} more spans were dropped, {} in all: {}", dropped - logged_drops_, dropped,
               failure_.empty()
                   ? "they arrive faster than the receiver accepts them; raise OTEL_BSP_MAX_QUEUE_SIZE or sample less"
                   : "the receiver does not accept them: " + failure_);
  logged_drops_ = dropped;
}

TimePoint SpanExporter::close_by() {
  const std::lock_guard lock(mutex_);
  return close_by_;
}

}  // namespace tandem
