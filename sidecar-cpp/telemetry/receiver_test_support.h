// A fake OTLP/gRPC receiver on a real socket.
#pragma once

#include <grpcpp/grpcpp.h>
#include <gtest/gtest.h>

#include <chrono>
#include <condition_variable>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "opentelemetry/proto/collector/trace/v1/trace_service.grpc.pb.h"

namespace tandem {

class Receiver final : public opentelemetry::proto::collector::trace::v1::TraceService::Service {
 public:
  using Request = opentelemetry::proto::collector::trace::v1::ExportTraceServiceRequest;
  using Response = opentelemetry::proto::collector::trace::v1::ExportTraceServiceResponse;
  using OtlpSpan = opentelemetry::proto::trace::v1::Span;

  explicit Receiver(const std::string& listen = "127.0.0.1:0") {
    int port = 0;
    grpc::ServerBuilder builder;
    builder.AddListeningPort(listen, grpc::InsecureServerCredentials(), &port);
    builder.RegisterService(this);
    server_ = builder.BuildAndStart();
    address_ = listen.starts_with("unix:") ? listen : "127.0.0.1:" + std::to_string(port);
  }
  ~Receiver() override {
    server_->Shutdown(std::chrono::system_clock::now());
    // gRPC has waited for the last call, but ThreadSanitizer does not see that.
    const std::lock_guard lock(mutex_);
    requests_.clear();
    headers_.clear();
  }

  grpc::Status Export(grpc::ServerContext* context, const Request* request, Response*) override {
    std::unique_lock lock(mutex_);
    requests_.push_back(*request);
    for (const auto& [key, value] : context->client_metadata())
      headers_[{key.data(), key.size()}] = {value.data(), value.size()};
    arrived_.notify_all();
    // A cancelled call is released: otherwise the test would never end.
    while (held_ && !context->IsCancelled()) released_.wait_for(lock, std::chrono::milliseconds(5));
    return answer_;
  }

  // The answer to every call from now on.
  void Answer(const grpc::Status& status) {
    const std::lock_guard lock(mutex_);
    answer_ = status;
  }
  // Calls get no answer until they are cancelled, or until this is undone.
  void Hold(bool held) {
    const std::lock_guard lock(mutex_);
    held_ = held;
    released_.notify_all();
  }

  // Waits for this number of calls; fails the test if they do not arrive.
  std::vector<Request> Await(std::size_t requests) {
    std::unique_lock lock(mutex_);
    EXPECT_TRUE(arrived_.wait_for(lock, std::chrono::seconds(30), [&] { return requests_.size() >= requests; }));
    return requests_;
  }
  // Waits until this number of spans has arrived.
  std::vector<OtlpSpan> AwaitSpans(std::size_t count) {
    std::unique_lock lock(mutex_);
    EXPECT_TRUE(arrived_.wait_for(lock, std::chrono::seconds(30), [&] { return SpansOf(requests_).size() >= count; }));
    return SpansOf(requests_);
  }
  std::map<std::string, std::string> headers() {
    const std::lock_guard lock(mutex_);
    return headers_;
  }
  [[nodiscard]] const std::string& address() const { return address_; }

  static std::vector<OtlpSpan> SpansOf(const std::vector<Request>& requests) {
    std::vector<OtlpSpan> spans;
    for (const Request& request : requests) {
      for (const auto& resource : request.resource_spans()) {
        for (const auto& scope : resource.scope_spans())
          spans.insert(spans.end(), scope.spans().begin(), scope.spans().end());
      }
    }
    return spans;
  }

 private:
  std::string address_;
  std::unique_ptr<grpc::Server> server_;
  std::mutex mutex_;
  std::condition_variable arrived_;
  std::condition_variable released_;
  std::vector<Request> requests_;
  std::map<std::string, std::string> headers_;
  grpc::Status answer_;
  bool held_ = false;
};

}  // namespace tandem
