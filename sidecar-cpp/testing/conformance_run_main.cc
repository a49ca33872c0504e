// Runs the conformance cases of a folder on the engine and on the reference, for test/conformance to compare with the
// expected values: `tandem-conformance FOLDER`. Prints a line of JSON for each case, in the order of the names: the
// engine's results, and whether the reference has the same.
#include <algorithm>
#include <cstdio>
#include <exception>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "base/regular_file.h"
#include "engine/digest.h"
#include "engine/model.h"
#include "engine/run.h"
#include "engine/trace.h"
#include "loader/reader.h"
#include "nir/flatten.h"
#include "testing/reference_simulator.h"

namespace tandem::testing {
namespace {

namespace fs = std::filesystem;
using Json = nlohmann::ordered_json;

class Collect : public RunObserver {
 public:
  bool Abandoned(std::size_t) override { return false; }
  void Finished(std::size_t, Expected<RunResult> outcome) override {
    if (outcome.ok()) {
      result = std::move(outcome).value();
    } else {
      error = outcome.error().message;
    }
  }
  RunResult result;
  std::string error;
};

std::string Hex(std::uint64_t value) {
  char text[17];
  std::snprintf(text, sizeof(text), "%016llx", static_cast<unsigned long long>(value));
  return text;
}

template <typename Number>
std::vector<Number> RowOf(const float* row, std::size_t n) {
  return {row, row + n};
}

// The output of every node at every step, and its final state.
Json RunEngine(const Network& network, std::uint64_t model_id, std::uint32_t steps, const std::vector<float>& input) {
  Scratch scratch;
  Collect collect;
  const RunInput bytes{.values = {reinterpret_cast<const char*>(input.data()), input.size() * sizeof(float)}};
  const std::span<const RunInput> inputs(&bytes, 1);
  Run run(network, model_id, steps, inputs, scratch, collect, StepByStep(1));
  Json nodes = Json::object();
  for (std::uint32_t step = 0; step < steps && run.running() > 0; ++step) {
    run.Step();
    if (run.running() == 0) break;
    for (std::size_t k = 0; k < network.nodes.size(); ++k) {
      const NetworkNode& node = network.nodes[k];
      const NodeState& state = run.state().nodes[k];
      Json& to = nodes[node.name];
      to["output"].push_back(RowOf<double>(state.out[0], node.out));
      if (HasCurrent(node.type)) to["i"] = RowOf<double>(state.current[0], node.out);
      if (HasPotential(node.type)) to["v"] = RowOf<double>(state.potential[0], node.out);
    }
  }
  run.ToTheEnd();
  // Without an observer of every step, whole blocks of steps are computed at once.
  Collect in_blocks;
  RunBatch(network, model_id, steps, inputs, scratch, in_blocks);
  if (in_blocks.error != collect.error || in_blocks.result.state_digest != collect.result.state_digest) {
    throw std::runtime_error("the run in blocks differs from the run step by step");
  }
  if (!collect.error.empty()) return {{"error", collect.error}};
  const RunResult& result = collect.result;
  const std::vector<double> potentials(result.potentials.begin(), result.potentials.end());
  return {{"nodes", nodes},
          {"spike_counts", result.spike_counts},
          {"potentials", potentials},
          {"total_spikes", result.total_spikes},
          {"synaptic_operations", result.synaptic_operations},
          {"state_digest", Hex(result.state_digest)}};
}

bool ReferenceAgrees(const Graph& graph, const Manifest& manifest, const Network& network, std::uint64_t model_id,
                     std::uint32_t steps, const std::vector<float>& input, const Json& engine) {
  const ReferenceOutcome reference = RunReference(graph, manifest, model_id, input);
  if (engine.contains("error")) return reference.failed_at.has_value();
  Scratch scratch;
  const RunInput bytes{.values = {reinterpret_cast<const char*>(input.data()), input.size() * sizeof(float)}};
  const auto trace = TraceRun(network, steps, bytes, std::nullopt, scratch, [] { return false; });
  return !reference.failed_at && trace && trace->digests == reference.trace &&
         engine["state_digest"] == Hex(reference.result.state_digest);
}

template <typename Value>
Value Unwrap(Expected<Value> value) {
  if (!value.ok()) throw std::runtime_error(value.error().message);
  return std::move(value).value();
}

Json RunCase(const fs::path& file) {
  const Json written = Json::parse(std::ifstream(file));
  const std::string nir = Unwrap(ReadWholeFile(fs::path(file).replace_extension(".nir"), kMaxFileBytes));
  const Manifest manifest = Unwrap(ParseManifest(written.at("manifest").get<std::string>()));
  std::vector<float> input;
  for (const Json& row : written.at("input")) {
    for (const double value : row) input.push_back(static_cast<float>(value));
  }
  const Graph graph = Unwrap(Flatten(Unwrap(ReadNir(nir))));
  const Network network = Unwrap(CompileNetwork(graph, manifest));
  const std::uint64_t model_id = ModelId(DigestOf(nir), manifest, network.readout_name);
  const auto steps = manifest.input_kind == InputKind::kSeries ? static_cast<std::uint32_t>(written.at("input").size())
                                                               : manifest.steps;
  Json engine = RunEngine(network, model_id, steps, input);
  const bool agrees = ReferenceAgrees(graph, manifest, network, model_id, steps, input, engine);
  return {{"case", file.stem()}, {"reference_agrees", agrees}, {"engine", std::move(engine)}};
}

int Main(const fs::path& folder) {
  std::vector<fs::path> files;
  for (const auto& entry : fs::directory_iterator(folder)) {
    if (entry.path().extension() == ".json") files.push_back(entry.path());
  }
  std::ranges::sort(files);
  for (const fs::path& file : files) {
    try {
      std::printf("%s\n", RunCase(file).dump().c_str());
    } catch (const std::exception& error) {
      std::printf("%s\n", Json{{"case", file.stem()}, {"refused", error.what()}}.dump().c_str());
    }
  }
  return 0;
}

}  // namespace
}  // namespace tandem::testing

int main(int argc, char** argv) {
  if (argc != 2) {
    std::fprintf(stderr, "usage: tandem-conformance FOLDER\n");
    return 2;
  }
  return tandem::testing::Main(argv[1]);
}
