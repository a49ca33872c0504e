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
  // Its answer, later: a count of at most 5 bytes and a potential for each element. What is recorded of the run is
  // there twice for a moment: as it was recorded and as it is sent.
  static std::size_t AnswerBytes(const Request& request) {
    const Network& network = *request.model->network;
    return std::size_t{9} * network.output_size() + 512 +
           2 * sizeof(std::uint32_t) * RecordedNumbers(network, request.steps, request.detail);
  }

  const std::shared_ptr<ResultSink> sink_;
};

}  // namespace tandem
