#include "kernels/simd_target.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace tandem {
namespace {

TEST(SimdTarget, TheScalarOneIsAlwaysAvailable) { EXPECT_THAT(SupportedSimdTargets(), ::testing::Contains("scalar")); }

TEST(SimdTarget, TheBestIsUsedUnlessOneIsForced) {
  EXPECT_EQ(ActiveSimdTarget(), SupportedSimdTargets().front());
  ASSERT_TRUE(ForceSimdTarget("scalar"));
  EXPECT_EQ(ActiveSimdTarget(), "scalar");
  EXPECT_GT(SupportedSimdTargets().size(), 1u);
  ASSERT_TRUE(ForceSimdTarget(""));
  EXPECT_EQ(ActiveSimdTarget(), SupportedSimdTargets().front());
}

TEST(SimdTarget, AnUnknownOneIsRefusedAndChangesNothing) {
  EXPECT_FALSE(ForceSimdTarget("mmx"));
  EXPECT_EQ(ActiveSimdTarget(), SupportedSimdTargets().front());
}

}  // namespace
}  // namespace tandem
