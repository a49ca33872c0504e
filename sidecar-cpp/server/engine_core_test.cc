// The engine without gRPC, with the test's threads: all locks are our own, so ThreadSanitizer sees them.
#include "server/engine_core.h"

#include <gtest/gtest.h>

#include <atomic>
#include <future>
#include <map>
#include <mutex>
#include <random>
#include <semaphore>
#include <thread>

#include "testing/graphs.h"

namespace tandem {
namespace {

constexpr std::uint32_t kInputs = 8;

// A job of another caller.
std::shared_ptr<InferJob> MakeJob(EngineCore& core, engine::v1::InferItem item, std::shared_ptr<ResultSink> sink) {
  return core.MakeJob(item, Clock::now(), *MemoryAccount::Open(core.stream_memory()), std::move(sink)).value();
}

// Counts the answers of each id.
class CountingSink final : public ResultSink {
 public:
  void Complete(const InferJob& job, Expected<engine::v1::Inference> answer) override {
    const std::lock_guard lock(mutex_);
    ++answers_[job.request().id];
    ++reasons_[answer.ok() ? "OK" : answer.error().reason];
  }
  void Flush() override {}
  std::map<std::uint64_t, int> answers() const {
    const std::lock_guard lock(mutex_);
    return answers_;
  }
  std::map<std::string, int> reasons() const {
    const std::lock_guard lock(mutex_);
    return reasons_;
  }

 private:
  mutable std::mutex mutex_;
  std::map<std::uint64_t, int> answers_;
  std::map<std::string, int> reasons_;
};

std::shared_ptr<const Model> Net() {
  auto model = std::make_shared<Model>();
  model->name = "net";
  model->version = 1;
  model->network = testing::Compile(testing::LifNet(kInputs, 16, 4, 1), {});
  return model;
}

Repository OneNet() { return Repository({Net()}); }

engine::v1::InferItem Item(std::uint64_t id, std::uint64_t timeout_us = 0) {
  engine::v1::InferItem item;
  item.set_id(id);
  item.set_model("net");
  item.add_shape(kInputs);
  item.mutable_data()->assign(kInputs * sizeof(float), '\0');
  item.set_timeout_us(timeout_us);
  return item;
}

TEST(EngineCore, EveryJobIsAnsweredExactlyOnce) {
  constexpr std::uint64_t kCallers = 4;
  constexpr std::uint64_t kJobs = 600;
  const std::uint64_t seed = testing::SeedOr(1);
  SCOPED_TRACE("TANDEM_TEST_SEED=" + std::to_string(seed));
  const auto sink = std::make_shared<CountingSink>();
  {
    EngineCore core({"test", {.threads = 3, .max_in_flight = 64, .max_batch = 8}}, OneNet());
    std::vector<std::future<void>> callers;
    for (std::uint64_t caller = 0; caller < kCallers; ++caller) {
      callers.push_back(std::async(std::launch::async, [&, caller] {
        std::mt19937_64 random(seed + caller);
        for (std::uint64_t k = 0; k < kJobs; ++k) {
          auto item = Item(caller * kJobs + k, random() % 4 == 0 ? 1 + random() % 500 : 0);
          const auto job = MakeJob(core, item, sink);
          core.Submit({job});
          if (random() % 3 == 0) {
            job->Cancel();
            core.Sweep();
          }
        }
      }));
    }
    for (auto& caller : callers) caller.get();
    core.Close();
    EXPECT_EQ(core.in_flight(), 0u);
  }
  const auto answers = sink->answers();
  EXPECT_EQ(answers.size(), kCallers * kJobs);
  for (const auto& [id, count] : answers) EXPECT_EQ(count, 1) << id;
  EXPECT_GT(sink->reasons()["OK"], 0);
}

// The thread of the last answer.
class ThreadSink final : public ResultSink {
 public:
  void Complete(const InferJob&, Expected<engine::v1::Inference>) override {
    thread_ = std::this_thread::get_id();
    answered_.release();
  }
  void Flush() override {}
  std::thread::id Await() {
    answered_.acquire();
    return thread_;
  }

 private:
  std::atomic<std::thread::id> thread_;
  std::counting_semaphore<> answered_{0};
};

TEST(EngineCore, AQuickModelsFirstJobRunsOnTheSubmittingThread) {
  const auto sink = std::make_shared<ThreadSink>();
  EngineCore core({"test", {.threads = 1}}, OneNet());
  core.Submit({MakeJob(core, Item(1), sink)});
  EXPECT_EQ(sink->Await(), std::this_thread::get_id());
}

TEST(EngineCore, AFewQuickJobsRunOnTheSubmittingThread) {
  const auto sink = std::make_shared<ThreadSink>();
  const auto model = Net();
  EngineCore core({"test", {.threads = 1}}, Repository({model}));
  *model->ns_a_step = 1;  // on any machine, although the engine has just measured it
  core.Submit({MakeJob(core, Item(1), sink), MakeJob(core, Item(2), sink)});
  for (int answer = 0; answer < 2; ++answer) EXPECT_EQ(sink->Await(), std::this_thread::get_id());
}

TEST(EngineCore, ManyJobsRunOnTheWorkers) {
  constexpr std::uint64_t kMany = 1000;
  const auto sink = std::make_shared<ThreadSink>();
  EngineCore core({"test", {.threads = 1}}, OneNet());
  std::vector<std::shared_ptr<InferJob>> jobs;
  for (std::uint64_t id = 0; id < kMany; ++id) jobs.push_back(MakeJob(core, Item(id), sink));
  core.Submit(jobs);
  for (std::uint64_t id = 0; id < kMany; ++id) EXPECT_NE(sink->Await(), std::this_thread::get_id());
}

TEST(EngineCore, ADrainingEngineRefusesNewWorkAndRunsQueuedJobs) {
  const auto sink = std::make_shared<CountingSink>();
  EngineCore core({"test", {.threads = 0}}, OneNet());
  auto old = Item(1);
  core.Submit({MakeJob(core, old, sink)});
  core.StartDraining();
  auto fresh = Item(2);
  const auto refused = core.MakeJob(fresh, Clock::now(), *MemoryAccount::Open(core.stream_memory()), sink);
  EXPECT_EQ(refused.error().reason, "DRAINING");
  core.Close();
  EXPECT_EQ(sink->reasons(), (std::map<std::string, int>{{"OK", 1}}));
}

TEST(EngineCore, WorkThatComesAfterTheCloseIsRefused) {
  const auto sink = std::make_shared<CountingSink>();
  EngineCore core({"test", {.threads = 0}}, OneNet());
  auto item = Item(1);
  const auto job = MakeJob(core, item, sink);
  core.Close();
  core.Submit({job});
  EXPECT_EQ(sink->reasons(), (std::map<std::string, int>{{"DRAINING", 1}}));
}

}  // namespace
}  // namespace tandem
