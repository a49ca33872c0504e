// The common parts of the simulator's benchmarks: a model from its folder, inputs from a file, runs of a batch, and the
// clock.
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

// Prints the reason and ends the program.
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

// Loads the highest version in a model's folder. Ends the program if it cannot be read.
Subject LoadSubject(const std::filesystem::path& folder);
// Compiles a graph that is not in a file.
Subject MakeSubject(Graph graph, const Manifest& manifest);

// Reads the whole file as inputs: little-endian float32.
void ReadInputs(Subject& subject, const std::filesystem::path& file);

// Makes the kernels use this instruction set; "" is the best one. Ends the program if the machine lacks it.
void UseSimd(const std::string& target);

// Runs `count` inputs as one batch, from input `first` on. `store`: also records the runs, as the engine does.
std::vector<RunResult> RunInputs(const Subject& subject, std::size_t first, std::size_t count, Scratch& scratch,
                                 RecordingStore* store = nullptr, NodeTimes* times = nullptr);

// Measures elapsed time or this process's CPU time, whichever is smaller, so that time of other programs on the core
// does not count.
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
