#include "base/memory_plan.h"
#include "testing/temporary_folder.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

namespace tandem {
namespace {

class MemoryPlanTest : public ::testing::Test {
 protected:
  void Write(const std::string& file, const std::string& text) const {
    std::filesystem::create_directories(std::filesystem::path(root_ + "/" + file).parent_path());
    std::ofstream(root_ + "/" + file) << text << "\n";
  }

  const testing::TemporaryFolder folder_;
  const std::string root_ = folder_.path().string();
};

TEST_F(MemoryPlanTest, ReadsTheLimitOfEitherCgroup) {
  Write("memory/memory.limit_in_bytes", "536870912");
  EXPECT_EQ(MemoryLimit(root_), std::size_t{512} << 20);
  Write("memory.max", "268435456");
  EXPECT_EQ(MemoryLimit(root_), std::size_t{256} << 20);
}

TEST_F(MemoryPlanTest, WithoutALimitThereIsNone) {
  EXPECT_EQ(MemoryLimit(root_), std::nullopt);
  Write("memory.max", "max");
  Write("memory/memory.limit_in_bytes", "9223372036854771712");
  EXPECT_EQ(MemoryLimit(root_), std::nullopt);
}

TEST(MemoryPlan, GivesRequestsAQuarterAndConnectionsAnEighth) {
  const MemoryPlan plan = PlanMemory(std::size_t{512} << 20);
  EXPECT_EQ(plan.requests, std::size_t{128} << 20);
  EXPECT_EQ(plan.wire, std::size_t{64} << 20);
}

TEST(MemoryPlan, IsBoundedBothWays) {
  EXPECT_EQ(PlanMemory(std::nullopt).requests, std::size_t{256} << 20);
  EXPECT_EQ(PlanMemory(std::size_t{1} << 40).requests, std::size_t{256} << 20);
  EXPECT_EQ(PlanMemory(1).wire, std::size_t{16} << 20);
}

}  // namespace
}  // namespace tandem
