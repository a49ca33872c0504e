#include "scheduling/micro_batcher.h"

#include <algorithm>
#include <chrono>
#include <new>
#include <utility>

namespace tandem {
namespace {

constexpr std::chrono::milliseconds kSweepEvery{5};

}  // namespace

MicroBatcher::MicroBatcher(Options options, Process process, Discard discard)
    : options_(options), process_(std::move(process)), discard_(std::move(discard)) {
  for (std::size_t worker = 0; worker < options_.threads; ++worker) {
    threads_.emplace_back([this, worker] { Work(worker); });
  }
  if (options_.threads > 0) threads_.emplace_back([this] { SweepNowAndThen(); });
}

MicroBatcher::~MicroBatcher() { Close(); }

std::vector<Admission> MicroBatcher::Submit(std::span<const TaskPtr> tasks) {
  std::vector<Admission> answers(tasks.size(), Admission::kFull);
  const std::lock_guard lock(mutex_);
  try {
    for (std::size_t k = 0; k < tasks.size(); ++k) {
      if (closed_) answers[k] = Admission::kClosed;
      if (closed_ || in_flight_ >= options_.max_in_flight) continue;
      queue_.push_back(tasks[k]);
      Admit(*tasks[k]);
      answers[k] = Admission::kAccepted;
    }
  } catch (const std::bad_alloc&) {  // there is no memory for a longer queue
  }
  if (!queue_.empty()) WakeOne();
  return answers;
}

bool MicroBatcher::RunNow(const TaskPtr& task, const std::function<bool()>& process) {
  {
    const std::lock_guard lock(mutex_);
    if (closed_ || running_now_ || in_flight_ > 0 || options_.threads == 0) return false;
    running_now_ = true;
    Admit(*task);
  }
  const bool done = process();
  if (done) Release(*task);
  const std::lock_guard lock(mutex_);
  running_now_ = false;
  if (!done) {
    queue_.push_back(task);
    WakeOne();
  }
  if (closed_) work_.notify_all();  // the workers waited for what this might queue
  return true;
}

void MicroBatcher::Admit(Task& task) {
  task.admitted_ = true;
  ++in_flight_;
}

void MicroBatcher::WakeOne() {
  work_.notify_one();
  if (idle_ == 0) sweep_.notify_one();
}

void MicroBatcher::Release(Task& task) {
  if (!task.admitted_.exchange(false)) return;
  --in_flight_;
}

void MicroBatcher::Sweep() {
  std::vector<TaskPtr> stale;
  {
    const std::lock_guard lock(mutex_);
    const auto kept =
        std::stable_partition(queue_.begin(), queue_.end(), [](const TaskPtr& task) { return !task->Stale(); });
    stale.assign(kept, queue_.end());
    queue_.erase(kept, queue_.end());
  }
  for (TaskPtr& task : stale) {
    Release(*task);
    discard_(std::move(task));
  }
}

std::vector<TaskPtr> MicroBatcher::TakeBatch() {
  std::vector<TaskPtr> batch;
  if (queue_.empty()) return batch;
  const BatchKey key = queue_.front()->key_;
  std::deque<TaskPtr> rest;
  for (TaskPtr& task : queue_) {
    const bool taken = task->key_ == key && batch.size() < options_.max_batch;
    if (taken) {
      batch.push_back(std::move(task));
    } else {
      rest.push_back(std::move(task));
    }
  }
  queue_ = std::move(rest);
  return batch;
}

// By value: the tasks must be gone before the worker takes the lock again.
void MicroBatcher::RunBatch(std::vector<TaskPtr> batch, std::size_t worker) {
  process_(batch, worker);
  for (const TaskPtr& task : batch) Release(*task);
}

bool MicroBatcher::RunOne() {
  std::vector<TaskPtr> batch;
  {
    const std::lock_guard lock(mutex_);
    batch = TakeBatch();
  }
  if (batch.empty()) return false;
  RunBatch(std::move(batch), 0);
  return true;
}

void MicroBatcher::Work(std::size_t worker) {
  std::unique_lock lock(mutex_);
  while (true) {
    ++idle_;
    work_.wait(lock, [this] { return !queue_.empty() || (closed_ && !running_now_); });
    --idle_;
    std::vector<TaskPtr> batch = TakeBatch();
    if (batch.empty()) return;  // closed
    if (!queue_.empty()) WakeOne();
    lock.unlock();
    RunBatch(std::move(batch), worker);
    lock.lock();
  }
}

void MicroBatcher::SweepNowAndThen() {
  std::unique_lock lock(mutex_);
  while (true) {
    sweep_.wait(lock, [this] { return closed_ || !queue_.empty(); });
    if (closed_ && queue_.empty()) return;
    lock.unlock();
    std::this_thread::sleep_for(kSweepEvery);
    Sweep();
    lock.lock();
  }
}

void MicroBatcher::Close() {
  {
    const std::lock_guard lock(mutex_);
    closed_ = true;
  }
  work_.notify_all();
  sweep_.notify_all();
  // Without workers the closing thread does their work.
  while (options_.threads == 0 && RunOne()) {
  }
  for (std::thread& thread : threads_) {
    if (thread.joinable()) thread.join();
  }
}

}  // namespace tandem
