// An input of Infer or InferStream, and the receiver of its answer.
#pragma once

#include <memory>
#include <utility>

#include "engine/session_state.h"
#include "server/job.h"
#include "tandem/engine/v1/engine.pb.h"

namespace tandem {

class InferJob;

// Where answers go. Thread-safe.
class ResultSink {
 public:
  virtual ~ResultSink() = default;
  // Takes the single answer of a job. The sink may buffer it until Flush. Must not throw: otherwise the caller would
  // wait for ever.
  virtual void Complete(const InferJob& job, Expected<engine::v1::Inference> answer) = 0;
  // Sends buffered answers.
  virtual void Flush() = 0;
};

class InferJob final : public Job {
 public:
  InferJob(Request request, MemoryHold memory, std::shared_ptr<ResultSink> sink)
      : Job(std::move(request), std::move(memory)), sink_(std::move(sink)) {}

  // The maximum memory of a job: its input, and later its answer, with a count of at most 5 bytes and a potential for
  // each element. Details and a state exist twice for a moment: as computed and as sent.
  static std::size_t BytesFor(const Request& request) {
    const Network& network = *request.model->network;
    return request.data.size() + request.state.size() + std::size_t{9} * network.output_size() + 512 +
           (request.return_state ? 2 * SessionStateBytes(network) : 0) +
           2 * sizeof(std::uint32_t) * RecordedNumbers(network, request.steps, request.detail);
  }

  [[nodiscard]] const std::shared_ptr<ResultSink>& sink() const { return sink_; }

  // Answers the job. Only the thread that runs the job may call it.
  void Answer(Expected<engine::v1::Inference> answer) {
    answered_ = true;
    sink_->Complete(*this, std::move(answer));
  }
  [[nodiscard]] bool answered() const { return answered_; }

 private:
  const std::shared_ptr<ResultSink> sink_;
  bool answered_ = false;
};

}  // namespace tandem
