#include "server/trace_unary.h"

#include <memory>
#include <utility>

#include "server/call_deadline.h"
#include "server/errors.h"

namespace tandem {
namespace {

class TraceReactor final : public grpc::ServerUnaryReactor,
                           public TraceSink,
                           public std::enable_shared_from_this<TraceReactor> {
 public:
  TraceReactor(EngineCore& core, engine::v1::TraceResponse& response) : core_(core), response_(response) {}

  void Start(grpc::CallbackServerContext& context, engine::v1::TraceRequest request) {
    self_ = shared_from_this();
    const TimePoint received = Clock::now();
    LimitToDeadline(context, received, *request.mutable_item());
    auto job = core_.MakeTraceJob(request, received, self_);
    if (!job.ok()) {
      Finish(ToGrpcStatus(job.error()));
      return;
    }
    job_ = job.value();
    core_.tracer().Submit(job_);
  }

  void Complete(Expected<engine::v1::TraceResponse> answer) override {
    if (answer.ok()) response_ = std::move(answer).value();
    Finish(answer.ok() ? grpc::Status::OK : ToGrpcStatus(answer.error()));
  }

  void OnCancel() override {
    if (!job_) return;
    job_->Cancel();
    core_.tracer().Sweep();
  }

  void OnDone() override {
    job_.reset();  // it holds this as its sink
    self_.reset();
  }

 private:
  EngineCore& core_;
  engine::v1::TraceResponse& response_;
  std::shared_ptr<TraceJob> job_;
  std::shared_ptr<TraceReactor> self_;  // gRPC's hold on this, until OnDone
};

}  // namespace

grpc::ServerUnaryReactor* StartTrace(EngineCore& core, grpc::CallbackServerContext& context,
                                     const engine::v1::TraceRequest& request, engine::v1::TraceResponse& response) {
  const auto reactor = std::make_shared<TraceReactor>(core, response);
  reactor->Start(context, request);
  return reactor.get();
}

}  // namespace tandem
