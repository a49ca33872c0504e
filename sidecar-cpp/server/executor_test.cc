// The processing of a batch without threads and without a queue.
#include "server/executor.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>
#include <new>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "testing/graphs.h"

namespace tandem {
namespace {

using ::testing::ElementsAre;
using ::testing::UnorderedElementsAre;

// Long enough that a run checks many times whether to stop, and that the fastest machine needs ten times the time that
// a reading thread has for it.
constexpr std::uint32_t kLongSteps = 400'000;
constexpr std::uint32_t kInputs = 64;

std::shared_ptr<const Model> MakeModel(Network network) {
  Model model;
  model.name = "net";
  model.version = 1;
  model.network = std::move(network);
  return std::make_shared<const Model>(std::move(model));
}

// A constant input; a large scale overflows at once.
std::shared_ptr<const Model> Scaled(std::uint32_t steps) {
  Manifest manifest;
  manifest.steps = steps;
  const Node up = testing::MakeNode("up", NodeType::kScale, {{"scale", testing::Scalar(1e30)}});
  const Node fire =
      testing::MakeNode("n", NodeType::kIf, {{"r", testing::Scalar(1000)}, {"v_threshold", testing::Scalar(0.5)}});
  return MakeModel(testing::Compile(testing::Chain(kInputs, {up, fire}, kInputs), manifest));
}

// Records the calls in order: "1 OK", "2 INTERNAL", "flush", "free".
class Journal final : public ResultSink {
 public:
  void Complete(const InferJob& job, Expected<engine::v1::Inference> answer) override {
    const std::uint64_t id = job.request().id;
    lines.push_back(std::to_string(id) + (answer.ok() ? " OK" : " " + answer.error().reason));
    if (answer.ok()) batch_items.push_back(answer.value().batch_items());
    if (on_answer) on_answer(id);
  }
  void Flush() override { lines.push_back("flush"); }

  std::vector<std::string> lines;
  std::vector<std::uint32_t> batch_items;
  std::function<void(std::uint64_t)> on_answer;
};

class Executing : public ::testing::Test {
 protected:
  explicit Executing(std::shared_ptr<const Model> model = Scaled(4)) : model_(std::move(model)) {}

  std::shared_ptr<InferJob> Job(std::uint64_t id, float value = 1e-30f, Detail detail = Detail::kSummary) {
    Job::Request request;
    request.id = id;
    request.model = model_;
    const std::vector<float> values(kInputs, value);
    request.data.assign(reinterpret_cast<const char*>(values.data()), values.size() * sizeof(float));
    request.steps = model_->network->steps;
    request.detail = detail;
    request.received = Clock::now();
    return std::make_shared<InferJob>(std::move(request), MemoryHold(), journal_);
  }
  std::vector<std::string> Answers() const {
    std::vector<std::string> answers;
    for (const std::string& line : journal_->lines) {
      if (line != "flush" && line != "free") answers.push_back(line);
    }
    return answers;
  }

  static std::vector<std::shared_ptr<InferJob>> Jobs(const std::shared_ptr<InferJob>& job, std::size_t count) {
    return std::vector(count, job);
  }
  bool AreQuick(const std::vector<std::shared_ptr<InferJob>>& jobs) { return executor_.AreQuick(jobs); }
  // As if each step had taken this time, on any machine.
  void SetStepTime(std::chrono::nanoseconds time) { *model_->ns_a_step = static_cast<double>(time.count()); }

  std::shared_ptr<const Model> model_;
  std::shared_ptr<Journal> journal_ = std::make_shared<Journal>();
  InferSpans spans_{nullptr};
  RecordingStore recordings_{0};
  // Throws for a job on request, as a callback may without memory.
  std::function<void()> on_release_ = [] {};
  Executor executor_{1, spans_, recordings_, [this](Task&) {
                       journal_->lines.push_back("free");
                       on_release_();
                     }};
};

TEST_F(Executing, AJobFreesItsSlotThenIsAnsweredThenFlushed) {
  executor_.Process({Job(1)}, 0);
  EXPECT_THAT(journal_->lines, ElementsAre("free", "1 OK", "flush"));
}

TEST_F(Executing, ABatchIsAnsweredTogetherWithItsSize) {
  executor_.Process({Job(1), Job(2)}, 0);
  EXPECT_THAT(journal_->lines, ElementsAre("free", "1 OK", "free", "2 OK", "flush", "flush"));
  EXPECT_THAT(journal_->batch_items, ElementsAre(2u, 2u));
}

TEST_F(Executing, AStaleJobIsDiscardedAndTheRestOfItsBatchRuns) {
  const auto stale = Job(1);
  stale->Cancel();
  executor_.Process({stale, Job(2)}, 0);
  EXPECT_THAT(journal_->lines, ElementsAre("free", "1 CANCELLED", "flush", "free", "2 OK", "flush"));
  EXPECT_THAT(journal_->batch_items, ElementsAre(1u));
}

TEST_F(Executing, AnOverflowIsAnsweredAtOnceAndTheRestOfItsBatchRuns) {
  executor_.Process({Job(1), Job(2, 1e20f), Job(3)}, 0);
  EXPECT_THAT(journal_->lines,
              ElementsAre("free", "2 NON_FINITE", "flush", "free", "1 OK", "free", "3 OK", "flush", "flush", "flush"));
}

TEST_F(Executing, AFaultInABatchFailsOnlyUnansweredJobs) {
  int released = 0;
  on_release_ = [&] {
    if (++released == 2) throw std::runtime_error("a fault");
  };
  executor_.Process({Job(1), Job(2), Job(3)}, 0);
  EXPECT_THAT(Answers(), ElementsAre("1 OK", "2 INTERNAL", "3 INTERNAL"));
}

TEST_F(Executing, AFaultForLackOfMemoryReportsIt) {
  bool broken = true;
  on_release_ = [&] {
    if (std::exchange(broken, false)) throw std::bad_alloc();
  };
  executor_.Process({Job(1)}, 0);
  EXPECT_THAT(Answers(), ElementsAre("1 ENGINE_FULL"));
}

TEST_F(Executing, AWorkerGoesOnAfterAFault) {
  bool broken = true;
  on_release_ = [&] {
    if (std::exchange(broken, false)) throw std::runtime_error("a fault");
  };
  executor_.Process({Job(1)}, 0);
  executor_.Process({Job(2)}, 0);
  EXPECT_EQ(Answers().back(), "2 OK");
}

TEST_F(Executing, AModelIsQuickAfterAQuickRunAlone) {
  EXPECT_FALSE(AreQuick({Job(1)}));
  executor_.Process({Job(2), Job(3)}, 0);
  EXPECT_FALSE(AreQuick({Job(1)}));  // a batch does not show the time of one input
  executor_.Process({Job(4)}, 0);
  EXPECT_TRUE(AreQuick({Job(1)}));
  EXPECT_FALSE(AreQuick({Job(5, 1e-30f, Detail::kLayers)}));
}

TEST_F(Executing, AMeasuredModelIsQuickFromTheFirstRun) {
  Executor::MeasureModel(*model_);
  EXPECT_TRUE(AreQuick({Job(1)}));
}

TEST_F(Executing, AFewJobsAreQuickAndManyAreNot) {
  SetStepTime(std::chrono::microseconds(1));
  EXPECT_TRUE(AreQuick({Job(1), Job(2)}));
  EXPECT_FALSE(AreQuick(Jobs(Job(1), 100'000)));
}

TEST_F(Executing, JobsThatCannotRunTogetherAreNotQuick) {
  SetStepTime(std::chrono::microseconds(1));
  EXPECT_FALSE(AreQuick({Job(1), Job(2, 1e-30f, Detail::kLayers)}));
}

TEST_F(Executing, TheSizeOfABatchIsUnknownBeforeTheModelWasMeasured) {
  EXPECT_EQ(executor_.BatchSizeOf(Job(1)->request()).min, 1u);
  SetStepTime(std::chrono::microseconds(1));
  EXPECT_GT(executor_.BatchSizeOf(Job(1)->request()).min, 1u);
}

TEST_F(Executing, AFailedRunIsNotMeasured) {
  executor_.Process({Job(1, 1e20f)}, 0);
  EXPECT_FALSE(AreQuick({Job(2)}));
}

TEST_F(Executing, QuickJobsAreAnsweredNowAndLeftToTheCallerToFlush) {
  EXPECT_TRUE(executor_.ProcessNow(std::vector{Job(1), Job(2)}));
  EXPECT_THAT(journal_->lines, ElementsAre("free", "1 OK", "free", "2 OK"));
}

TEST_F(Executing, AStaleJobIsDiscardedNow) {
  const auto job = Job(1);
  job->Cancel();
  EXPECT_TRUE(executor_.ProcessNow(std::vector{job}));
  EXPECT_THAT(journal_->lines, ElementsAre("free", "1 CANCELLED", "flush"));
}

class ExecutingLong : public Executing {
 protected:
  ExecutingLong() : Executing(Scaled(kLongSteps)) {}
};

TEST_F(ExecutingLong, ACancelledJobIsAnsweredWhileTheRestOfItsBatchRuns) {
  const std::vector<std::shared_ptr<InferJob>> jobs = {Job(1, 1e20f), Job(2), Job(3)};
  // The first fails at once, and its caller then cancels the second, which is running.
  journal_->on_answer = [&](std::uint64_t id) {
    if (id == 1) jobs[1]->Cancel();
  };
  executor_.Process({jobs[0], jobs[1], jobs[2]}, 0);
  EXPECT_THAT(journal_->lines, ElementsAre("free", "1 NON_FINITE", "flush", "free", "2 CANCELLED", "flush", "free",
                                           "3 OK", "flush", "flush", "flush"));
}

TEST_F(ExecutingLong, ALongJobIsGivenUpUnansweredAndAWorkerCanRunIt) {
  const auto job = Job(1);
  EXPECT_FALSE(executor_.ProcessNow(std::vector{job}));
  EXPECT_THAT(journal_->lines, ElementsAre());
  EXPECT_FALSE(AreQuick({job}));
  executor_.Process({job}, 0);
  EXPECT_THAT(Answers(), ElementsAre("1 OK"));
}

TEST_F(ExecutingLong, AJobThatFailsBesideOneThatIsGivenUpIsAnsweredOnce) {
  const std::vector jobs{Job(1), Job(2, 1e20f)};
  EXPECT_FALSE(executor_.ProcessNow(jobs));
  std::vector<TaskPtr> left;
  for (const auto& job : jobs) {
    if (!job->answered()) left.push_back(job);
  }
  executor_.Process(left, 0);
  EXPECT_THAT(Answers(), UnorderedElementsAre("1 OK", "2 NON_FINITE"));
}

TEST_F(ExecutingLong, ABatchOfLongRunsIsSmall) {
  executor_.Process({Job(1)}, 0);
  EXPECT_EQ(executor_.BatchSizeOf(Job(2)->request()).min, 1u);
  EXPECT_LT(executor_.BatchSizeOf(Job(2)->request()).max, 64u);
}

// A network for which two inputs fit into the memory of a batch.
std::shared_ptr<const Model> Large() {
  Network network = *Scaled(1)->network;
  network.item_floats = kMaxScratchFloats / 2;
  return MakeModel(std::move(network));
}

class ExecutingLarge : public Executing {
 protected:
  ExecutingLarge() : Executing(Large()) {}
};

TEST_F(ExecutingLarge, ABatchThatNeedsTooMuchMemoryIsRunInParts) {
  executor_.Process({Job(1), Job(2), Job(3)}, 0);
  EXPECT_THAT(Answers(), ElementsAre("1 OK", "2 OK", "3 OK"));
  EXPECT_THAT(journal_->batch_items, ElementsAre(2u, 2u, 1u));
}

}  // namespace
}  // namespace tandem
