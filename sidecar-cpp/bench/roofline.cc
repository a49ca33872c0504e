// Prints as JSON the peak rates of one core, and the share of them that each layer of the simulator reaches with all
// inputs as one batch.
//   tandem-roofline --model DIR --inputs FILE [--simd NAME]
#include <algorithm>
#include <cstdio>
#include <nlohmann/json.hpp>

#include "bench/layer_limit.h"
#include "bench/peak.h"
#include "bench/simulator_options.h"
#include "bench/subject.h"
#include "kernels/simd_target.h"

namespace tandem::bench {
namespace {

constexpr double kSeconds = 1.5;

struct LayerShare {
  std::string node;
  std::string type;
  double us = 0;        // an input
  double of_time = 0;   // of the run's
  double limit_us = 0;  // 0: not known
  std::string by;
};

// Medians of many runs.
std::vector<double> NodeSeconds(const Subject& subject) {
  Scratch scratch;
  std::vector<std::vector<double>> samples(subject.network().nodes.size());
  const Stopwatch all;
  while (all.Seconds() < kSeconds || samples[0].size() < 5) {
    NodeTimes times(samples.size());
    RunInputs(subject, 0, subject.inputs.size(), scratch, nullptr, &times);
    for (std::size_t k = 0; k < samples.size(); ++k) {
      samples[k].push_back(std::chrono::duration<double>(times.spent()[k]).count());
    }
  }
  std::vector<double> medians;
  for (auto& sample : samples) medians.push_back(Median(std::move(sample)));
  return medians;
}

// The longest first.
std::vector<LayerShare> Shares(const Subject& subject, const Peaks& peaks) {
  const std::vector<double> seconds = NodeSeconds(subject);
  const std::vector<LayerLimit> limits = LayerLimits(subject, peaks);
  double all = 0;
  for (const double one : seconds) all += one;
  const double us = 1e6 / static_cast<double>(subject.inputs.size());
  std::vector<LayerShare> shares;
  for (std::size_t k = 0; k < seconds.size(); ++k) {
    const NetworkNode& node = subject.network().nodes[k];
    shares.push_back({node.name, std::string(NameOf(node.type)), seconds[k] * us, seconds[k] / all,
                      limits[k].seconds * us, limits[k].by});
  }
  std::ranges::sort(shares, [](const LayerShare& a, const LayerShare& b) { return a.us > b.us; });
  return shares;
}

void PrintJson(const Peaks& peaks, const std::vector<LayerShare>& shares) {
  nlohmann::ordered_json json = {
      {"simd", ActiveSimdTarget()}, {"multiply_adds_per_s", peaks.multiply_adds}, {"adds_per_s", peaks.adds}};
  for (const CacheLevel* level : {&peaks.l1, &peaks.l2, &peaks.l3, &peaks.memory}) {
    json["bytes_per_s"][level->name] = level->bytes_per_second;
  }
  for (const LayerShare& layer : shares) {
    json["layers"].push_back({{"node", layer.node},
                              {"type", layer.type},
                              {"us", layer.us},
                              {"of_time", layer.of_time},
                              {"limit_us", layer.limit_us},
                              {"limited_by", layer.by}});
  }
  std::printf("%s\n", json.dump(2).c_str());
}

}  // namespace
}  // namespace tandem::bench

int main(int argc, char** argv) {
  const auto options = tandem::bench::ParseSimulatorOptions(
      argc, argv, "Prints the peak rates of one core, and the share of them that each layer reaches.");
  tandem::bench::Subject subject = tandem::bench::LoadSubject(options.model);
  tandem::bench::ReadInputs(subject, options.inputs);
  const auto peaks = tandem::bench::MeasurePeaks();
  const auto shares = tandem::bench::Shares(subject, peaks);
  tandem::bench::PrintJson(peaks, shares);
  return 0;
}
