#include "telemetry/span_exporter.h"

#include <spdlog/spdlog.h>

#include <algorithm>
#include <iterator>
#include <utility>

#include "base/text.h"

namespace tandem {

SpanExporter::SpanExporter(OtlpSettings settings)
    : settings_(std::move(settings)), client_(settings_), pause_(settings_.first_pause) {
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
  for (std::vector<Span> spans = Take(); !spans.empty(); spans = Take()) {
    const UnixOffset offset = CurrentUnixOffset();
    const std::span<const Span> all(spans);
    for (std::size_t begin = 0; begin < all.size(); begin += settings_.max_batch) {
      Deliver(all.subspan(begin, std::min(settings_.max_batch, all.size() - begin)), offset);
    }
  }
  LogDrops(true);
  const std::lock_guard lock(mutex_);
  ended_ = true;
  ended_wake_.notify_one();
}

std::vector<Span> SpanExporter::Take() {
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
  std::vector<Span> spans;
  for (std::vector<Span>& together : taken) std::ranges::move(together, std::back_inserter(spans));
  return spans;
}

void SpanExporter::Deliver(std::span<const Span> batch, UnixOffset offset) {
  OtlpClient::Request request;
  auto& from_here = *request.add_resource_spans();
  *from_here.mutable_resource() = ToOtlpResource(settings_);
  auto& scope = *from_here.add_scope_spans();
  scope.mutable_scope()->set_name("tandem-engine");
  for (const Span& span : batch) ToOtlp(span, offset, *scope.add_spans());

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
  (taken ? sent_ : dropped_) += batch.size();
  const std::lock_guard lock(mutex_);
  held_ -= batch.size();
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
