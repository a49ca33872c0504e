#include "engine/recording_store.h"

#include <gtest/gtest.h>
#include <malloc.h>

#include <cstdlib>
#include <thread>
#include <vector>

#include "testing/graphs.h"

namespace tandem {
namespace {

constexpr std::uint32_t kSteps = 16;

std::shared_ptr<const Model> MakeModel(std::uint64_t hidden = 64) {
  Model model;
  model.name = "net";
  model.version = 1;
  model.manifest.steps = kSteps;
  model.network = testing::Compile(testing::LifNet(8, hidden, 4, 1), model.manifest);
  return std::make_shared<const Model>(std::move(model));
}

class Store : public ::testing::Test {
 protected:
  std::uint64_t AddOne(RecordingStore& store) {
    BatchRecorder recorder(store, model_, kSteps, 1);
    return recorder.Keep(0, "");
  }

  std::shared_ptr<const Model> model_ = MakeModel();
  const std::size_t each_ = RecordingStore::BytesFor(*model_->network, kSteps);
};

TEST_F(Store, FindsARecordingByItsId) {
  RecordingStore store(10 * each_, 1000);
  EXPECT_EQ(AddOne(store), 1000u);
  BatchRecorder recorder(store, model_, kSteps, 1);
  EXPECT_EQ(recorder.Keep(0, "NON_FINITE"), 1001u);
  EXPECT_EQ(store.Find(1001)->ended, "NON_FINITE");
  EXPECT_EQ(store.Find(1001)->model, model_);
  EXPECT_EQ(store.Find(1000)->ended, "");
  for (const std::uint64_t unknown : {0ull, 999ull, 1002ull, ~0ull}) EXPECT_FALSE(store.Find(unknown)) << unknown;
}

TEST_F(Store, NewerRecordingsReplaceTheOldest) {
  RecordingStore store(5 * each_, 1);
  for (int k = 0; k < 7; ++k) AddOne(store);
  EXPECT_EQ(store.count(), 5u);
  EXPECT_FALSE(store.Find(2));
  for (std::uint64_t id = 3; id <= 7; ++id) EXPECT_TRUE(store.Find(id)) << id;
}

TEST_F(Store, ReservedMemoryOfRunsCounts) {
  RecordingStore store(5 * each_, 1);
  for (int k = 0; k < 5; ++k) AddOne(store);
  {
    BatchRecorder recorder(store, model_, kSteps, 8);
    EXPECT_EQ(store.count(), 0u);
    EXPECT_LE(store.bytes(), store.max_bytes());
    EXPECT_EQ(AddOne(store), 0u) << "there is no room while the batch runs";
    for (std::size_t item = 0; item < 5; ++item) EXPECT_EQ(recorder.Keep(item, ""), 6 + item);
    for (std::size_t item = 5; item < 8; ++item) EXPECT_EQ(recorder.Keep(item, ""), 0u) << "it had no room";
  }
  EXPECT_EQ(store.count(), 5u);
}

TEST_F(Store, UnusedMemoryOfABatchIsReturned) {
  RecordingStore store(5 * each_, 1);
  {
    BatchRecorder recorder(store, model_, kSteps, 4);
    recorder.Keep(2, "");
    EXPECT_EQ(store.bytes(), 4 * each_);
  }
  EXPECT_EQ(store.bytes(), each_);
}

TEST_F(Store, DoesNotRecordARunAboveAQuarterOfTheMemory) {
  RecordingStore store(4 * each_ - 1);
  BatchRecorder recorder(store, model_, kSteps, 1);
  EXPECT_EQ(recorder.recorder(), nullptr);
  EXPECT_EQ(recorder.Keep(0, ""), 0u);
  RecordingStore off(0);
  EXPECT_EQ(BatchRecorder(off, model_, kSteps, 1).recorder(), nullptr);
}

TEST_F(Store, StartsAtARandomIdThatIsNotZero) {
  const std::uint64_t one = RecordingStore::RandomId();
  EXPECT_NE(one, 0u);
  EXPECT_NE(one, RecordingStore::RandomId());
}

// The real size of the heap, after many times the budget and with several threads; not with the sanitizers' heap.
TEST_F(Store, UsesNoMoreMemoryThanItsBudget) {
  constexpr std::size_t kBudget = std::size_t{1} << 20;
  constexpr int kThreads = 4;
  const std::vector<std::shared_ptr<const Model>> models = {MakeModel(8), MakeModel(64), MakeModel(1000)};
  const auto heap = [] {
    const struct mallinfo2 info = mallinfo2();
    return info.uordblks + info.hblkhd;
  };
  const std::size_t before = heap();
  auto store = std::make_unique<RecordingStore>(kBudget);
  std::vector<std::thread> threads;
  for (int t = 0; t < kThreads; ++t) {
    threads.emplace_back([&, t] {
      std::mt19937_64 random(static_cast<std::uint64_t>(t));
      for (int k = 0; k < 2000; ++k) {
        const auto& model = models[random() % models.size()];
        BatchRecorder recorder(*store, model, static_cast<std::uint32_t>(1 + random() % 32), 1 + random() % 64);
        for (std::size_t item = 0; item < 64; ++item) {
          if (random() % 8 != 0) recorder.Keep(item, "");
        }
        EXPECT_LE(store->bytes(), kBudget);
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_GT(store->count(), 100u);
  EXPECT_LE(heap() - before, kBudget + kBudget / 16);
  store.reset();
}

}  // namespace
}  // namespace tandem
