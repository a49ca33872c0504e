// The messages of one stream, decoded, checked and run on an engine without a wire and without threads, so that an
// input always does the same. Every job is answered once.
#include <memory>
#include <vector>

#include "fuzz/fuzz_target.h"
#include "fuzz/messages.h"
#include "fuzz/models.h"
#include "server/engine_core.h"
#include "server/request_decoder.h"

namespace tandem::fuzz {
namespace {

class CountAnswers final : public ResultSink {
 public:
  void Complete(const InferJob&, Expected<engine::v1::Inference> answer) override {
    ++answers;
    if (answer.ok()) Require(answer.value().steps() > 0, "an answer tells how many steps were run");
  }
  void Flush() override {}
  std::size_t answers = 0;
};

// Few places, so that a full engine is met, too.
EngineCore::Options SmallEngine() {
  EngineCore::Options options;
  options.batcher.threads = 0;
  options.batcher.max_in_flight = 8;
  options.batcher.max_batch = 4;
  options.recorder_bytes = std::size_t{1} << 16;
  return options;
}

void Run(std::string_view input) {
  static EngineCore core(SmallEngine(), SmallModels());
  const auto sink = std::make_shared<CountAnswers>();
  std::size_t jobs_made = 0;
  std::vector<std::shared_ptr<InferJob>> all;
  RequestDecoder decoder(false);
  std::uint64_t number = 0;
  for (const Message& message : MessagesOf(input)) {
    grpc::ByteBuffer bytes = BufferOf(message, number++);
    engine::v1::InferStreamRequest request;
    if (decoder.Decode(bytes, request)) break;
    for (const std::uint64_t id : request.cancel_ids()) {
      for (const auto& job : all) {
        if (job->request().id == id) job->Cancel();
      }
    }
    core.Sweep();
    std::vector<std::shared_ptr<InferJob>> jobs;
    for (auto& item : *request.mutable_items()) {
      auto job = core.MakeJob(item, Clock::now(), sink);
      if (job.ok()) jobs.push_back(std::move(job).value());
    }
    jobs_made += jobs.size();
    all.insert(all.end(), jobs.begin(), jobs.end());
    if (!jobs.empty()) core.Submit(jobs);
    if ((message.flags & kRun) != 0) core.RunOne();
  }
  while (core.RunOne()) {
  }
  Require(sink->answers == jobs_made, "every job is answered once");
  Require(core.in_flight() == 0, "an answered job frees its place");
}

}  // namespace
}  // namespace tandem::fuzz

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  tandem::fuzz::Run({reinterpret_cast<const char*>(data), size});
  return 0;
}
