#include "server/infer_unary.h"

#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include "server/call_deadline.h"
#include "server/errors.h"
#include "telemetry/trace_context.h"

namespace tandem {
namespace {

// For callers that are instrumented without knowing of us: gRPC's metadata as W3C Trace Context has it. What is no
// traceparent is passed on, to be counted as a trace_parent that is none.
void TakeTraceparent(const grpc::CallbackServerContext& context, engine::v1::InferItem& item) {
  const auto& metadata = context.client_metadata();
  const auto found = metadata.find("traceparent");
  if (found == metadata.end()) return;
  const std::string_view header(found->second.data(), found->second.size());
  item.set_trace_parent(BytesOfTraceparent(header).value_or(std::string("?")));
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
    LimitToDeadline(context, received, item);
    if (core_.spans().on() && item.trace_parent().empty()) TakeTraceparent(context, item);
    auto job = core_.MakeJob(item, received, self_);
    if (!job.ok()) {
      core_.spans().Refused(item, received, job.error());
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
