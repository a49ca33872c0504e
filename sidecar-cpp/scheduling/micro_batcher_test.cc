// Without workers, so the test calls RunOne, except in tests with "threads" in their name.
#include "scheduling/micro_batcher.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <future>
#include <latch>
#include <string>

namespace tandem {
namespace {

using ::testing::ElementsAre;

constexpr int kRed = 0;
constexpr int kBlue = 1;

class FakeTask final : public Task {
 public:
  FakeTask(std::string name, const int* colour, BatchSize size = {})
      : Task({colour, 0}, size), name_(std::move(name)) {}
  [[nodiscard]] bool Stale() const override { return stale; }
  [[nodiscard]] const std::string& name() const { return name_; }
  std::atomic<bool> stale = false;

 private:
  std::string name_;
};

std::shared_ptr<FakeTask> Red(const std::string& name, BatchSize size = {}) {
  return std::make_shared<FakeTask>(name, &kRed, size);
}
std::shared_ptr<FakeTask> Blue(const std::string& name) { return std::make_shared<FakeTask>(name, &kBlue); }

struct Driven {
  explicit Driven(MicroBatcher::Options options = {.threads = 0})
      : batcher(
            options,
            [this](const std::vector<TaskPtr>& batch, std::size_t) {
              std::string names;
              for (const TaskPtr& task : batch) names += static_cast<const FakeTask&>(*task).name();
              batches.push_back(names);
            },
            [this](const TaskPtr& task) { discarded.push_back(static_cast<const FakeTask&>(*task).name()); }) {}
  Admission Submit(const TaskPtr& task) { return batcher.Submit({&task, 1}).front(); }
  std::vector<std::string> batches;
  std::vector<std::string> discarded;
  MicroBatcher batcher;
};

TEST(MicroBatcher, TakesAllTasksOfTheFirstTasksKind) {
  Driven driven;
  for (const TaskPtr& task : {TaskPtr(Red("a")), TaskPtr(Blue("b")), TaskPtr(Red("c"))}) driven.Submit(task);
  EXPECT_TRUE(driven.batcher.RunOne());
  EXPECT_TRUE(driven.batcher.RunOne());
  EXPECT_FALSE(driven.batcher.RunOne());
  EXPECT_THAT(driven.batches, ElementsAre("ac", "b"));
}

TEST(MicroBatcher, ABatchHasAMaximumAndTheKindsTakeTurns) {
  Driven driven({.threads = 0, .max_batch = 2});
  for (const char* name : {"a", "b", "c"}) driven.Submit(Red(name));
  driven.Submit(Blue("x"));
  while (driven.batcher.RunOne()) {
  }
  EXPECT_THAT(driven.batches, ElementsAre("ab", "x", "c"));
}

TEST(MicroBatcher, ABatchIsNoLargerThanItsTasksAllow) {
  Driven driven;
  for (const char* name : {"a", "b", "c"}) driven.Submit(Red(name, {.max = 2}));
  while (driven.batcher.RunOne()) {
  }
  EXPECT_THAT(driven.batches, ElementsAre("ab", "c"));
}

TEST(MicroBatcher, AFullQueueRefusesAtOnce) {
  Driven driven({.threads = 0, .max_in_flight = 2});
  EXPECT_EQ(driven.Submit(Red("a")), Admission::kAccepted);
  EXPECT_EQ(driven.Submit(Red("b")), Admission::kAccepted);
  EXPECT_EQ(driven.Submit(Red("c")), Admission::kFull);
  driven.batcher.RunOne();
  EXPECT_EQ(driven.Submit(Red("d")), Admission::kAccepted);
}

TEST(MicroBatcher, TasksTogetherAreAdmittedOneByOne) {
  Driven driven({.threads = 0, .max_in_flight = 2});
  const std::vector<TaskPtr> tasks = {Red("a"), Red("b"), Red("c")};
  EXPECT_THAT(driven.batcher.Submit(tasks), ElementsAre(Admission::kAccepted, Admission::kAccepted, Admission::kFull));
}

TEST(MicroBatcher, AReleasedTaskFreesItsSlotOnce) {
  Driven driven({.threads = 0, .max_in_flight = 1});
  const auto task = Red("a");
  driven.Submit(task);
  driven.batcher.Release(*task);
  driven.batcher.Release(*task);
  EXPECT_EQ(driven.batcher.in_flight(), 0u);
  driven.batcher.RunOne();
  EXPECT_EQ(driven.batcher.in_flight(), 0u);
}

TEST(MicroBatcher, StaleTasksAreDiscardedAndMakeRoom) {
  Driven driven({.threads = 0, .max_in_flight = 2});
  const auto a = Red("a");
  driven.Submit(a);
  driven.Submit(Red("b"));
  a->stale = true;
  driven.batcher.Sweep();
  EXPECT_THAT(driven.discarded, ElementsAre("a"));
  EXPECT_EQ(driven.Submit(Red("c")), Admission::kAccepted);
  driven.batcher.RunOne();
  EXPECT_THAT(driven.batches, ElementsAre("bc"));
}

TEST(MicroBatcher, ClosingRunsWaitingTasksAndRefusesNewOnes) {
  Driven driven;
  driven.Submit(Red("a"));
  driven.batcher.Close();
  EXPECT_THAT(driven.batches, ElementsAre("a"));
  EXPECT_EQ(driven.Submit(Red("b")), Admission::kClosed);
}

// A batcher with a worker that only the test's Submit wakes.
struct Threaded {
  // Before the batcher, so that they outlive its worker.
  std::atomic<int> ran = 0;
  std::shared_ptr<std::latch> hold;
  MicroBatcher batcher{{.threads = 1, .max_in_flight = 2},
                       [this](const std::vector<TaskPtr>& batch, std::size_t) {
                         if (hold) hold->wait();
                         ran += static_cast<int>(batch.size());
                       },
                       [](const TaskPtr&) {}};
};

bool RunNow(MicroBatcher& batcher, const TaskPtr& task, const std::function<bool()>& process) {
  return batcher.RunNow({&task, 1}, process);
}

TEST(MicroBatcher, ASingleTaskRunsOnTheCallersThread) {
  Threaded threaded;
  const TaskPtr task = Red("a");
  std::thread::id ran_on;
  std::size_t in_flight = 0;
  EXPECT_TRUE(threaded.batcher.RunNow({&task, 1}, [&] {
    ran_on = std::this_thread::get_id();
    in_flight = threaded.batcher.in_flight();
    return true;
  }));
  EXPECT_EQ(ran_on, std::this_thread::get_id());
  EXPECT_EQ(in_flight, 1u);
  EXPECT_EQ(threaded.batcher.in_flight(), 0u);
}

TEST(MicroBatcher, ATaskThatIsNotAloneIsNotRunOnTheCallersThread) {
  Threaded threaded;
  threaded.hold = std::make_shared<std::latch>(1);
  const TaskPtr busy = Red("busy");
  threaded.batcher.Submit({&busy, 1});
  EXPECT_FALSE(RunNow(threaded.batcher, Red("a"), [] { return true; }));
  threaded.hold->count_down();
}

TEST(MicroBatcher, NothingElseIsRunOnACallersThreadMeanwhile) {
  Threaded threaded;
  const TaskPtr task = Red("a");
  threaded.batcher.RunNow({&task, 1}, [&] {
    threaded.batcher.Release(*task);  // its answer is sent, but its memory is still in use
    EXPECT_FALSE(RunNow(threaded.batcher, Red("b"), [] { return true; }));
    return true;
  });
}

TEST(MicroBatcher, ATaskGivenUpIsQueuedAndKeepsItsSlot) {
  Threaded threaded;
  threaded.hold = std::make_shared<std::latch>(1);
  EXPECT_TRUE(RunNow(threaded.batcher, Red("a"), [] { return false; }));
  EXPECT_EQ(threaded.batcher.in_flight(), 1u);
  threaded.hold->count_down();
  threaded.batcher.Close();
  EXPECT_EQ(threaded.ran, 1);
  EXPECT_EQ(threaded.batcher.in_flight(), 0u);
}

TEST(MicroBatcher, OfTasksGivenUpThoseThatWereReleasedAreNotQueued) {
  Threaded threaded;
  const std::vector<TaskPtr> tasks = {Red("done"), Red("left")};
  EXPECT_TRUE(threaded.batcher.RunNow(tasks, [&] {
    threaded.batcher.Release(*tasks[0]);
    return false;
  }));
  threaded.batcher.Close();
  EXPECT_EQ(threaded.ran, 1);
}

TEST(MicroBatcher, MoreTasksThanMayBeInFlightAreNotRunOnTheCallersThread) {
  Threaded threaded;
  const std::vector<TaskPtr> tasks = {Red("a"), Red("b"), Red("c")};
  EXPECT_FALSE(threaded.batcher.RunNow(tasks, [] { return true; }));
}

TEST(MicroBatcher, ClosingWaitsForATaskThatMayBeGivenUp) {
  Threaded threaded;
  std::future<void> closing;
  RunNow(threaded.batcher, Red("a"), [&] {
    closing = std::async(std::launch::async, [&] { threaded.batcher.Close(); });
    EXPECT_EQ(closing.wait_for(std::chrono::milliseconds(20)), std::future_status::timeout);
    return false;
  });
  closing.get();
  EXPECT_EQ(threaded.ran, 1);
}

TEST(MicroBatcher, ACallersThreadRunsNothingOnceClosedOrWithoutWorkers) {
  Threaded threaded;
  threaded.batcher.Close();
  EXPECT_FALSE(RunNow(threaded.batcher, Red("a"), [] { return true; }));
  Driven driven;
  EXPECT_FALSE(RunNow(driven.batcher, Red("a"), [] { return true; }));
}

TEST(MicroBatcher, WorkersRunEverythingThatWasAccepted) {
  std::atomic<int> ran = 0;
  constexpr int kTasks = 2000;
  int accepted = 0;
  {
    MicroBatcher batcher(
        {.threads = 3, .max_in_flight = 100, .max_batch = 7},
        [&](const std::vector<TaskPtr>& batch, std::size_t) { ran += static_cast<int>(batch.size()); },
        [](const TaskPtr&) {});
    for (int k = 0; k < kTasks; ++k) {
      const TaskPtr task = k % 3 == 0 ? Blue("x") : Red("y");
      accepted += batcher.Submit({&task, 1}).front() == Admission::kAccepted ? 1 : 0;
    }
  }
  EXPECT_GE(accepted, 100);
  EXPECT_EQ(ran, accepted);
}

// Two workers that continue only when each has a task.
class Meeting {
 public:
  // Returns true if both came.
  bool Submit(const std::vector<TaskPtr>& tasks) {
    batcher_.Submit(tasks);
    std::unique_lock lock(mutex_);
    met_ += 2;
    return all_came_.wait_for(lock, kLimit, [&] { return came_ == met_; });
  }
  MicroBatcher& batcher() { return batcher_; }

 private:
  static constexpr std::chrono::seconds kLimit{10};

  void Come() {
    std::unique_lock lock(mutex_);
    ++came_;
    all_came_.notify_all();
    all_came_.wait_for(lock, kLimit, [this] { return came_ % 2 == 0; });
  }

  std::mutex mutex_;
  std::condition_variable all_came_;
  int came_ = 0;
  int met_ = 0;
  MicroBatcher batcher_{
      {.threads = 2}, [this](const std::vector<TaskPtr>&, std::size_t) { Come(); }, [](const TaskPtr&) {}};
};

TEST(MicroBatcher, TasksOfTwoKindsThatComeTogetherWakeTwoWorkers) {
  Meeting meeting;
  for (int round = 0; round < 20; ++round) {
    ASSERT_TRUE(meeting.Submit({Red("a"), Blue("b")})) << "a worker slept through round " << round;
    while (meeting.batcher().in_flight() != 0) std::this_thread::yield();
  }
}

// Submits four tasks together and waits for their end. Returns the size of the largest batch.
class Dividing {
 public:
  std::size_t LargestOf(BatchSize size) {
    largest_ = 0;
    batcher_.Submit(std::vector<TaskPtr>{Red("a", size), Red("b", size), Red("c", size), Red("d", size)});
    while (batcher_.in_flight() != 0) std::this_thread::yield();
    const std::lock_guard lock(mutex_);
    return largest_;
  }

 private:
  std::mutex mutex_;
  std::size_t largest_ = 0;
  MicroBatcher batcher_{{.threads = 2},
                        [this](const std::vector<TaskPtr>& batch, std::size_t) {
                          const std::lock_guard lock(mutex_);
                          largest_ = std::max(largest_, batch.size());
                        },
                        [](const TaskPtr&) {}};
};

TEST(MicroBatcher, WaitingTasksAreDividedOverIdleWorkers) {
  Dividing dividing;
  // A worker may not have begun to wait yet.
  const auto limit = std::chrono::steady_clock::now() + std::chrono::seconds(10);
  std::size_t largest = 0;
  while (largest != 2 && std::chrono::steady_clock::now() < limit) largest = dividing.LargestOf({});
  EXPECT_EQ(largest, 2u);
}

TEST(MicroBatcher, TooFewTasksAreNotDivided) {
  Dividing dividing;
  for (int round = 0; round < 100; ++round) ASSERT_EQ(dividing.LargestOf({.min = 4}), 4u);
}

TEST(MicroBatcher, ATaskGivenUpWakesAWorker) {
  Threaded threaded;
  EXPECT_TRUE(RunNow(threaded.batcher, Red("a"), [] { return false; }));
  const auto limit = std::chrono::steady_clock::now() + std::chrono::seconds(10);
  while (threaded.ran == 0 && std::chrono::steady_clock::now() < limit) std::this_thread::yield();
  EXPECT_EQ(threaded.ran, 1);
}

TEST(MicroBatcher, AStaleTaskBehindABusyWorkerIsDiscarded) {
  std::latch started(1);
  std::latch go_on(1);
  std::promise<std::string> discarded;
  MicroBatcher batcher(
      {.threads = 1},
      [&](const std::vector<TaskPtr>&, std::size_t) {
        started.count_down();
        go_on.wait();
      },
      [&](const TaskPtr& task) { discarded.set_value(static_cast<const FakeTask&>(*task).name()); });
  const TaskPtr busy = Red("busy");
  batcher.Submit({&busy, 1});
  started.wait();
  const auto late = Blue("late");
  const TaskPtr task = late;
  batcher.Submit({&task, 1});
  late->stale = true;
  EXPECT_EQ(discarded.get_future().get(), "late");
  go_on.count_down();
}

}  // namespace
}  // namespace tandem
