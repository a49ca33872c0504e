// What the simulator's benchmarks share: a model from its folder, inputs from a file, runs of a batch, and the clock.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <memory>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "base/status.h"
#include "engine/manifest.h"
#include "engine/model.h"
#include "engine/recording_store.h"
#include "engine/simulator.h"
#include "nir/graph.h"

namespace tandem::bench {

// Prints why and ends the program.
[[noreturn]] void Stop(const std::string& why);

template <typename T>
T OrStop(Expected<T> value) {
  if (!value.ok()) Stop(value.error().message);
  return std::move(value).value();
}

struct Subject {
  Manifest manifest;
  Graph graph;
  std::shared_ptr<const Model> model;
  // Floats of one input, as many as `item_floats()`.
  std::vector<std::vector<float>> inputs;

  [[nodiscard]] const Network& network() const { return *model->network; }
  [[nodiscard]] std::size_t item_floats() const;
};

// The highest version of a model repository's folder. Stops where it cannot be read.
Subject LoadSubject(const std::filesystem::path& folder);
// Compiled from a graph; for what lies in no file.
Subject MakeSubject(Graph graph, const Manifest& manifest);

// Reads the whole file as inputs: little-endian float32.
void ReadInputs(Subject& subject, const std::filesystem::path& file);

// Makes the kernels use this instruction set; "" is the best one. Stops where the machine lacks it.
void UseSimd(const std::string& target);

// Runs `count` inputs as one batch, from input `first` on. `store`: also records the runs, as the engine does.
std::vector<RunResult> RunInputs(const Subject& subject, std::size_t first, std::size_t count, Scratch& scratch,
                                 RecordingStore* store = nullptr, NodeTimes* times = nullptr);

// Measures the smaller of elapsed time and this process's CPU time: other programs take the core away, which is not the
// measured program's time.
class Stopwatch {
 public:
  Stopwatch() { Restart(); }
  void Restart();
  [[nodiscard]] double Seconds() const;

 private:
  double wall_ = 0;
  double cpu_ = 0;
};

double Median(std::vector<double> values);

}  // namespace tandem::bench
