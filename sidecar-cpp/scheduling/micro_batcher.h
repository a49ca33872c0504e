// Bounded queues, one for each kind of task, in front of worker threads. A worker takes the waiting tasks of one kind,
// or its share of them if other workers are idle. The kinds take turns. The batcher does not depend on the type of the
// tasks.
#pragma once

#include <atomic>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <limits>
#include <list>
#include <memory>
#include <mutex>
#include <span>
#include <thread>
#include <unordered_map>
#include <vector>

namespace tandem {

// Tasks with equal keys may be processed in one batch.
struct BatchKey {
  const void* group = nullptr;
  std::uint64_t shape = 0;
  bool operator==(const BatchKey&) const = default;
};

// The number of tasks of one kind that are processed together.
struct BatchSize {
  std::size_t min = 1;  // fewer do not get a separate worker
  std::size_t max = std::numeric_limits<std::size_t>::max();
};

class Task {
 public:
  explicit Task(BatchKey key, BatchSize size = {}) : key_(key), size_(size) {}
  virtual ~Task() = default;
  Task(const Task&) = delete;
  Task& operator=(const Task&) = delete;

  // True once the task is no longer needed: it is discarded instead of processed. Any thread; must not block.
  [[nodiscard]] virtual bool Stale() const = 0;

 private:
  friend class MicroBatcher;
  const BatchKey key_;
  const BatchSize size_;
  std::atomic<bool> admitted_ = false;
};

using TaskPtr = std::shared_ptr<Task>;

enum class Admission { kAccepted, kFull, kClosed };

// Thread-safe. Callbacks run without locks, so they may call the batcher.
class MicroBatcher {
 public:
  struct Options {
    std::size_t threads = 1;           // workers; 0: tasks run only when RunOne is called
    std::size_t max_in_flight = 1024;  // tasks queued or running; more are refused
    std::size_t max_batch = 64;        // tasks processed together
  };
  // Processes a batch of one key, at least one task, on worker number `worker` (0 to threads - 1). Must not throw.
  using Process = std::function<void(const std::vector<TaskPtr>& batch, std::size_t worker)>;
  // Gets each stale task that was removed from the queue.
  using Discard = std::function<void(TaskPtr task)>;

  MicroBatcher(Options options, Process process, Discard discard);
  ~MicroBatcher();

  // Queues tasks together, or refuses each that does not fit. The results are in the order of the tasks. Never blocks.
  std::vector<Admission> Submit(std::span<const TaskPtr> tasks);

  // Processes tasks at once on the calling thread, if nothing is queued or running and there are workers. Returns false
  // if the tasks were not touched. If `process` returns false, it has given up; tasks that it has not released are then
  // queued as if submitted.
  bool RunNow(std::span<const TaskPtr> tasks, const std::function<bool()>& process);

  // Frees a task's slot before its batch ends, so that the receiver of its result may submit the next one at once. The
  // batcher frees the remaining slots when the batch ends.
  void Release(Task& task);

  // Discards the stale tasks in the queue. Call it when tasks became stale; time limits are also checked every
  // kSweepEvery while all workers are busy.
  void Sweep();

  // Processes one batch on the calling thread. Returns false if nothing waits.
  bool RunOne();

  // Refuses new tasks, processes the queued ones, and returns when all are done. Call it once.
  void Close();

  [[nodiscard]] std::size_t in_flight() const { return in_flight_; }

 private:
  // Waiting tasks of one kind; never empty.
  struct Kind {
    BatchKey key;
    std::deque<TaskPtr> tasks;
  };
  struct HashKey {
    std::size_t operator()(const BatchKey& key) const {
      return std::hash<const void*>{}(key.group) ^ (std::hash<std::uint64_t>{}(key.shape) * 31);
    }
  };

  void Work(std::size_t worker);
  void SweepNowAndThen();
  // Call it with mutex_ held.
  void Admit(Task& task);
  void Queue(const TaskPtr& task);
  void WakeWorkers();
  // Allocates nothing but the batch.
  std::vector<TaskPtr> TakeBatch();
  void RunBatch(std::vector<TaskPtr> batch, std::size_t worker);

  const Options options_;
  const Process process_;
  const Discard discard_;
  std::mutex mutex_;
  std::condition_variable work_;   // something waits, or closed
  std::condition_variable sweep_;  // something waits and no worker is idle, or closed
  std::list<Kind> kinds_;          // in the order of their turns
  std::unordered_map<BatchKey, std::list<Kind>::iterator, HashKey> kind_of_;
  std::size_t idle_ = 0;
  bool closed_ = false;
  bool running_now_ = false;  // a thread is in RunNow
  std::atomic<std::size_t> in_flight_ = 0;
  std::vector<std::thread> threads_;
};

}  // namespace tandem
