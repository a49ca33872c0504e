// The C++ simulator as one subject of `npm run bench`, beside its peers in other processes (test/load/peers): measures
// on request, so that the rounds of all subjects interleave.
//   tandem-simulator-subject --model DIR --inputs FILE [--simd NAME]
// Prints one line of JSON: the instruction set in use, all instruction sets of the machine, and the spike counts of
// every input. Then each line "BATCH SECONDS" on standard input is answered with a line {"us": median microseconds of
// an input}. Ends with standard input.
#include <cmath>
#include <iostream>
#include <nlohmann/json.hpp>

#include "bench/simulator_options.h"
#include "bench/subject.h"
#include "kernels/simd_target.h"

namespace tandem::bench {
namespace {

// Of one sample: long enough for the clocks.
constexpr double kSampleSeconds = 2e-3;

double MicrosecondsAnInput(const Subject& subject, std::size_t batch, double seconds) {
  Scratch scratch;
  std::size_t first = 0;
  const auto sample = [&](std::size_t runs) {
    const Stopwatch watch;
    for (std::size_t k = 0; k < runs; ++k) {
      RunInputs(subject, first, batch, scratch);
      first = (first + batch) % subject.inputs.size();
    }
    return watch.Seconds() / static_cast<double>(runs);
  };
  sample(1);
  const auto runs = static_cast<std::size_t>(std::ceil(kSampleSeconds / sample(1)));
  std::vector<double> samples;
  const Stopwatch all;
  do samples.push_back(sample(runs));
  while (all.Seconds() < seconds);
  return Median(std::move(samples)) * 1e6 / static_cast<double>(batch);
}

void PrintCounts(const Subject& subject) {
  Scratch scratch;
  std::vector<std::vector<std::uint32_t>> counts;
  for (const RunResult& result : RunInputs(subject, 0, subject.inputs.size(), scratch)) {
    counts.push_back(result.spike_counts);
  }
  const nlohmann::json ready = {{"version", ActiveSimdTarget()},
                                {"targets", SupportedSimdTargets()},
                                {"counts", nlohmann::json::array({counts})}};
  std::cout << ready << std::endl;
}

}  // namespace
}  // namespace tandem::bench

int main(int argc, char** argv) {
  const auto options =
      tandem::bench::ParseSimulatorOptions(argc, argv, "Measures the simulator for each line of standard input.");
  tandem::bench::Subject subject = tandem::bench::LoadSubject(options.model);
  tandem::bench::ReadInputs(subject, options.inputs);
  tandem::bench::PrintCounts(subject);
  std::size_t batch = 0;
  double seconds = 0;
  while (std::cin >> batch >> seconds) {
    const double us = tandem::bench::MicrosecondsAnInput(subject, batch, seconds);
    std::cout << nlohmann::json{{"us", us}} << std::endl;
  }
  return 0;
}
