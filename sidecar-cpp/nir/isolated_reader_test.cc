// Damaged files: whatever the HDF5 library does with them, the answer is a graph or an error.
#include "nir/isolated_reader.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <random>

#include "testing/graphs.h"
#include "testing/nir_writer.h"

namespace tandem {
namespace {

using testing::SeedOr;

// Damage can make HDF5 loop for ever; such a file need not be waited for long.
constexpr ReadLimits kShort{.cpu_seconds = 1};

std::string SmallFile() {
  testing::NirWriter writer;
  writer.Put("node", testing::LifNet(6, 5, 3, 1));
  writer.Floats("node/nodes/lif1/v_reset", {5}, {0, 0, 0, 0, 0}, /*float64=*/true, /*gzip=*/true);
  return writer.Bytes();
}

TEST(IsolatedReader, GivesWhatTheReaderGives) {
  const auto tree = ReadNirIsolated(SmallFile());
  ASSERT_TRUE(tree.ok()) << tree.error().message;
  EXPECT_EQ(tree.value().nodes.size(), 6u);
  EXPECT_EQ(tree.value().edges.size(), 5u);
}

TEST(IsolatedReader, PassesErrorsOnWhole) {
  testing::NirWriter writer;
  writer.Edges("node", {});
  writer.Text("node/nodes/x/type", "Conv2d");
  const auto tree = ReadNirIsolated(writer.Bytes());
  ASSERT_FALSE(tree.ok());
  EXPECT_EQ(tree.error().code, Code::kInvalidArgument);
  EXPECT_EQ(tree.error().reason, "MODEL_INVALID");
  EXPECT_EQ(tree.error().metadata.at("node"), "x");
}

TEST(IsolatedReader, CarriesLargeModels) {
  const auto tree = ReadNirIsolated(testing::NirBytes(testing::LifNet(300, 200, 10, 1)));
  ASSERT_TRUE(tree.ok());
}

TEST(IsolatedReader, SurvivesTruncationAnywhere) {
  const std::string whole = SmallFile();
  const std::size_t stride = whole.size() / 150 + 1;
  for (std::size_t size = 0; size < whole.size(); size += stride) {
    const auto tree = ReadNirIsolated(whole.substr(0, size), kShort);
    EXPECT_FALSE(tree.ok() && tree.value().nodes.size() > 6) << "cut to " << size;
  }
  EXPECT_FALSE(ReadNirIsolated(whole.substr(0, whole.size() / 2)).ok());
}

TEST(IsolatedReader, SurvivesRandomBytes) {
  const std::string whole = SmallFile();
  const std::uint64_t first = SeedOr(1);
  std::size_t refused = 0;
  for (std::uint64_t seed = first; seed < first + 400; ++seed) {
    SCOPED_TRACE("TANDEM_TEST_SEED=" + std::to_string(seed));
    std::mt19937_64 random(seed);
    std::string bytes = whole;
    for (std::uint64_t flips = 1 + random() % 8; flips > 0; --flips) {
      // Half of them near the start, where the structure is.
      const std::size_t range = random() % 2 == 0 ? bytes.size() : std::min<std::size_t>(bytes.size(), 4096);
      bytes[random() % range] = static_cast<char>(random());
    }
    const auto tree = ReadNirIsolated(bytes, kShort);
    if (tree.ok()) continue;
    ++refused;
    EXPECT_FALSE(tree.error().message.empty());
  }
  EXPECT_GT(refused, 0u);
}

}  // namespace
}  // namespace tandem
