// RunBatch with faults, compared with the simulator without them.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <fstream>
#include <map>
#include <nlohmann/json.hpp>
#include <set>

#include "base/clock.h"
#include "engine/fingerprints.h"
#include "engine/run.h"
#include "faults/faults.h"
#include "testing/graphs.h"

namespace tandem {
namespace {

constexpr std::uint32_t kInputs = 8;
constexpr std::uint32_t kSteps = 16;
constexpr std::uint64_t kModelId = 42;

class Collect final : public RunObserver {
 public:
  bool Abandoned(std::size_t item) override { return abandon.contains(item); }
  void Finished(std::size_t item, Expected<RunResult> result) override {
    if (!result.ok()) {
      EXPECT_TRUE(errors.emplace(item, result.error()).second);
    } else {
      EXPECT_TRUE(results.emplace(item, std::move(result).value()).second);
    }
  }
  std::set<std::size_t> abandon;
  std::map<std::size_t, RunResult> results;
  std::map<std::size_t, Error> errors;
};

class FaultyRun : public ::testing::Test {
 protected:
  ~FaultyRun() override { SetFaults({}, true); }

  template <typename Simulation>
  void With(RunObserver& observer, Simulation simulate) {
    std::vector<RunInput> inputs;
    for (const auto& input : inputs_) {
      inputs.push_back({.values = {reinterpret_cast<const char*>(input.data()), input.size() * sizeof(float)}});
    }
    Scratch scratch;
    simulate(inputs, scratch, observer);
  }
  std::map<std::size_t, RunResult> Run(Collect collect = {}) { return RunAll(std::move(collect)).results; }
  Collect RunAll(Collect collect = {}) {
    With(collect, [this](const auto& inputs, Scratch& scratch, RunObserver& observer) {
      RunBatch(network_, kModelId, kSteps, inputs, scratch, observer);
    });
    return collect;
  }
  std::map<std::size_t, RunResult> Truth() {
    Collect collect;
    With(collect, [this](const auto& inputs, Scratch& scratch, RunObserver& observer) {
      tandem::Run(network_, kModelId, kSteps, inputs, scratch, observer, StepByStep(inputs.size())).ToTheEnd();
    });
    return collect.results;
  }

  Manifest manifest_ = [] {
    Manifest manifest;
    manifest.steps = kSteps;
    return manifest;
  }();
  Network network_ = testing::Compile(testing::LifNet(kInputs, 16, 4, 1), manifest_);
  std::vector<std::vector<float>> inputs_ = [] {
    std::mt19937_64 random(1);
    std::vector<std::vector<float>> inputs;
    for (int k = 0; k < 50; ++k) inputs.push_back(testing::RandomInput(random, kInputs, 0.2));
    return inputs;
  }();
};

TEST_F(FaultyRun, WithoutFaultsIsCorrect) {
  const auto truth = Truth();
  const auto results = Run();
  ASSERT_EQ(results.size(), inputs_.size());
  for (const auto& [item, result] : results) {
    EXPECT_EQ(result.spike_counts, truth.at(item).spike_counts);
    EXPECT_EQ(result.state_digest, truth.at(item).state_digest);
    EXPECT_EQ(result.readout_digest, truth.at(item).readout_digest);
  }
}

TEST_F(FaultyRun, AnAnswerChangesAfterItsDigests) {
  const auto truth = Truth();
  SetFaults({.answers = 1.0}, true);
  for (const auto& [item, result] : Run()) {
    EXPECT_NE(result.spike_counts, truth.at(item).spike_counts);
    EXPECT_EQ(result.state_digest, truth.at(item).state_digest);
    EXPECT_EQ(result.readout_digest, truth.at(item).readout_digest);
    EXPECT_NE(result.readout_digest, ReadoutDigest(result)) << "a digest of the answer shows the fault";
  }
}

TEST_F(FaultyRun, AWrongRunHasMatchingDigests) {
  const auto truth = Truth();
  SetFaults({.runs = 1.0}, true);
  for (const auto& [item, result] : Run()) {
    EXPECT_NE(result.spike_counts, truth.at(item).spike_counts);
    EXPECT_NE(result.state_digest, truth.at(item).state_digest);
    EXPECT_EQ(result.readout_digest, ReadoutDigest(result));
  }
}

TEST_F(FaultyRun, EqualSeedsGiveEqualFaults) {
  SetFaults({.runs = 1.0, .seed = 5}, true);
  const auto one = Run();
  const auto again = Run();
  SetFaults({.runs = 1.0, .seed = 6}, true);
  const auto other = Run();
  int differ = 0;
  for (const auto& [item, result] : one) {
    EXPECT_EQ(again.at(item).state_digest, result.state_digest);
    differ += other.at(item).state_digest != result.state_digest ? 1 : 0;
  }
  EXPECT_GT(differ, 40);
}

TEST_F(FaultyRun, AShareOfTheAnswersIsWrong) {
  const auto truth = Truth();
  SetFaults({.runs = 0.2}, true);
  int wrong = 0;
  for (int k = 0; k < 20; ++k) {
    for (const auto& [item, result] : Run()) wrong += result.state_digest != truth.at(item).state_digest ? 1 : 0;
  }
  EXPECT_NEAR(wrong, 200, 60);
}

TEST_F(FaultyRun, PotentialsCanBeNan) {
  SetFaults({.nans = 1.0}, true);
  for (const auto& [item, result] : Run()) {
    EXPECT_TRUE(std::ranges::all_of(result.potentials, [](float p) { return std::isnan(p); }));
    EXPECT_EQ(result.readout_digest, ReadoutDigest(result));
  }
}

TEST_F(FaultyRun, WeightsFlipOnceAndStayFlipped) {
  const auto truth = Truth();
  SetFaults({.weights = 20}, true);
  const auto first = Run();
  const auto second = Run();
  int wrong = 0;
  for (const auto& [item, result] : first) {
    wrong += result.state_digest != truth.at(item).state_digest ? 1 : 0;
    EXPECT_EQ(second.at(item).state_digest, result.state_digest);
    EXPECT_EQ(result.readout_digest, ReadoutDigest(result));
  }
  EXPECT_GT(wrong, 0);
}

TEST_F(FaultyRun, OneShotsAreLoggedAndEndWithTheRun) {
  const auto truth = Truth();
  const std::string log = ::testing::TempDir() + "/tandem-one-shots.jsonl";
  std::filesystem::remove(log);
  SetFaults({.oneshot = 1.0, .log_file = log}, true);
  const Collect faulty = RunAll();
  SetFaults({}, true);
  std::ifstream lines(log);
  std::size_t wrong = 0;
  for (std::size_t item = 0; item < inputs_.size(); ++item) {
    std::string line;
    ASSERT_TRUE(std::getline(lines, line));
    const auto entry = nlohmann::json::parse(line);
    const auto answer = faulty.results.find(item);
    const bool differs = answer == faulty.results.end() || answer->second.state_digest != truth.at(item).state_digest;
    wrong += differs ? 1 : 0;
    EXPECT_TRUE(!differs || !entry["first_difference"].is_null()) << line;
  }
  EXPECT_GT(wrong, 5u);
  for (const auto& [item, result] : Run()) {
    EXPECT_EQ(result.state_digest, truth.at(item).state_digest);
  }
}

TEST_F(FaultyRun, ARefusalReplacesTheAnswer) {
  SetFaults({.refusals = 1.0, .refuse = "UNKNOWN_MODEL"}, true);
  const auto errors = RunAll().errors;
  ASSERT_EQ(errors.size(), inputs_.size());
  for (const auto& [item, error] : errors) EXPECT_EQ(error.reason, "UNKNOWN_MODEL");
}

TEST_F(FaultyRun, ADelayAppliesToEveryBatch) {
  SetFaults({.delay = std::chrono::milliseconds(60)}, true);
  const TimePoint began = Clock::now();
  EXPECT_EQ(Run().size(), inputs_.size());
  EXPECT_GE(Clock::now() - began, std::chrono::milliseconds(60));
}

TEST_F(FaultyRun, ADelayEndsWhenAllItemsAreAbandoned) {
  SetFaults({.delay = std::chrono::hours(1)}, true);
  Collect nobody;
  for (std::size_t item = 0; item < inputs_.size(); ++item) nobody.abandon.insert(item);
  EXPECT_TRUE(Run(nobody).empty());
}

TEST_F(FaultyRun, AnItemAbandonedDuringTheDelayGetsNoAnswer) {
  SetFaults({.delay = std::chrono::milliseconds(20)}, true);
  Collect some;
  some.abandon = {3};
  const auto results = Run(some);
  EXPECT_EQ(results.size(), inputs_.size() - 1);
  EXPECT_FALSE(results.contains(3));
}

}  // namespace
}  // namespace tandem
