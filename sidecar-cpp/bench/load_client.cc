// tandem-load keeps a fixed number of unary calls running: each answer starts the next call. It has one thread and one
// completion queue, serialises requests in advance and does not parse answers, so that it uses little time itself.
// Prints {calls, errors, p50_us, …} as JSON on stdout.
#include <grpcpp/generic/generic_stub.h>
#include <grpcpp/grpcpp.h>

#include <algorithm>
#include <cstdio>
#include <map>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <random>
#include <vector>

#include "base/clock.h"
#include "bench/load_inputs.h"
#include "bench/load_options.h"

namespace tandem::bench {
namespace {

struct Call {
  std::optional<grpc::ClientContext> context;
  std::unique_ptr<grpc::GenericClientAsyncResponseReader> reader;
  grpc::ByteBuffer response;
  grpc::Status status;
  TimePoint started;
};

class Load {
 public:
  Load(const LoadOptions& options, const std::vector<std::string>& requests)
      : options_(options),
        method_(options.call == "infer" ? "/tandem.engine.v1.EngineService/Infer"
                                        : "/tandem.v1.ReasoningService/Reason"),
        random_(options.seed) {
    for (const std::string& request : requests) {
      const grpc::Slice slice(request);
      requests_.emplace_back(&slice, 1);
    }
    for (std::size_t k = 0; k < options.connections; ++k) {
      grpc::ChannelArguments arguments;
      arguments.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);
      arguments.SetMaxReceiveMessageSize(-1);
      stubs_.push_back(std::make_unique<grpc::GenericStub>(
          grpc::CreateCustomChannel(options.target, grpc::InsecureChannelCredentials(), arguments)));
    }
  }

  nlohmann::ordered_json Run() {
    std::vector<Call> calls(options_.concurrency);
    measured_from_ = Clock::now() + Seconds(options_.warmup_s);
    until_ = measured_from_ + Seconds(options_.duration_s);
    for (Call& call : calls) Start(call);
    void* tag = nullptr;
    bool ok = false;
    while (under_way_ > 0 && queue_.Next(&tag, &ok)) {
      Call& call = *static_cast<Call*>(tag);
      --under_way_;
      End(call);
      if (MayStart()) Start(call);
    }
    queue_.Shutdown();
    while (queue_.Next(&tag, &ok)) {
    }
    return Report();
  }

 private:
  static Clock::duration Seconds(double seconds) {
    return std::chrono::duration_cast<Clock::duration>(std::chrono::duration<double>(seconds));
  }

  [[nodiscard]] bool MayStart() const {
    return Clock::now() < until_ && (options_.requests == 0 || latencies_us_.size() + errors_ < options_.requests);
  }

  void Start(Call& call) {
    call.context.emplace();
    call.context->set_deadline(std::chrono::system_clock::now() + std::chrono::milliseconds(options_.timeout_ms));
    call.started = Clock::now();
    const std::size_t turn = turn_++;
    call.reader = stubs_[turn % stubs_.size()]->PrepareUnaryCall(&*call.context, method_,
                                                                 requests_[turn % requests_.size()], &queue_);
    call.reader->StartCall();
    call.reader->Finish(&call.response, &call.status, &call);
    ++under_way_;
    if (options_.cancel_share > 0 && std::uniform_real_distribution<double>(0, 1)(random_) < options_.cancel_share) {
      call.context->TryCancel();
    }
  }

  void End(Call& call) {
    const TimePoint now = Clock::now();
    if (call.started < measured_from_) return;
    last_ = now;
    if (call.status.ok()) {
      latencies_us_.push_back(std::chrono::duration<double, std::micro>(now - call.started).count());
    } else if (call.status.error_code() == grpc::StatusCode::CANCELLED && options_.cancel_share > 0) {
      ++cancelled_;
    } else {
      ++errors_;
      ++errors_by_[std::to_string(call.status.error_code()) + " " + call.status.error_message()];
    }
  }

  nlohmann::ordered_json Report() {
    std::ranges::sort(latencies_us_);
    const auto quantile = [&](double q) {
      if (latencies_us_.empty()) return 0.0;
      const auto at = static_cast<std::size_t>(q * static_cast<double>(latencies_us_.size() - 1));
      return latencies_us_[at];
    };
    const double seconds = std::chrono::duration<double>(last_ - measured_from_).count();
    nlohmann::ordered_json report = {
        {"target", options_.target},
        {"call", options_.call},
        {"concurrency", options_.concurrency},
        {"calls", latencies_us_.size()},
        {"errors", errors_},
        {"cancelled", cancelled_},
        {"p50_us", quantile(0.50)},
        {"p95_us", quantile(0.95)},
        {"p99_us", quantile(0.99)},
        {"max_us", quantile(1.0)},
        {"seconds", seconds},
        {"calls_per_s", seconds > 0 ? static_cast<double>(latencies_us_.size()) / seconds : 0}};
    if (!errors_by_.empty()) report["errors_by"] = errors_by_;
    return report;
  }

  const LoadOptions& options_;
  const std::string method_;
  std::mt19937_64 random_;
  std::vector<grpc::ByteBuffer> requests_;
  grpc::CompletionQueue queue_;
  std::vector<std::unique_ptr<grpc::GenericStub>> stubs_;
  TimePoint measured_from_;
  TimePoint until_;
  TimePoint last_;
  std::size_t turn_ = 0;
  std::size_t under_way_ = 0;
  std::size_t errors_ = 0;
  std::size_t cancelled_ = 0;
  std::map<std::string, std::size_t> errors_by_;
  std::vector<double> latencies_us_;
};

}  // namespace
}  // namespace tandem::bench

int main(int argc, char** argv) {
  int exit_code = 0;
  const auto options = tandem::bench::ParseLoadOptions(argc, argv, exit_code);
  if (!options) return exit_code;
  const auto requests = tandem::bench::LoadRequests(*options);
  if (!requests.ok()) {
    std::fprintf(stderr, "tandem-load: %s\n", requests.error().message.c_str());
    return 2;
  }
  tandem::bench::Load load(*options, requests.value());
  const auto report = load.Run();
  std::printf("%s\n", report.dump(1, ' ', false, nlohmann::ordered_json::error_handler_t::replace).c_str());
  return report["calls"].get<std::size_t>() > 0 ? 0 : 1;
}
