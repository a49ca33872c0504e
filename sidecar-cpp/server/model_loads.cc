#include "server/model_loads.h"

#include <spdlog/spdlog.h>

#include <exception>
#include <memory>
#include <utility>

#include "base/text.h"
#include "engine/doubts.h"
#include "loader/sealed_file.h"
#include "server/engine_core.h"
#include "server/executor.h"

namespace tandem {
namespace {

// Memory of a parameter: as read, and once or twice in the kernels' layout; and the other memory of a model.
constexpr std::size_t kBytesAParameter = 16;
constexpr std::size_t kBytesAModel = std::size_t{4} << 20;
// Memory of a running load: the file, the loader's answer and the graph, for the largest file.
constexpr std::size_t kBytesALoad = 6 * kMaxFileBytes;

std::size_t BytesOf(const Repository& repository) {
  std::size_t bytes = 0;
  for (const auto& model : repository.models()) {
    if (model->network) bytes += kBytesAModel + kBytesAParameter * model->network->parameter_elements;
  }
  return bytes;
}

std::string Shown(const std::string& name, std::uint32_t version) {
  return "model \"" + Printable(name) + "\" version " + std::to_string(version);
}

Expected<Model> Invalid(Error error) {
  // Every error is in the data of the caller.
  if (error.reason == "MODEL_INVALID") error.code = Code::kInvalidArgument;
  return error;
}

Expected<Model> FromBytes(const LoadOrder& order, const std::stop_token& stop) {
  const auto manifest = ParseManifest(order.manifest);
  if (!manifest.ok()) return Invalid(manifest.error());
  const auto file = SealedFile::Of(order.nir);
  if (!file.ok()) return file.error();
  auto model = LoadModel(file.value(), "model.nir", manifest.value(), stop);
  if (!model.ok()) return Invalid(model.error());
  return model;
}

Error Differs(const LoadOrder& order, std::uint64_t model_id) {
  return {
      Code::kFailedPrecondition,
      "MODEL_DIFFERS",
      Shown(order.name, order.version) + fmt::format(" has model id {:016x} here, and {:016x} was requested; compare "
                                                     "the files, or send the bytes",
                                                     model_id, order.model_id),
      {{"model", Printable(order.name)}}};
}

Error TooMany() {
  return {Code::kResourceExhausted,
          "MODEL_LIMIT",
          "this engine holds " + std::to_string(ModelLoads::kMaxModels) +
              " model versions, the most that it can; unload one that is not used",
          {{"max_models", std::to_string(ModelLoads::kMaxModels)}}};
}

Error Unknown(const UnloadOrder& order) {
  return {Code::kNotFound,
          "UNKNOWN_MODEL",
          Shown(order.name, order.version) + " is not held by this engine; Describe lists its models",
          {{"model", Printable(order.name)}}};
}

Error TooManyWait() {
  return {Code::kResourceExhausted,
          "ENGINE_FULL",
          std::to_string(ModelLoads::kMaxWaiting) + " loads are already waiting; try again soon",
          {}};
}

bool Holds(const Repository& repository, const std::string& name, std::uint32_t version) {
  return std::ranges::any_of(repository.models(),
                             [&](const auto& model) { return model->name == name && model->version == version; });
}

}  // namespace

ModelLoads::ModelLoads(std::filesystem::path folder, LiveRepository& models)
    : folder_(std::move(folder)),
      models_(models),
      first_bytes_(BytesOf(*models.Now())),
      thread_([this](const std::stop_token& stop) { Run(stop); }) {}

void ModelLoads::Load(LoadOrder order, Done done) { Enqueue({std::move(order), std::move(done)}); }

void ModelLoads::Unload(UnloadOrder order, Done done) { Enqueue({std::move(order), std::move(done)}); }

void ModelLoads::Enqueue(Waiting waiting) {
  std::optional<Error> refusal;
  {
    const std::lock_guard lock(mutex_);
    if (closed_) {
      refusal = EngineCore::DrainingError();
    } else if (waiting_.size() >= kMaxWaiting) {
      refusal = TooManyWait();
    } else {
      waiting_.push_back(std::move(waiting));
    }
  }
  if (refusal) return waiting.done(*std::move(refusal));
  ready_.notify_one();
}

void ModelLoads::Run(const std::stop_token& stop) {
  while (true) {
    Waiting next;
    {
      std::unique_lock lock(mutex_);
      if (!ready_.wait(lock, stop, [this] { return !waiting_.empty(); })) return;
      next = std::move(waiting_.front());
      waiting_.pop_front();
    }
    Outcome outcome = Error{Code::kInternal, "INTERNAL", "internal error", {}};
    try {
      outcome = std::visit([&](auto& order) { return Do(order, stop); }, next.order);
    } catch (const std::bad_alloc&) {
      outcome = Error{Code::kResourceExhausted, "ENGINE_FULL", "this engine has too little memory for this model", {}};
    } catch (const std::exception& fault) {
      spdlog::error("loading a model failed: {}", fault.what());
    }
    next.done(std::move(outcome));
  }
}

void ModelLoads::Close() {
  std::deque<Waiting> refused;
  {
    const std::lock_guard lock(mutex_);
    if (closed_) return;
    closed_ = true;
    refused.swap(waiting_);
  }
  thread_.request_stop();
  thread_.join();
  for (Waiting& each : refused) each.done(EngineCore::DrainingError());
}

ModelLoads::Outcome ModelLoads::Do(LoadOrder& order, const std::stop_token& stop) {
  const auto now = models_.Now();
  if (now->models().size() >= kMaxModels && !Holds(*now, order.held_as, order.version)) return TooMany();
  allowed_bytes_ += kBytesALoad;
  auto loaded =
      order.nir.empty() ? Repository::LoadOne(folder_, order.name, order.version, stop) : FromBytes(order, stop);
  allowed_bytes_ -= kBytesALoad;
  if (!loaded.ok()) {
    spdlog::warn("{} was not loaded: {}", Shown(order.name, order.version), loaded.error().message);
    return loaded.error();
  }
  Model& model = loaded.value();
  if (order.model_id != 0 && model.model_id != order.model_id) return Differs(order, model.model_id);
  model.name = order.held_as;
  model.version = order.version;
  Executor::MeasureModel(model);
  auto held = std::make_shared<const Model>(std::move(model));
  Hold(now->With(held));
  spdlog::info("model {}/{}: loaded while serving, id {:016x}", Printable(held->name), held->version, held->model_id);
  return held;
}

ModelLoads::Outcome ModelLoads::Do(UnloadOrder& order, const std::stop_token&) {
  const auto now = models_.Now();
  if (!Holds(*now, order.name, order.version)) return Unknown(order);
  Hold(now->Without(order.name, order.version));
  spdlog::info("model {}/{}: unloaded", Printable(order.name), order.version);
  return std::shared_ptr<const Model>();
}

void ModelLoads::Hold(Repository next) {
  const std::size_t bytes = BytesOf(next);
  allowed_bytes_ = bytes > first_bytes_ ? bytes - first_bytes_ : 0;
  models_.Replace(std::move(next));
}

}  // namespace tandem
