// Session states: a run in pieces equals the whole run, and no bytes of a caller can do damage.
#include "engine/session_state.h"

#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <functional>
#include <limits>
#include <map>
#include <optional>
#include <string>

#include "engine/digest.h"
#include "engine/session_state_layout.h"
#include "kernels/simd_target.h"
#include "nir/flatten.h"
#include "testing/graphs.h"
#include "testing/reference_simulator.h"

namespace tandem {
namespace {

using testing::Chain;
using testing::Compile;
using testing::MakeNode;
using testing::Scalar;
using testing::SeedOr;

constexpr std::uint64_t kModelId = 42;

class Collect final : public RunObserver {
 public:
  bool Abandoned(std::size_t) override { return false; }
  void Finished(std::size_t item, Expected<RunResult> result) override { results.emplace(item, std::move(result)); }
  std::map<std::size_t, Expected<RunResult>> results;
};

std::span<const char> Bytes(std::span<const float> floats) {
  return {reinterpret_cast<const char*>(floats.data()), floats.size_bytes()};
}

Expected<RunResult> RunFrom(const Network& network, std::span<const float> input, std::uint32_t steps,
                            const std::string& state) {
  Scratch scratch;
  Collect collect;
  const RunInput of{Bytes(input), state, true};
  RunBatch(network, kModelId, steps, {&of, 1}, scratch, collect);
  return collect.results.at(0);
}

// All numbers of a result; "failed" for a run that failed.
std::string Shown(const RunResult& run) {
  std::string text = std::to_string(run.steps) + " steps, digests " + std::to_string(run.state_digest) + " " +
                     std::to_string(run.readout_digest) + ", totals " + std::to_string(run.total_spikes) + " " +
                     std::to_string(run.synaptic_operations) + ", counts";
  for (const std::uint32_t count : run.spike_counts) text += " " + std::to_string(count);
  return text;
}

// A random network, its input, and its whole run on the reference simulator.
struct Case {
  explicit Case(std::uint64_t seed) : random(seed) {
    const GraphTree tree = testing::RandomGraph(random, 40);
    manifest = testing::RandomManifest(random, tree);
    graph.emplace(Flatten(tree).value());
    network.emplace(Compile(tree, manifest));
    const bool is_series = manifest.input_kind == InputKind::kSeries;
    pieces = Draw(2, 5);
    piece_steps.assign(pieces, manifest.steps);
    if (is_series) {
      for (std::uint32_t& steps : piece_steps) steps = Draw(1, 7);
    }
    for (const std::uint32_t steps : piece_steps) all_steps += steps;
    const std::size_t rows = is_series ? all_steps : 1;
    input = testing::RandomInput(random, network->input_size() * rows, 0.5);
    manifest.steps = all_steps;
    want.emplace(testing::RunReference(*graph, manifest, kModelId, input));
  }

  std::uint32_t Draw(std::uint32_t least, std::uint32_t most) {
    return std::uniform_int_distribution<std::uint32_t>(least, most)(random);
  }

  // The input of a piece that begins after `before` steps.
  [[nodiscard]] std::span<const float> InputOf(std::uint32_t before, std::uint32_t steps) const {
    if (network->input_kind == InputKind::kConstant) return input;
    return std::span(input).subspan(std::size_t{before} * network->input_size(),
                                    std::size_t{steps} * network->input_size());
  }

  // The last result of the run in pieces; nullopt if one of them failed. `before_piece` is called before each.
  std::optional<RunResult> RunPieces(const std::function<void()>& before_piece = [] {}) {
    std::string state;
    std::uint32_t before = 0;
    std::optional<RunResult> last;
    for (const std::uint32_t steps : piece_steps) {
      before_piece();
      if (before > 0) {
        const MaybeError refused = CheckSessionState(*network, kModelId, state, steps);
        EXPECT_FALSE(refused) << refused->message;
      }
      auto result = RunFrom(*network, InputOf(before, steps), steps, state);
      if (!result.ok()) return std::nullopt;
      last = result.value();
      state = last->state;
      EXPECT_EQ(state.size(), SessionStateBytes(*network));
      EXPECT_EQ(DigestOf(std::string_view(state).substr(kBodyAt, BodyBytes(*network))), last->state_digest);
      before += steps;
    }
    return last;
  }

  std::mt19937_64 random;
  Manifest manifest;
  std::optional<Graph> graph;
  std::optional<Network> network;
  std::uint32_t pieces = 0;
  std::vector<std::uint32_t> piece_steps;
  std::uint32_t all_steps = 0;
  std::vector<float> input;
  std::optional<testing::ReferenceOutcome> want;
};

TEST(SessionState, ARunInPiecesEqualsTheWholeRunOnRandomGraphs) {
  const std::uint64_t first = SeedOr(1);
  std::size_t compared = 0;
  for (std::uint64_t seed = first; seed < first + 300; ++seed) {
    SCOPED_TRACE("TANDEM_TEST_SEED=" + std::to_string(seed));
    Case given(seed);
    const auto got = given.RunPieces();
    // A sum of `mean_potential` is checked at the end of each piece, and can fail only there.
    ASSERT_EQ(got.has_value(), !given.want->failed_at.has_value());
    if (!got) continue;
    ASSERT_EQ(Shown(*got), Shown(given.want->result));
    ++compared;
  }
  if (first == 1) {
    EXPECT_GT(compared, 150u) << "most random graphs overflowed: the test lost a part of its reach";
  }
}

TEST(SessionState, ARunContinuesOnAnotherInstructionSet) {
  const std::uint64_t first = SeedOr(1001);
  const std::vector<std::string> targets = SupportedSimdTargets();
  for (std::uint64_t seed = first; seed < first + 100; ++seed) {
    SCOPED_TRACE("TANDEM_TEST_SEED=" + std::to_string(seed));
    Case given(seed);
    std::size_t piece = 0;
    const auto got = given.RunPieces([&] { ForceSimdTarget(targets[piece++ % targets.size()]); });
    if (got) {
      EXPECT_EQ(Shown(*got), Shown(given.want->result));
    }
  }
  ForceSimdTarget("");
}

TEST(SessionState, ItemsOfABatchContinueFromTheirOwnStates) {
  const std::uint64_t first = SeedOr(2001);
  for (std::uint64_t seed = first; seed < first + 60; ++seed) {
    SCOPED_TRACE("TANDEM_TEST_SEED=" + std::to_string(seed));
    Case given(seed);
    const std::uint32_t steps = given.piece_steps[0];
    const auto rows = given.InputOf(0, steps);
    std::vector<std::string> states{""};  // of sessions that are 0 to 6 pieces old
    std::vector<std::string> alone;
    for (int age = 0; age < 7; ++age) {
      const auto result = RunFrom(*given.network, rows, steps, states.back());
      if (!result.ok()) break;
      alone.push_back(Shown(result.value()));
      states.push_back(result.value().state);
    }
    std::vector<RunInput> inputs;
    for (std::size_t k = 0; k < alone.size(); ++k) inputs.push_back({Bytes(rows), states[k], k % 2 == 0});
    if (inputs.empty()) continue;
    Scratch scratch;
    Collect together;
    RunBatch(*given.network, kModelId, steps, inputs, scratch, together);
    for (std::size_t k = 0; k < alone.size(); ++k) {
      EXPECT_EQ(Shown(together.results.at(k).value()), alone[k]) << "item " << k;
      EXPECT_EQ(together.results.at(k).value().state, k % 2 == 0 ? states[k + 1] : "") << "item " << k;
    }
  }
}

TEST(SessionState, AConstantPartCountsAgainOnlyIfTheInputChanges) {
  Manifest manifest;
  manifest.steps = 3;
  const Node doubled = MakeNode("a", NodeType::kLinear, {{"weight", testing::Matrix(1, 1, {2.0})}});
  const Network network = Compile(Chain(1, {doubled}, 1), manifest);
  const std::vector<float> one{1.0f};
  const std::vector<float> two{2.0f};
  const auto begun = RunFrom(network, one, 3, "").value();
  const auto same = RunFrom(network, one, 3, begun.state).value();
  const auto changed = RunFrom(network, two, 3, same.state).value();
  EXPECT_EQ(begun.synaptic_operations, 1u);
  EXPECT_EQ(same.synaptic_operations, 1u);
  EXPECT_EQ(changed.synaptic_operations, 2u);
}

// A change of a valid state; the checksum is corrected afterwards.
std::string Changed(std::string state, const std::function<void(std::string&)>& change) {
  change(state);
  const std::size_t checked = state.size() - kChecksumBytes;
  const std::uint64_t checksum = DigestOf(std::string_view(state).substr(0, checked));
  std::memcpy(state.data() + checked, &checksum, sizeof(checksum));
  return state;
}

template <typename Number>
std::string With(const std::string& state, std::size_t at, Number number) {
  return Changed(state, [&](std::string& to) { std::memcpy(to.data() + at, &number, sizeof(number)); });
}

std::string ReasonOf(const Network& network, const std::string& state, std::uint32_t new_steps = 1) {
  const MaybeError error = CheckSessionState(network, kModelId, state, new_steps);
  return error ? error->reason : "";
}

// A neuron that feeds back into itself: input -> n, n -> n over a delayed edge, n -> output.
struct Loop {
  Loop() {
    Manifest manifest;
    manifest.input_kind = InputKind::kSeries;
    GraphTree tree = Chain(1, {MakeNode("n", NodeType::kIf, {{"r", Scalar(1000.0)}, {"v_threshold", Scalar(2.5)}})}, 1);
    tree.edges.emplace_back("n", "n");
    network.emplace(Compile(tree, manifest));
    state = RunFrom(*network, std::vector<float>(4, 1.0f), 4, "").value().state;
  }
  std::optional<Network> network;
  std::string state;  // its body ends with v and the last output
  [[nodiscard]] std::size_t output_at() const { return state.size() - kChecksumBytes - sizeof(float); }
};

TEST(SessionState, AStateOfBytesThatNoRunGivesIsRefused) {
  const Loop loop;
  const auto reason = [&loop](const std::string& state) { return ReasonOf(*loop.network, state); };
  const std::size_t v_at = loop.output_at() - sizeof(float);
  ASSERT_EQ(reason(loop.state), "");
  EXPECT_EQ(reason("x"), "STATE_INVALID");
  EXPECT_EQ(reason(std::string(kMaxSessionStateBytes + 1, 'x')), "STATE_INVALID");
  EXPECT_EQ(reason(loop.state.substr(1)), "STATE_INVALID");
  EXPECT_EQ(reason(Changed(loop.state + "1234", [](std::string&) {})), "STATE_INVALID") << "too long";
  EXPECT_EQ(reason(With(loop.state, 0, 'X')), "STATE_INVALID");
  EXPECT_EQ(reason(With(loop.state, kBodyLengthAt, std::uint32_t{12})), "STATE_INVALID");
  EXPECT_EQ(reason(With(loop.state, kModelIdAt, std::uint64_t{43})), "STATE_MODEL");
  EXPECT_EQ(reason(With(loop.state, kStepsAt, std::uint32_t{0})), "STATE_INVALID");
  EXPECT_EQ(reason(With(loop.state, kInputDigestAt, std::uint64_t{1})), "STATE_INVALID");
  EXPECT_EQ(reason(With(loop.state, kTotalSpikesAt, std::uint64_t{5})), "STATE_INVALID") << "1 neuron, 4 steps";
  EXPECT_EQ(reason(With(loop.state, kTotalSpikesAt, std::uint64_t{0})), "STATE_INVALID") << "below the counts";
  EXPECT_EQ(reason(With(loop.state, kSynapticOperationsAt, (std::uint64_t{1} << 52) + 1)), "STATE_INVALID");
  EXPECT_EQ(reason(With(loop.state, kCountsAt, std::uint32_t{5})), "STATE_INVALID");
  EXPECT_EQ(reason(With(loop.state, v_at, std::numeric_limits<float>::quiet_NaN())), "STATE_INVALID");
  EXPECT_EQ(reason(With(loop.state, v_at, -1e30f)), "");
  for (const float output : {0.5f, 2.0f, -0.0f, -1.0f}) {
    EXPECT_EQ(reason(With(loop.state, loop.output_at(), output)), "STATE_INVALID") << output;
  }
  EXPECT_EQ(reason(With(loop.state, loop.output_at(), 1.0f)), "");
  std::string flipped = loop.state;
  flipped[kCountsAt] ^= 1;
  EXPECT_EQ(reason(flipped), "STATE_INVALID") << "its checksum is that of other bytes";
}

TEST(SessionState, AnIntegratorsLastOutputIsItsPotential) {
  Manifest manifest;
  manifest.input_kind = InputKind::kSeries;
  GraphTree tree = Chain(1, {MakeNode("n", NodeType::kI, {{"r", Scalar(1000.0)}})}, 1);
  tree.edges.emplace_back("n", "n");
  const Network network = Compile(tree, manifest);
  const std::string state = RunFrom(network, std::vector<float>(2, 1.0f), 2, "").value().state;
  const std::size_t output_at = state.size() - kChecksumBytes - sizeof(float);
  EXPECT_EQ(ReasonOf(network, state), "");
  EXPECT_EQ(ReasonOf(network, With(state, output_at, 0.25f)), "STATE_INVALID");
}

TEST(SessionState, ASessionHasAMaximumOfSteps) {
  const Loop loop;
  const std::string old = With(loop.state, kStepsAt, kMaxSessionSteps - 2);
  EXPECT_EQ(ReasonOf(*loop.network, old, 2), "");
  EXPECT_EQ(ReasonOf(*loop.network, old, 3), "INPUT_STEPS");
}

// Random bytes: if a state passes the check, the run must give a valid state or a failure.
TEST(SessionState, ADamagedStateIsRefusedOrComputes) {
  const std::uint64_t first = SeedOr(3001);
  std::size_t refused = 0;
  std::size_t computed = 0;
  for (std::uint64_t seed = first; seed < first + 100; ++seed) {
    SCOPED_TRACE("TANDEM_TEST_SEED=" + std::to_string(seed));
    Case given(seed);
    const std::uint32_t steps = given.piece_steps[0];
    const auto rows = given.InputOf(0, steps);
    const auto begun = RunFrom(*given.network, rows, steps, "");
    if (!begun.ok()) continue;
    for (int attempt = 0; attempt < 20; ++attempt) {
      const std::string state = Changed(begun.value().state, [&given](std::string& bytes) {
        for (std::uint32_t n = given.Draw(1, 4); n > 0; --n) {
          const auto at = given.Draw(0, static_cast<std::uint32_t>(bytes.size() - 1));
          bytes[at] = static_cast<char>(given.Draw(0, 255));
        }
        if (given.Draw(0, 9) == 0) bytes.resize(given.Draw(kCountsAt + 8, static_cast<std::uint32_t>(bytes.size())));
      });
      if (CheckSessionState(*given.network, kModelId, state, steps)) {
        ++refused;
        continue;
      }
      const auto went_on = RunFrom(*given.network, rows, steps, state);
      if (went_on.ok()) ++computed;
    }
  }
  if (first == 3001) {
    EXPECT_GT(refused, 100u);
    EXPECT_GT(computed, 100u);
  }
}

}  // namespace
}  // namespace tandem
