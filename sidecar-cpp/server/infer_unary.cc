#include "server/infer_unary.h"

#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include "server/call_deadline.h"
#include "server/errors.h"
#include "server/unary_call.h"
#include "telemetry/trace_context.h"

namespace tandem {
namespace {

using engine::v1::InferItem;

// For callers with general instrumentation: reads the W3C Trace Context of gRPC's metadata. An invalid traceparent is
// passed on, to be counted as an invalid trace_parent.
void TakeTraceparent(const grpc::CallbackServerContext& context, InferItem& item) {
  const auto& metadata = context.client_metadata();
  const auto found = metadata.find("traceparent");
  if (found == metadata.end()) return;
  const std::string_view header(found->second.data(), found->second.size());
  item.set_trace_parent(BytesOfTraceparent(header).value_or(std::string("?")));
}

class UnaryReactor final : public UnaryCall, public ResultSink, public std::enable_shared_from_this<UnaryReactor> {
 public:
  using UnaryCall::UnaryCall;

  void Start(grpc::CallbackServerContext& context, grpc::ByteBuffer& request) {
    self_ = shared_from_this();
    const TimePoint received = Clock::now();
    FinishOnBadAlloc([&] {
      auto parsed = ParseUnary<engine::v1::InferRequest>(request);
      if (!parsed.ok()) return Finish(ToGrpcStatus(parsed.error()));
      InferItem& item = *parsed.value().mutable_item();
      LimitToDeadline(context, received, item);
      if (core().spans().on() && item.trace_parent().empty()) TakeTraceparent(context, item);
      auto job = core().MakeJob(item, received, account(), self_);
      if (!job.ok()) {
        core().spans().Refused(item, received, job.error());
        return Finish(ToGrpcStatus(job.error()));
      }
      job_ = job.value();
      core().Submit({job_});
    });
  }

  void Complete(const InferJob&, Expected<engine::v1::Inference> answer) override {
    FinishOnBadAlloc([&] {
      if (!answer.ok()) return Finish(ToGrpcStatus(answer.error()));
      engine::v1::InferResponse response;
      *response.mutable_inference() = std::move(answer).value();
      Answer(response);
    });
  }

  void Flush() override {}

  void OnCancel() override {
    if (!job_) return;
    job_->Cancel();
    core().Sweep();
  }

 private:
  void Release() override {
    job_.reset();  // it keeps this as its sink
    self_.reset();
  }

  std::shared_ptr<InferJob> job_;
  std::shared_ptr<UnaryReactor> self_;  // gRPC's reference, until OnDone
};

}  // namespace

grpc::ServerUnaryReactor* StartUnary(const IncomingCall& call) {
  const auto reactor = std::make_shared<UnaryReactor>(call);
  reactor->Start(call.context, call.request);
  return reactor.get();
}

}  // namespace tandem
