// The messages of one stream, decoded, checked and run on an engine without a connection and without threads, so that
// an input always has the same effect. The scan finds in the bytes the same fields as protobuf, and every job is
// answered once.
#include <algorithm>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "fuzz/fuzz_target.h"
#include "fuzz/messages.h"
#include "fuzz/models.h"
#include "fuzz/message_target.h"
#include "server/engine_core.h"
#include "server/request_decoder.h"

namespace tandem::fuzz {
namespace {

class CountAnswers final : public ResultSink {
 public:
  void Complete(const InferJob&, Expected<engine::v1::Inference> answer) override {
    ++answers;
    if (!answer.ok()) return;
    ++results;
    Require(answer.value().steps() > 0, "an answer tells how many steps were run");
  }
  void Flush() override {}
  std::size_t answers = 0;
  std::size_t results = 0;  // of them
};

// Small limits, so that a full engine is tested, too.
EngineCore::Options SmallEngine() {
  EngineCore::Options options;
  options.batcher.threads = 0;
  options.batcher.max_in_flight = 8;
  options.batcher.max_batch = 4;
  options.recorder_bytes = std::size_t{1} << 16;
  options.memory_bytes = std::size_t{1} << 16;
  return options;
}

void RequireSame(const ScannedRequest& scanned, const std::string& bytes) {
  engine::v1::InferStreamRequest parsed;
  // An item's own bytes are parsed later, one by one.
  if (!parsed.ParseFromString(bytes)) return;
  Require(scanned.items.size() == static_cast<std::size_t>(parsed.items_size()), "every item is found");
  for (std::size_t k = 0; k < scanned.items.size(); ++k) {
    const engine::v1::InferItem& item = parsed.items(static_cast<int>(k));
    Require(scanned.items[k].id == item.id(), "an item's id is found");
    Require(scanned.items[k].dimensions == static_cast<std::size_t>(item.shape_size()), "its shape is counted");
  }
  Require(std::equal(scanned.cancel_ids.begin(), scanned.cancel_ids.end(), parsed.cancel_ids().begin(),
                     parsed.cancel_ids().end()),
          "every id to cancel is found");
  Require(scanned.checksum == parsed.checksum(), "the checksum is found");
}

// One stream on the engine.
class Caller {
 public:
  explicit Caller(EngineCore& core) : core_(core) {}

  // Returns false if the message ends the stream.
  bool Send(const std::string& bytes) {
    const auto request = decoder_.Decode(bytes);
    if (!request.ok()) return false;
    RequireSame(request.value(), bytes);
    for (const std::uint64_t id : request.value().cancel_ids) {
      for (const auto& job : made_) {
        if (job->request().id == id) job->Cancel();
      }
    }
    core_.Sweep();
    std::vector<std::shared_ptr<InferJob>> jobs;
    for (const ScannedItem& scanned : request.value().items) {
      engine::v1::InferItem item;
      if (scanned.Refusal()) continue;
      if (!item.ParseFromArray(scanned.bytes.data(), static_cast<int>(scanned.bytes.size()))) return false;
      auto job = core_.MakeJob(item, Clock::now(), *account_, sink_);
      if (!job.ok()) continue;
      jobs.push_back(job.value());
      made_.push_back(std::move(job).value());
    }
    submitted_ += jobs.size();
    if (!jobs.empty()) core_.Submit(jobs);
    return true;
  }

  // Returns the number of answers that are results.
  std::size_t RequireAnswers() {
    Require(sink_->answers == submitted_, "every job is answered once");
    made_.clear();
    Require(account_->used() == 0, "what is answered gives its memory back");
    return sink_->results;
  }

 private:
  EngineCore& core_;
  RequestDecoder decoder_{false};
  std::shared_ptr<MemoryAccount> account_ = MemoryAccount::Open(core_.stream_memory());
  std::shared_ptr<CountAnswers> sink_ = std::make_shared<CountAnswers>();
  std::vector<std::shared_ptr<InferJob>> made_;
  std::size_t submitted_ = 0;
};

}  // namespace

std::size_t Run(std::string_view input) {
  static EngineCore core(SmallEngine(), SmallModels());
  Caller caller(core);
  std::uint64_t number = 0;
  for (const Message& message : MessagesOf(input)) {
    if (!caller.Send(BytesOf(message, number++))) break;
    if ((message.flags & kRun) != 0) core.RunOne();
  }
  while (core.RunOne()) {
  }
  const std::size_t results = caller.RequireAnswers();
  Require(core.in_flight() == 0, "an answered job frees its place");
  return results;
}

}  // namespace tandem::fuzz
