// The engine without gRPC: models, queue, workers, and whether it accepts work. The gRPC service above it only converts
// messages.
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
  // Each stream, and each connection for its unary calls, always has this much memory: enough for ordinary inputs. That
  // is 64 MiB for all streams together, and 64 MiB for all connections.
  static constexpr std::size_t kMinimumBytes = std::size_t{64} << 10;

  struct Options {
    std::string engine_id = "engine-1";
    MicroBatcher::Options batcher;
    std::size_t recorder_bytes = RecordingStore::kDefaultBytes;  // 0: nothing is recorded
    std::size_t memory_bytes = kDefaultMemoryBytes;              // for waiting inputs and unsent answers
    std::string models = "";                                     // folder of the model repository
  };

  // `spans`, which must outlive this, gets the spans of traced inputs; nullptr: tracing is off.
  EngineCore(Options options, Repository repository, SpanSink* spans = nullptr);

  // Streams have one half of the memory, and unary calls the other, so neither can block the other.
  MemoryBudget& stream_memory() { return stream_memory_; }
  MemoryBudget& unary_memory() { return unary_memory_; }
  // The account of a connection's unary calls.
  std::shared_ptr<MemoryAccount> UnaryAccount(const std::string& peer) { return unary_accounts_.Open(peer); }

  // Checks an item and creates a job from it. The answer will go to `sink`; nothing runs yet. ENGINE_FULL: the caller's
  // account has no room for it.
  Expected<std::shared_ptr<InferJob>> MakeJob(engine::v1::InferItem& item, TimePoint received, MemoryAccount& account,
                                              std::shared_ptr<ResultSink> sink);
  // For items that did not become a job.
  InferSpans& spans() { return spans_; }

  // Queues jobs. If the engine is idle, a few short jobs run before this returns. These, and refused ones (ENGINE_FULL,
  // DRAINING), are answered before this returns; the caller flushes their answers.
  void Submit(const std::vector<std::shared_ptr<InferJob>>& jobs);

  // The same for Trace, which the tracer runs outside of the queue.
  Expected<std::shared_ptr<TraceJob>> MakeTraceJob(engine::v1::TraceRequest& request, TimePoint received,
                                                   MemoryAccount& account, std::shared_ptr<TraceSink> sink) const;
  Tracer& tracer() { return tracer_; }

  ModelLoads& model_loads() { return model_loads_; }
  [[nodiscard]] const ModelLoads& model_loads() const { return model_loads_; }

  // Discards queued jobs that were cancelled or timed out.
  void Sweep() { batcher_.Sweep(); }

  // Refuses new work with DRAINING from now on.
  void StartDraining() { draining_ = true; }
  [[nodiscard]] bool draining() const { return draining_; }
  static Error DrainingError();
  // The error if the memory of the engine, or the caller's part of it, is used up.
  static Error MemoryError(const MemoryBudget& budget);

  // Refuses new work, runs queued jobs and stops the workers. Call it once.
  void Close() {
    model_loads_.Close();
    tracer_.Close();
    batcher_.Close();
  }

  // Runs one batch on the calling thread, for an engine without workers. Returns false if nothing waits.
  bool RunOne() { return batcher_.RunOne() || tracer_.RunOne(); }
  [[nodiscard]] std::size_t in_flight() const { return batcher_.in_flight() + tracer_.in_flight(); }

  [[nodiscard]] const RecordingStore& recordings() const { return recordings_; }

  void Describe(engine::v1::DescribeResponse& to) const;
  static void Describe(const Model& model, engine::v1::ModelDescription& to);

  // Memory of simulation and tracing on all threads.
  [[nodiscard]] std::size_t ScratchBytes() const;

  // False if every input would be refused, so no router should send one.
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
  MicroBatcher batcher_;  // last: its threads use the members above
};

}  // namespace tandem
