// An input of Infer or InferStream, and whoever waits for its answer.
#pragma once

#include <memory>
#include <utility>

#include "server/job.h"
#include "tandem/engine/v1/engine.pb.h"

namespace tandem {

class InferJob;

// Where answers go. Thread-safe.
class ResultSink {
 public:
  virtual ~ResultSink() = default;
  // The job's one answer. The sink may hold it back until Flush.
  virtual void Complete(const InferJob& job, Expected<engine::v1::Inference> answer) = 0;
  // Sends what was held back.
  virtual void Flush() = 0;
};

class InferJob final : public Job {
 public:
  InferJob(Request request, std::shared_ptr<ResultSink> sink)
      : Job(std::move(request), AnswerBytes(request)), sink_(std::move(sink)) {}

  [[nodiscard]] const std::shared_ptr<ResultSink>& sink() const { return sink_; }

 private:
  // Its answer, later: a count of at most 5 bytes and a potential for each element.
  static std::size_t AnswerBytes(const Request& request) {
    return std::size_t{9} * request.model->network->output_size() + 512;
  }

  const std::shared_ptr<ResultSink> sink_;
};

}  // namespace tandem
