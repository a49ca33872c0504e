#include "server/keep_awake.h"

#include <gtest/gtest.h>

#include <semaphore>

namespace tandem {
namespace {

TEST(KeepAwake, CallsRepeatedly) {
  std::counting_semaphore<> called{0};
  const KeepAwake keep_awake([&called] { called.release(); }, std::chrono::milliseconds(1));
  for (int call = 0; call < 3; ++call) EXPECT_TRUE(called.try_acquire_for(std::chrono::seconds(10)));
}

TEST(KeepAwake, EndsWithoutWaitingForTheNextCall) {
  bool called = false;
  {
    const KeepAwake keep_awake([&called] { called = true; }, std::chrono::hours(1));
  }
  EXPECT_FALSE(called);
}

}  // namespace
}  // namespace tandem
