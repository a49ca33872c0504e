#include "server/load_models.h"

#include <gtest/gtest.h>
#include <pthread.h>
#include <unistd.h>

#include "testing/graphs.h"
#include "testing/nir_writer.h"

namespace tandem {
namespace {

class LoadingModels : public ::testing::Test {
 protected:
  LoadingModels() {
    std::string name = (std::filesystem::temp_directory_path() / "tandem-load-XXXXXX").string();
    folder_ = mkdtemp(name.data());
    testing::WriteFile(folder_ / "a" / "model.yaml", "steps: 4");
    testing::WriteFile(folder_ / "a" / "1" / "model.nir", testing::NirBytes(testing::LifNet(4, 8, 3, 1)));
    sigemptyset(&stop_);
    sigaddset(&stop_, SIGTERM);
    pthread_sigmask(SIG_BLOCK, &stop_, nullptr);
  }
  ~LoadingModels() override { std::filesystem::remove_all(folder_); }

  std::filesystem::path folder_;
  sigset_t stop_{};
};

TEST_F(LoadingModels, GivesTheModels) {
  const auto models = LoadModels(folder_, stop_);
  ASSERT_TRUE(models);
  EXPECT_TRUE(models->Find("a", 0).ok());
}

TEST_F(LoadingModels, EndsWhereAStopSignalComes) {
  pthread_kill(pthread_self(), SIGTERM);
  EXPECT_FALSE(LoadModels(folder_, stop_));
  timespec at_once{};  // it is left pending, which must not end the test
  EXPECT_EQ(sigtimedwait(&stop_, nullptr, &at_once), SIGTERM);
}

}  // namespace
}  // namespace tandem
