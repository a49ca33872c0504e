#include "server/infer_unary.h"

#include <algorithm>
#include <chrono>
#include <memory>
#include <utility>

#include "server/errors.h"

namespace tandem {
namespace {

// The call's own deadline on our clock.
TimePoint DeadlineOf(const grpc::CallbackServerContext& context) {
  const auto deadline = context.deadline();
  if (deadline == std::chrono::system_clock::time_point::max()) return kNoDeadline;
  const auto left = deadline - std::chrono::system_clock::now();
  if (left > std::chrono::hours(24 * 365)) return kNoDeadline;
  return Clock::now() + std::chrono::duration_cast<Clock::duration>(left);
}

class UnaryReactor final : public grpc::ServerUnaryReactor,
                           public ResultSink,
                           public std::enable_shared_from_this<UnaryReactor> {
 public:
  UnaryReactor(EngineCore& core, engine::v1::InferResponse& response) : core_(core), response_(response) {}

  void Start(grpc::CallbackServerContext& context, const engine::v1::InferRequest& request) {
    self_ = shared_from_this();
    const TimePoint received = Clock::now();
    engine::v1::InferItem item = request.item();
    if (const TimePoint deadline = DeadlineOf(context); deadline != kNoDeadline) {
      const std::uint64_t left_us = std::max<std::uint32_t>(ElapsedUs(received, deadline), 1);
      item.set_timeout_us(item.timeout_us() == 0 ? left_us : std::min(item.timeout_us(), left_us));
    }
    auto job = core_.MakeJob(item, received, self_);
    if (!job.ok()) {
      Finish(ToGrpcStatus(job.error()));
      return;
    }
    job_ = job.value();
    core_.Submit({job_});
  }

  void Complete(const InferJob&, Expected<engine::v1::Inference> answer) override {
    if (answer.ok()) *response_.mutable_inference() = std::move(answer).value();
    Finish(answer.ok() ? grpc::Status::OK : ToGrpcStatus(answer.error()));
  }

  void Flush() override {}

  void OnCancel() override {
    if (!job_) return;
    job_->Cancel();
    core_.Sweep();
  }

  void OnDone() override {
    job_.reset();  // it holds this as its sink
    self_.reset();
  }

 private:
  EngineCore& core_;
  engine::v1::InferResponse& response_;
  std::shared_ptr<InferJob> job_;
  std::shared_ptr<UnaryReactor> self_;  // gRPC's hold on this, until OnDone
};

}  // namespace

grpc::ServerUnaryReactor* StartUnary(EngineCore& core, grpc::CallbackServerContext& context,
                                     const engine::v1::InferRequest& request, engine::v1::InferResponse& response) {
  const auto reactor = std::make_shared<UnaryReactor>(core, response);
  reactor->Start(context, request);
  return reactor.get();
}

}  // namespace tandem
