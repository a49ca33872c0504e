#include "server/memory_guard.h"

#include <gtest/gtest.h>

#include <semaphore>

namespace tandem {
namespace {

TEST(MemoryGuard, RelievesAProcessThatTakesTooMuch) {
  std::counting_semaphore<> relieved(0);
  const MemoryGuard guard([] { return std::size_t{1}; }, [&] { relieved.release(); });
  EXPECT_TRUE(relieved.try_acquire_for(std::chrono::seconds(10)));
}

TEST(MemoryGuard, DoesNothingBelowTheLimit) {
  bool is_relieved = false;
  {
    const MemoryGuard guard([] { return ResidentMemory() * 100; }, [&] { is_relieved = true; });
    std::this_thread::sleep_for(std::chrono::milliseconds(120));
  }
  EXPECT_FALSE(is_relieved);
}

}  // namespace
}  // namespace tandem
