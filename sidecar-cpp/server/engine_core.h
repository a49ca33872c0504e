// The engine without its wire: models, queue, workers and whether it still takes work. The gRPC service above it only
// translates.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "engine/recording_store.h"
#include "engine/repository.h"
#include "scheduling/memory_budget.h"
#include "scheduling/micro_batcher.h"
#include "scheduling/peer_accounts.h"
#include "server/executor.h"
#include "server/infer_job.h"
#include "server/infer_spans.h"
#include "server/live_repository.h"
#include "server/model_loads.h"
#include "server/tracer.h"

namespace tandem {

// Thread-safe.
class EngineCore {
 public:
  static constexpr std::size_t kDefaultMemoryBytes = std::size_t{256} << 20;
  // Each stream, and each connection for its unary calls, has this much however much others hold: enough for ordinary
  // inputs. For all streams together, and for all connections, that is 64 MiB.
  static constexpr std::size_t kMinimumBytes = std::size_t{64} << 10;

  struct Options {
    std::string engine_id = "engine-1";
    MicroBatcher::Options batcher;
    std::size_t recorder_bytes = RecordingStore::kDefaultBytes;  // 0: nothing is recorded
    std::size_t memory_bytes = kDefaultMemoryBytes;              // for inputs that wait and answers that are not sent
    std::string models = "";                                     // folder of the model repository
  };

  // `spans`, which must outlive this, gets the spans of traced inputs; nullptr: there are none.
  EngineCore(Options options, Repository repository, SpanSink* spans = nullptr);

  // Streams have one half of the memory, unary calls the other: neither can take what the other needs.
  MemoryBudget& stream_memory() { return stream_memory_; }
  MemoryBudget& unary_memory() { return unary_memory_; }
  // The account of a connection's unary calls.
  std::shared_ptr<MemoryAccount> UnaryAccount(const std::string& peer) { return unary_accounts_.Open(peer); }

  // Checks an item and makes it a job whose answer goes to `sink`; nothing runs yet. ENGINE_FULL: the caller's account
  // has no room for it.
  Expected<std::shared_ptr<InferJob>> MakeJob(engine::v1::InferItem& item, TimePoint received, MemoryAccount& account,
                                              std::shared_ptr<ResultSink> sink);
  // For items that do not become a job, and those that are not made one.
  InferSpans& spans() { return spans_; }

  // Queues jobs; a few that should be quick are run before this returns, if the engine is idle. Those, and those
  // refused (ENGINE_FULL, DRAINING), are answered before this returns, and flushed with the rest by the caller.
  void Submit(const std::vector<std::shared_ptr<InferJob>>& jobs);

  // The same for Trace, which has no part in the queue: it is run by the tracer.
  Expected<std::shared_ptr<TraceJob>> MakeTraceJob(engine::v1::TraceRequest& request, TimePoint received,
                                                   MemoryAccount& account, std::shared_ptr<TraceSink> sink) const;
  Tracer& tracer() { return tracer_; }

  ModelLoads& model_loads() { return model_loads_; }
  [[nodiscard]] const ModelLoads& model_loads() const { return model_loads_; }

  // Discards queued jobs that were cancelled or ran out of time.
  void Sweep() { batcher_.Sweep(); }

  // From now on new work is refused with DRAINING.
  void StartDraining() { draining_ = true; }
  [[nodiscard]] bool draining() const { return draining_; }
  static Error DrainingError();
  // The memory of the engine, or the caller's part of it, is taken.
  static Error MemoryError(const MemoryBudget& budget);

  // Refuses new work, runs what is queued and stops the workers. Once.
  void Close() {
    model_loads_.Close();
    tracer_.Close();
    batcher_.Close();
  }

  // Runs one batch on the calling thread, where the engine was made without workers; false: nothing waits.
  bool RunOne() { return batcher_.RunOne() || tracer_.RunOne(); }
  [[nodiscard]] std::size_t in_flight() const { return batcher_.in_flight() + tracer_.in_flight(); }

  [[nodiscard]] const RecordingStore& recordings() const { return recordings_; }

  void Describe(engine::v1::DescribeResponse& to) const;
  static void Describe(const Model& model, engine::v1::ModelDescription& to);

  // What simulating and tracing may take at once, on all threads.
  [[nodiscard]] std::size_t ScratchBytes() const;

  // False: every input would be refused, so that no router should send one.
  [[nodiscard]] bool HasUsableModel() const { return repository_.Now()->HasUsableModel(); }

 private:
  void Refuse(InferJob& job, Admission admission);

  const Options options_;
  LiveRepository repository_;
  std::atomic<bool> draining_ = false;
  MemoryBudget stream_memory_;
  MemoryBudget unary_memory_;
  PeerAccounts unary_accounts_;
  InferSpans spans_;
  RecordingStore recordings_;
  Executor executor_;
  Tracer tracer_;
  ModelLoads model_loads_;
  MicroBatcher batcher_;  // last: its threads use what stands above
};

}  // namespace tandem
