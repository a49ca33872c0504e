#include "faults/faults.h"

#include <gtest/gtest.h>

namespace tandem {
namespace {

class FaultsOfProcess : public ::testing::Test {
 protected:
  ~FaultsOfProcess() override { SetFaults({}, true); }
};

TEST(AddFault, TakesNameAndNumber) {
  Faults faults;
  for (const char* spec : {"answers=0.01", "runs=1", "nans=0.5", "weights=3", "delay_ms=500", "oneshot=0.25",
                           "nan_weight=1", "exponent_bit=30", "refuse=NON_FINITE:0.5"}) {
    EXPECT_FALSE(AddFault(spec, faults)) << spec;
  }
  EXPECT_EQ(faults.answers, 0.01);
  EXPECT_EQ(faults.runs, 1.0);
  EXPECT_EQ(faults.nans, 0.5);
  EXPECT_EQ(faults.weights, 3u);
  EXPECT_EQ(faults.oneshot, 0.25);
  EXPECT_TRUE(faults.nan_weight);
  EXPECT_EQ(faults.exponent_bit, 30u);
  EXPECT_EQ(faults.refuse, "NON_FINITE");
  EXPECT_EQ(faults.refusals, 0.5);
  EXPECT_EQ(faults.delay, std::chrono::milliseconds(500));
}

TEST(AddFault, RefusesUnknownFaultsWithAList) {
  for (const char* spec : {"", "answers", "answers=", "answers=x", "answers=1.5", "answers=-1", "answers=nan",
                           "answers=0.5x", "weights=1.5", "weights=1e9", "delay_ms=inf", "digests=1", "=1",
                           "nan_weight=2", "exponent_bit=22", "exponent_bit=31", "refuse=", "refuse=A:2"}) {
    Faults faults;
    const auto error = AddFault(spec, faults);
    ASSERT_TRUE(error) << spec;
    EXPECT_TRUE(error->message.find("weights=COUNT") != std::string::npos) << spec;
  }
}

TEST(AddFault, ARefusalWithoutAShareIsOfEveryInput) {
  Faults faults;
  EXPECT_FALSE(AddFault("refuse=UNKNOWN_MODEL", faults));
  EXPECT_EQ(faults.refuse, "UNKNOWN_MODEL");
  EXPECT_EQ(faults.refusals, 1.0);
}

TEST_F(FaultsOfProcess, ApplyOnlyWhileTheyAreSwitchedOn) {
  SetFaults({.runs = 1.0}, false);
  EXPECT_EQ(FaultsNow().runs, 0.0);
  SwitchFaults();
  EXPECT_EQ(FaultsNow().runs, 1.0);
  SwitchFaults();
  EXPECT_EQ(FaultsNow().runs, 0.0);
}

}  // namespace
}  // namespace tandem
