#include "engine/manifest.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace tandem {
namespace {

using ::testing::HasSubstr;

TEST(Manifest, AnEmptyFileGivesTheDefaults) {
  const auto manifest = ParseManifest("");
  ASSERT_TRUE(manifest.ok());
  EXPECT_EQ(manifest.value().dt, 1e-3);
  EXPECT_EQ(manifest.value().steps, 16u);
  EXPECT_EQ(manifest.value().neurons.reset, Reset::kValue);
  EXPECT_EQ(manifest.value().neurons.if_gain, IfGain::kDt);
  EXPECT_EQ(manifest.value().input_kind, InputKind::kConstant);
  EXPECT_EQ(manifest.value().readout_from, ReadoutFrom::kSpikeCount);
}

TEST(Manifest, EveryKeyIsRead) {
  const auto manifest = ParseManifest(R"(
name: supersense
dt: 1e-4
steps: 32
reset: subtract
if_gain: unit
input: {shape: [16, 48], kind: series}
v_start: leak
v_min: -0.5
nodes:
  outer/lif1: {reset: none, v_min: 1}
readout: {node: lif2, from: mean_potential}
labels: [a, b]
temperature: 1.5
golden: golden.json
)");
  ASSERT_TRUE(manifest.ok()) << manifest.error().message;
  const Manifest& m = manifest.value();
  EXPECT_EQ(m.name, "supersense");
  EXPECT_EQ(m.dt, 1e-4);
  EXPECT_EQ(m.steps, 32u);
  EXPECT_EQ(m.neurons.reset, Reset::kSubtract);
  EXPECT_EQ(m.neurons.if_gain, IfGain::kUnit);
  EXPECT_EQ(m.neurons.v_start, VStart::kLeak);
  EXPECT_EQ(m.neurons.v_min, -0.5);
  EXPECT_EQ(m.golden_file, "golden.json");
  EXPECT_EQ(m.input_shape, (std::vector<std::uint32_t>{16, 48}));
  EXPECT_EQ(m.input_kind, InputKind::kSeries);
  EXPECT_EQ(m.readout_node, "lif2");
  EXPECT_EQ(m.readout_from, ReadoutFrom::kMeanPotential);
}

TEST(Manifest, ANodeHasTheSettingsOfTheModelExceptItsOwn) {
  const Manifest manifest = ParseManifest("nodes: {a: {reset: none, v_min: 1}}\nif_gain: unit\nv_min: -1").value();
  EXPECT_EQ(manifest.SettingsOf("a").reset, Reset::kNone);
  EXPECT_EQ(manifest.SettingsOf("a").v_min, 1);
  EXPECT_EQ(manifest.SettingsOf("a").if_gain, IfGain::kUnit);
  EXPECT_EQ(manifest.SettingsOf("b").reset, Reset::kValue);
  EXPECT_EQ(manifest.SettingsOf("b").v_min, -1);
}

struct Bad {
  const char* text;
  const char* says;
};

void PrintTo(const Bad& bad, std::ostream* to) { *to << bad.text; }

class RefusedManifest : public ::testing::TestWithParam<Bad> {};

TEST_P(RefusedManifest, NamesTheKey) {
  const auto manifest = ParseManifest(GetParam().text);
  ASSERT_FALSE(manifest.ok());
  EXPECT_THAT(manifest.error().message, HasSubstr(GetParam().says));
}

INSTANTIATE_TEST_SUITE_P(Keys, RefusedManifest,
                         ::testing::Values(Bad{"stepps: 3", "\"stepps\""}, Bad{"input: {knd: series}", "\"input.knd\""},
                                           Bad{"dt: 0", "\"dt\""}, Bad{"dt: -1", "\"dt\""}, Bad{"dt: .nan", "\"dt\""},
                                           Bad{"dt: .inf", "\"dt\""}, Bad{"dt: soon", "\"dt\""},
                                           Bad{"steps: 0", "\"steps\""}, Bad{"steps: 1.5", "\"steps\""},
                                           Bad{"steps: 100001", "\"steps\""}, Bad{"steps: [1]", "\"steps\""},
                                           Bad{"reset: zero", "value, subtract"}, Bad{"if_gain: 1", "dt, unit"},
                                           Bad{"input: {shape: []}", "\"input.shape\""},
                                           Bad{"input: {shape: [0]}", "\"input.shape\""}, Bad{"input: 3", "\"input\""},
                                           Bad{"readout: {from: spikes}", "\"readout.from\""},
                                           Bad{"dt: 1\ndt: 2", "given twice"}, Bad{"[1, 2]", "must be a map"},
                                           Bad{"nodes: [a]", "\"nodes\""}, Bad{"nodes: {a: none}", "\"nodes.a\""},
                                           Bad{"nodes: {a: {dt: 1}}", "\"nodes.a.dt\""},
                                           Bad{"nodes: {a: {reset: zero}}", "\"nodes.a.reset\""},
                                           Bad{"nodes: {a: {}, a: {}}", "given twice"}, Bad{"v_min: .inf", "\"v_min\""},
                                           Bad{"v_min: 1e39", "\"v_min\""}, Bad{"v_start: rest", "zero, leak, reset"},
                                           Bad{"dt: [", "model.yaml"}, Bad{"name: \"\"", "\"name\""}));

TEST(Manifest, DeepNestingIsRefused) { EXPECT_FALSE(ParseManifest("input: " + std::string(100000, '[')).ok()); }

}  // namespace
}  // namespace tandem
