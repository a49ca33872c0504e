// The real tandem-loader on good and damaged files. The answer is always a graph or an error, even if the HDF5 library
// crashes.
#include "loader/load.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/resource.h>

#include <random>

#include "loader/sanitizer.h"
#include "testing/graphs.h"
#include "testing/memory_file.h"
#include "testing/nir_writer.h"

namespace tandem {
namespace {

using ::testing::HasSubstr;
using testing::SeedOr;

// Damage can make HDF5 loop for ever, so the time limit is short.
constexpr LoadLimits kShort{.cpu_seconds = 1};

Expected<Graph> LoadBytes(const std::string& bytes, const LoadLimits& limits = {}) {
  auto loaded = Load(testing::MemoryFile(bytes).get(), limits, {});
  if (!loaded.ok()) return loaded.error();
  return std::move(loaded.value().graph);
}

std::string SmallFile() {
  testing::NirWriter writer;
  writer.Put("node", testing::LifNet(6, 5, 3, 1));
  writer.Floats("node/nodes/lif1/v_reset", {5}, {0, 0, 0, 0, 0}, /*float64=*/true, /*gzip=*/true);
  return writer.Bytes();
}

TEST(Load, GivesTheGraphOfTheFile) {
  const auto graph = LoadBytes(SmallFile());
  ASSERT_TRUE(graph.ok()) << graph.error().message;
  EXPECT_EQ(graph.value().nodes.size(), 6u);
  EXPECT_EQ(graph.value().edges.size(), 5u);
  EXPECT_EQ(graph.value().nodes[graph.value().inputs[0]].name, "input");
}

TEST(Load, FiltersTheLoadersSystemCallsOnThisMachine) {
  const auto loaded = Load(testing::MemoryFile(SmallFile()).get(), {}, {});
  ASSERT_TRUE(loaded.ok());
  EXPECT_EQ(loaded.value().warning, "");
}

TEST(Load, PassesOnCompleteErrors) {
  testing::NirWriter writer;
  writer.Edges("node", {});
  writer.Text("node/nodes/x/type", "Conv7d");
  const auto graph = LoadBytes(writer.Bytes());
  ASSERT_FALSE(graph.ok());
  EXPECT_EQ(graph.error().code, Code::kInvalidArgument);
  EXPECT_EQ(graph.error().reason, "MODEL_INVALID");
  EXPECT_EQ(graph.error().metadata.at("node"), "x");
  EXPECT_THAT(graph.error().message,
              HasSubstr("node \"x\": field \"type\": unknown node type \"Conv7d\"; known are Affine"));
}

TEST(Load, RefusesAnEmptyFile) { EXPECT_EQ(LoadBytes("").error().message, "the file is empty"); }

TEST(Load, CarriesLargeModels) {
  const auto graph = LoadBytes(testing::NirBytes(testing::LifNet(300, 200, 10, 1)));
  ASSERT_TRUE(graph.ok());
  for (const Node& node : graph.value().nodes) {
    if (node.name == "fc1") {
      EXPECT_EQ(node.parameters.at("weight").values.size(), 60'000u);
    }
  }
}

TEST(Load, SurvivesTruncationAnywhere) {
  const std::string whole = SmallFile();
  const std::size_t stride = whole.size() / 60 + 1;
  for (std::size_t size = 0; size < whole.size(); size += stride) {
    const auto graph = LoadBytes(whole.substr(0, size), kShort);
    EXPECT_FALSE(graph.ok() && graph.value().nodes.size() > 6) << "cut to " << size;
  }
  EXPECT_FALSE(LoadBytes(whole.substr(0, whole.size() / 2)).ok());
}

TEST(Load, SurvivesRandomBytes) {
  const std::string whole = SmallFile();
  const std::uint64_t first = SeedOr(1);
  std::size_t refused = 0;
  for (std::uint64_t seed = first; seed < first + 150; ++seed) {
    SCOPED_TRACE("TANDEM_TEST_SEED=" + std::to_string(seed));
    std::mt19937_64 random(seed);
    std::string bytes = whole;
    for (std::uint64_t flips = 1 + random() % 8; flips > 0; --flips) {
      // Half of the changes are near the start, where the structure is.
      const std::size_t range = random() % 2 == 0 ? bytes.size() : std::min<std::size_t>(bytes.size(), 4096);
      bytes[random() % range] = static_cast<char>(random());
    }
    const auto graph = LoadBytes(bytes, kShort);
    if (graph.ok()) continue;
    ++refused;
    EXPECT_FALSE(graph.error().message.empty());
  }
  EXPECT_GT(refused, 0u);
}

// A deep chain of nested graphs with names of a mebibyte each.
TEST(Load, LongNamesUseLittleMemory) {
  testing::NirWriter writer;
  const std::string name(1 << 20, 'x');
  writer.Edges("node", {{"input", "output"}});
  for (const char* child : {"a", "b", "c", "d"}) writer.Text("node/nodes/" + name + child + "/type", "NIRGraph");
  const auto graph = LoadBytes(writer.Bytes());
  ASSERT_FALSE(graph.ok());
  EXPECT_THAT(graph.error().message, HasSubstr("its name has 1048577 bytes, above the limit of 1024"));
  rusage used{};
  getrusage(RUSAGE_CHILDREN, &used);  // the largest loader that this program has started
  if (!kUnderSanitizer) {
    EXPECT_LT(used.ru_maxrss, 200 * 1024) << "KiB";
  }
}

TEST(Load, ALoaderWithTooLittleMemoryReportsIt) {
  if (kUnderSanitizer) GTEST_SKIP() << "no limit on memory";
  // 16 Mi numbers of 8 bytes, from a file of a few kilobytes.
  testing::NirWriter writer;
  writer.Edges("node", {{"input", "output"}});
  writer.Text("node/nodes/fc/type", "Linear");
  writer.Floats("node/nodes/fc/weight", {4096, 4096}, std::vector<double>(std::size_t{16} << 20), false, /*gzip=*/true);
  const auto graph = LoadBytes(writer.Bytes(), {.memory_bytes = std::uint64_t{96} << 20});
  ASSERT_FALSE(graph.ok());
  EXPECT_THAT(graph.error().message,
              HasSubstr("out of memory; its limit is 96 MiB); it is damaged, export the model to NIR again"));
}

}  // namespace
}  // namespace tandem
