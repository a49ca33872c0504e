#include "scheduling/micro_batcher.h"

#include <algorithm>
#include <chrono>
#include <iterator>
#include <new>
#include <utility>

namespace tandem {
namespace {

constexpr std::chrono::milliseconds kSweepEvery{5};

std::size_t DivideUp(std::size_t count, std::size_t by) { return (count + by - 1) / by; }

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
      Queue(tasks[k]);
      Admit(*tasks[k]);
      answers[k] = Admission::kAccepted;
    }
  } catch (const std::bad_alloc&) {  // no memory for a longer queue
  }
  WakeWorkers();
  return answers;
}

bool MicroBatcher::RunNow(std::span<const TaskPtr> tasks, const std::function<bool()>& process) {
  {
    const std::lock_guard lock(mutex_);
    if (closed_ || running_now_ || in_flight_ > 0 || options_.threads == 0) return false;
    if (tasks.size() > options_.max_in_flight) return false;
    running_now_ = true;
    for (const TaskPtr& task : tasks) Admit(*task);
  }
  const bool done = process();
  if (done) {
    for (const TaskPtr& task : tasks) Release(*task);
  }
  const std::lock_guard lock(mutex_);
  running_now_ = false;
  if (!done) {
    for (const TaskPtr& task : tasks) {
      if (task->admitted_) Queue(task);
    }
    WakeWorkers();
  }
  if (closed_) work_.notify_all();  // the workers waited for tasks of this call
  return true;
}

void MicroBatcher::Admit(Task& task) {
  task.admitted_ = true;
  ++in_flight_;
}

void MicroBatcher::Queue(const TaskPtr& task) {
  const auto found = kind_of_.find(task->key_);
  if (found != kind_of_.end()) {
    found->second->tasks.push_back(task);
    return;
  }
  std::list<Kind> kind;
  kind.push_back({task->key_, {task}});
  kind_of_.emplace(task->key_, kind.begin());
  kinds_.splice(kinds_.end(), kind);
}

// As many workers as there are batches. Otherwise each would be woken by the one before.
void MicroBatcher::WakeWorkers() {
  if (kinds_.empty()) return;
  if (idle_ == 0) return sweep_.notify_one();
  std::size_t wanted = 0;
  for (auto kind = kinds_.begin(); kind != kinds_.end() && wanted < idle_; ++kind) {
    wanted += DivideUp(kind->tasks.size(), kind->tasks.front()->size_.min);
  }
  for (std::size_t k = 0; k < std::min(wanted, idle_); ++k) work_.notify_one();
}

void MicroBatcher::Release(Task& task) {
  if (!task.admitted_.exchange(false)) return;
  --in_flight_;
}

void MicroBatcher::Sweep() {
  std::vector<TaskPtr> stale;
  {
    const std::lock_guard lock(mutex_);
    for (auto kind = kinds_.begin(); kind != kinds_.end();) {
      std::deque<TaskPtr>& tasks = kind->tasks;
      const auto kept =
          std::stable_partition(tasks.begin(), tasks.end(), [](const TaskPtr& task) { return !task->Stale(); });
      stale.insert(stale.end(), kept, tasks.end());
      tasks.erase(kept, tasks.end());
      const auto next = std::next(kind);
      if (tasks.empty()) {
        kind_of_.erase(kind->key);
        kinds_.erase(kind);
      }
      kind = next;
    }
  }
  for (TaskPtr& task : stale) {
    Release(*task);
    discard_(std::move(task));
  }
}

// A share for each idle worker and for the calling one, but no share that is too small for a worker.
std::vector<TaskPtr> MicroBatcher::TakeBatch() {
  std::vector<TaskPtr> batch;
  if (kinds_.empty()) return batch;
  const auto kind = kinds_.begin();
  std::deque<TaskPtr>& tasks = kind->tasks;
  const BatchSize size = tasks.front()->size_;
  const std::size_t share = std::max(DivideUp(tasks.size(), idle_ + 1), size.min);
  const std::size_t count = std::min({share, size.max, options_.max_batch, tasks.size()});
  const auto end = tasks.begin() + static_cast<std::ptrdiff_t>(count);
  batch.assign(std::make_move_iterator(tasks.begin()), std::make_move_iterator(end));
  tasks.erase(tasks.begin(), end);
  if (!tasks.empty()) {
    kinds_.splice(kinds_.end(), kinds_, kind);
  } else {
    kind_of_.erase(kind->key);
    kinds_.erase(kind);
  }
  return batch;
}

// By value: the tasks must be destroyed before the worker takes the lock again.
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
    work_.wait(lock, [this] { return !kinds_.empty() || (closed_ && !running_now_); });
    --idle_;
    std::vector<TaskPtr> batch = TakeBatch();
    if (batch.empty()) return;  // closed
    WakeWorkers();
    lock.unlock();
    RunBatch(std::move(batch), worker);
    lock.lock();
  }
}

void MicroBatcher::SweepNowAndThen() {
  std::unique_lock lock(mutex_);
  while (true) {
    sweep_.wait(lock, [this] { return closed_ || !kinds_.empty(); });
    if (closed_ && kinds_.empty()) return;
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
  // Without workers, the closing thread processes the tasks.
  while (options_.threads == 0 && RunOne()) {
  }
  for (std::thread& thread : threads_) {
    if (thread.joinable()) thread.join();
  }
}

}  // namespace tandem
