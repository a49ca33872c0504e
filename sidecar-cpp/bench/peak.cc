#include "bench/peak.h"

#include <unistd.h>

#include <algorithm>
#include <array>
#include <limits>

#include "bench/peak_loops.h"
#include "bench/subject.h"
#include "kernels/padded.h"

namespace tandem::bench {
namespace {

constexpr std::size_t kRounds = 200'000;  // about 1 ms
constexpr int kSamples = 20;
constexpr std::size_t kReadBytes = std::size_t{8} << 20;  // of one sample, at least
constexpr std::size_t kMaxBytes = std::size_t{768} << 20;
constexpr std::size_t kBlock = 4096;

// Every loop writes to it. The factor comes from memory that the compiler must read.
std::array<float, 64> result{};
volatile float one = 1.0F;

// The best of many samples: slower ones were disturbed by other programs.
template <typename Work>
double BestRate(Work&& work) {
  double best = 0;
  for (int k = 0; k < kSamples; ++k) {
    const Stopwatch watch;
    const double done = work();
    best = std::max(best, done / watch.Seconds());
  }
  return best;
}

std::size_t CacheBytes(int name, std::size_t otherwise) {
  const long bytes = sysconf(name);
  return bytes > 0 ? static_cast<std::size_t>(bytes) : otherwise;
}

CacheLevel Level(std::string name, std::size_t bytes, std::size_t read) {
  read = std::min(read, kMaxBytes) / kBlock * kBlock;
  const FloatRow from(read / sizeof(float), 1.0F);
  const std::size_t times = std::max<std::size_t>(1, kReadBytes / read);
  const double rate = BestRate([&] {
    for (std::size_t k = 0; k < times; ++k) Read(from.data(), from.size(), result.data());
    return static_cast<double>(times * read);
  });
  return {std::move(name), bytes, rate};
}

}  // namespace

const CacheLevel& Peaks::Holding(double bytes) const {
  for (const CacheLevel* level : {&l1, &l2, &l3}) {
    if (bytes <= static_cast<double>(level->bytes)) return *level;
  }
  return memory;
}

Peaks MeasurePeaks() {
  const std::size_t l1 = CacheBytes(_SC_LEVEL1_DCACHE_SIZE, std::size_t{32} << 10);
  const std::size_t l2 = CacheBytes(_SC_LEVEL2_CACHE_SIZE, std::size_t{512} << 10);
  const std::size_t l3 = CacheBytes(_SC_LEVEL3_CACHE_SIZE, std::size_t{16} << 20);
  Peaks peaks;
  peaks.multiply_adds = BestRate([] { return MultiplyAndAdd(kRounds, one, result.data()); });
  peaks.adds = BestRate([] { return Add(kRounds, one, result.data()); });
  peaks.l1 = Level("L1", l1, l1 / 2);
  peaks.l2 = Level("L2", l2, l2 / 2);
  // A shared cache belongs to all cores, so a size well beyond the nearer cache is enough.
  peaks.l3 = Level("L3", l3, std::min(l3 / 2, 4 * l2));
  peaks.memory = Level("memory", std::numeric_limits<std::size_t>::max(), 2 * l3);
  return peaks;
}

}  // namespace tandem::bench
