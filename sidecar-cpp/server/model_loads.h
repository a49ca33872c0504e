// Loads and unloads models while the engine serves, one after another, on a separate thread: reading a file may take
// long, and must not delay inputs.
#pragma once

#include <atomic>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <filesystem>
#include <functional>
#include <mutex>
#include <stop_token>
#include <string>
#include <thread>
#include <variant>

#include "base/status.h"
#include "scheduling/memory_budget.h"
#include "server/live_repository.h"

namespace tandem {

// A request to load a model.
struct LoadOrder {
  std::string name;
  std::uint32_t version = 0;
  std::string nir;             // empty: from the repository's folder
  std::string manifest;        // of `nir`
  std::string held_as;         // the name under which it is held
  std::uint64_t model_id = 0;  // the required id; 0: any
  MemoryHold memory;           // for the bytes above
};

struct UnloadOrder {
  std::string name;
  std::uint32_t version = 0;
};

// Thread-safe.
class ModelLoads {
 public:
  // The model that was loaded; nullptr: it was unloaded.
  using Outcome = Expected<std::shared_ptr<const Model>>;
  // Called once, on the loading thread, or at once on the caller's thread if the request is refused. Must not throw.
  using Done = std::function<void(Outcome)>;

  static constexpr std::size_t kMaxModels = 1000;
  static constexpr std::size_t kMaxWaiting = 8;

  // `models` must outlive this. `on_change` is called after each change of them, on the loading thread.
  ModelLoads(std::filesystem::path folder, LiveRepository& models);
  ~ModelLoads() { Close(); }
  ModelLoads(const ModelLoads&) = delete;
  ModelLoads& operator=(const ModelLoads&) = delete;

  // Further errors, apart from those of reading the model: MODEL_DIFFERS, MODEL_LIMIT, ENGINE_FULL, DRAINING.
  void Load(LoadOrder order, Done done);
  // Errors: UNKNOWN_MODEL, ENGINE_FULL, DRAINING.
  void Unload(UnloadOrder order, Done done);

  // Ends the running load, and refuses waiting and new ones. Call it once.
  void Close();

  // Maximum memory of the models that were loaded since the start, and of the running load, bytes.
  [[nodiscard]] std::size_t allowed_bytes() const { return allowed_bytes_; }

 private:
  struct Waiting {
    std::variant<LoadOrder, UnloadOrder> order;
    Done done;
  };

  void Enqueue(Waiting waiting);
  void Run(const std::stop_token& stop);
  Outcome Do(LoadOrder& order, const std::stop_token& stop);
  Outcome Do(UnloadOrder& order, const std::stop_token& stop);
  void Hold(Repository next);

  const std::filesystem::path folder_;
  LiveRepository& models_;
  const std::size_t first_bytes_;  // of the models at the start
  std::atomic<std::size_t> allowed_bytes_ = 0;
  std::mutex mutex_;
  std::condition_variable_any ready_;
  std::deque<Waiting> waiting_;
  bool closed_ = false;
  std::jthread thread_;  // last: it uses the members above
};

}  // namespace tandem
