// The real NIR files of the paper "Neuromorphic intermediate representation" with their published results. Its argument
// is their folder (they are not part of the project); CTest runs it if TANDEM_REFERENCE_NIR names that folder. Exit
// code 0: every number is as published.
#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "engine/model.h"
#include "engine/simulator.h"

namespace tandem {
namespace {

namespace fs = std::filesystem;

int failures = 0;

void Check(bool good, const std::string& what) {
  std::printf("%s: %s\n", good ? "ok" : "WRONG", what.c_str());
  failures += good ? 0 : 1;
}

class Collect final : public RunObserver {
 public:
  bool Abandoned(std::size_t) override { return false; }
  void Finished(std::size_t, Expected<RunResult> outcome) override { result = std::move(outcome).value(); }
  RunResult result;
};

RunResult Run(const Network& network, const std::vector<float>& input, std::uint32_t steps) {
  Scratch scratch;
  Collect collect;
  const RunInput bytes{.values = {reinterpret_cast<const char*>(input.data()), input.size() * sizeof(float)}};
  RunBatch(network, 0, steps, {&bytes, 1}, scratch, collect);
  return collect.result;
}

Model Load(const fs::path& file, const std::string& readout = "") {
  Manifest manifest;
  manifest.dt = 1e-4;
  manifest.input_kind = InputKind::kSeries;
  manifest.readout_node = readout;
  return LoadModel(file, manifest).value();
}

// The data of a numpy file, after its header.
std::string NumpyData(const fs::path& file) {
  const std::string bytes = ReadWholeFile(file, std::uintmax_t{1} << 20).value();
  const std::size_t header = static_cast<unsigned char>(bytes[8]) + 256u * static_cast<unsigned char>(bytes[9]);
  return bytes.substr(10 + header);
}

void CheckLif(const fs::path& folder) {
  std::vector<float> input;
  std::vector<double> trace;
  std::ifstream csv(folder / "lif_norse.csv");
  for (std::string line; std::getline(csv, line);) {
    std::replace(line.begin(), line.end(), ',', ' ');
    std::istringstream cells(line);
    double x = 0;
    double membrane = 0;
    cells >> x >> membrane;
    input.push_back(static_cast<float>(x));
    trace.push_back(membrane);
  }
  const Model model = Load(folder / "lif_norse.nir");
  std::string spikes;
  double worst = 0;
  std::uint32_t before = 0;
  for (std::uint32_t steps = 1; steps <= input.size(); ++steps) {
    const RunResult run = Run(*model.network, input, steps);
    if (run.spike_counts[0] != before) spikes += " " + std::to_string(steps - 1);
    before = run.spike_counts[0];
    worst = std::max(worst, std::abs(static_cast<double>(run.potentials[0]) - trace[steps - 1]));
  }
  Check(spikes == " 460 510 710 760", "lif_norse spikes at" + spikes);
  Check(worst < 4e-9, "lif_norse membrane within " + std::to_string(worst * 1e9) + "e-9 of the trace");
}

void CheckBraille(const fs::path& folder) {
  constexpr std::uint32_t kSteps = 256;
  const std::string raw = NumpyData(folder / "braille_test0_input_256x12_u8.npy");  // column-major
  std::vector<float> input(kSteps * 12);
  for (std::uint32_t t = 0; t < kSteps; ++t) {
    for (std::uint32_t c = 0; c < 12; ++c) input[t * 12 + c] = static_cast<float>(raw[c * kSteps + t]);
  }
  const fs::path file = folder / "braille_noDelay_bias_zero.nir";
  const RunResult out = Run(*Load(file).network, input, kSteps);
  std::string counts;
  for (const std::uint32_t count : out.spike_counts) counts += " " + std::to_string(count);
  Check(counts == " 10 160 112 113 103 68 121", "braille output counts" + counts);

  const std::string activity = NumpyData(folder / "snntorch_activity_noDelay_bias_zero.npy");
  const Model hidden = Load(file, "lif1.lif");
  std::vector<std::uint32_t> before(38, 0);
  std::size_t total = 0;
  std::size_t different = 0;
  for (std::uint32_t steps = 1; steps <= kSteps; ++steps) {
    const RunResult run = Run(*hidden.network, input, steps);
    for (std::size_t k = 0; k < 38; ++k) {
      float want = 0;
      std::memcpy(&want, activity.data() + ((steps - 1) * 38 + k) * sizeof(float), sizeof(float));
      const std::uint32_t spiked = run.spike_counts[k] - before[k];
      total += spiked;
      different += static_cast<float>(spiked) == want ? 0 : 1;
    }
    before = run.spike_counts;
  }
  Check(total == 119 && different == 0, "braille hidden layer: " + std::to_string(total) + " spikes, " +
                                            std::to_string(different) + " entries different");
}

}  // namespace
}  // namespace tandem

int main(int argc, char** argv) {
  if (argc != 2) {
    std::fprintf(stderr, "usage: %s FOLDER\n", argv[0]);
    return 2;
  }
  tandem::CheckLif(argv[1]);
  tandem::CheckBraille(argv[1]);
  return tandem::failures == 0 ? 0 : 1;
}
