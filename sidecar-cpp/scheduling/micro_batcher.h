// A bounded queue in front of worker threads that take what waits, together where it is of one kind. It knows nothing
// of what the tasks are.
#pragma once

#include <atomic>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <span>
#include <thread>
#include <vector>

namespace tandem {

// Tasks with equal keys may be processed in one batch.
struct BatchKey {
  const void* group = nullptr;
  std::uint64_t shape = 0;
  bool operator==(const BatchKey&) const = default;
};

class Task {
 public:
  explicit Task(BatchKey key) : key_(key) {}
  virtual ~Task() = default;
  Task(const Task&) = delete;
  Task& operator=(const Task&) = delete;

  // True once nobody wants the task any more: it is discarded instead of processed. Any thread; must not block.
  [[nodiscard]] virtual bool Stale() const = 0;

 private:
  friend class MicroBatcher;
  BatchKey key_;
  std::atomic<bool> admitted_ = false;
};

using TaskPtr = std::shared_ptr<Task>;

enum class Admission { kAccepted, kFull, kClosed };

// Thread-safe. Callbacks run without locks held, so they may call back in.
class MicroBatcher {
 public:
  struct Options {
    std::size_t threads = 1;           // workers; 0: none, tasks run only when RunOne is called
    std::size_t max_in_flight = 1024;  // tasks queued or running; more are refused
    std::size_t max_batch = 64;        // tasks processed together
  };
  // Processes a batch of one key, at least one task, on worker number `worker` (0 to threads - 1). Must not throw.
  using Process = std::function<void(const std::vector<TaskPtr>& batch, std::size_t worker)>;
  // Gets each stale task that was taken out of the queue.
  using Discard = std::function<void(TaskPtr task)>;

  MicroBatcher(Options options, Process process, Discard discard);
  ~MicroBatcher();

  // Queues tasks, together, or refuses each that does not fit; the answers are in the tasks' order. Never blocks.
  std::vector<Admission> Submit(std::span<const TaskPtr> tasks);

  // Processes a task on the calling thread, at once, if nothing is queued or running and there are workers to fall back
  // on; false: it was not looked at. `process` gives the task up by returning false; it is then queued as if submitted.
  bool RunNow(const TaskPtr& task, const std::function<bool()>& process);

  // Frees a task's place before its batch is over, so that whoever is told of its result may submit the next at once.
  // The batcher frees what is left when the batch is over.
  void Release(Task& task);

  // Discards the stale tasks in the queue. Call it when tasks turned stale; time limits are also looked at every
  // kSweepEvery while all workers are busy.
  void Sweep();

  // Processes one batch on the calling thread; false: nothing waits.
  bool RunOne();

  // Refuses new tasks, processes what is queued, and returns when all is done. Once.
  void Close();

  [[nodiscard]] std::size_t in_flight() const { return in_flight_; }

 private:
  void Work(std::size_t worker);
  void SweepNowAndThen();
  // With mutex_ held.
  void Admit(Task& task);
  void WakeOne();
  std::vector<TaskPtr> TakeBatch();
  void RunBatch(std::vector<TaskPtr> batch, std::size_t worker);

  const Options options_;
  const Process process_;
  const Discard discard_;
  std::mutex mutex_;
  std::condition_variable work_;   // something waits, or closed
  std::condition_variable sweep_;  // something waits and no worker is idle, or closed
  std::deque<TaskPtr> queue_;
  std::size_t idle_ = 0;
  bool closed_ = false;
  bool running_now_ = false;  // a thread is in RunNow
  std::atomic<std::size_t> in_flight_ = 0;
  std::vector<std::thread> threads_;
};

}  // namespace tandem
