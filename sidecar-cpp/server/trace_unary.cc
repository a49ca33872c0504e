#include "server/trace_unary.h"

#include <memory>
#include <utility>

#include "server/call_deadline.h"
#include "server/errors.h"
#include "server/unary_call.h"

namespace tandem {
namespace {

class TraceReactor final : public UnaryCall, public TraceSink, public std::enable_shared_from_this<TraceReactor> {
 public:
  using UnaryCall::UnaryCall;

  void Start(grpc::CallbackServerContext& context, grpc::ByteBuffer& request) {
    self_ = shared_from_this();
    const TimePoint received = Clock::now();
    FinishOnBadAlloc([&] {
      auto parsed = ParseUnary<engine::v1::TraceRequest>(request);
      if (!parsed.ok()) return Finish(ToGrpcStatus(parsed.error()));
      LimitToDeadline(context, received, *parsed.value().mutable_item());
      auto job = core().MakeTraceJob(parsed.value(), received, account(), self_);
      if (!job.ok()) return Finish(ToGrpcStatus(job.error()));
      job_ = job.value();
      core().tracer().Submit(job_);
    });
  }

  void Complete(Expected<engine::v1::TraceResponse> answer) override {
    FinishOnBadAlloc([&] {
      if (!answer.ok()) return Finish(ToGrpcStatus(answer.error()));
      Answer(answer.value());
    });
  }

  void OnCancel() override {
    if (!job_) return;
    job_->Cancel();
    core().tracer().Sweep();
  }

 private:
  void Release() override {
    job_.reset();  // it keeps this as its sink
    self_.reset();
  }

  std::shared_ptr<TraceJob> job_;
  std::shared_ptr<TraceReactor> self_;  // gRPC's reference, until OnDone
};

}  // namespace

grpc::ServerUnaryReactor* StartTrace(const IncomingCall& call) {
  const auto reactor = std::make_shared<TraceReactor>(call);
  reactor->Start(call.context, call.request);
  return reactor.get();
}

}  // namespace tandem
