// The peak rates of one core of this machine, measured by loops with the instruction set in use.
#pragma once

#include <cstddef>
#include <string>

namespace tandem::bench {

struct CacheLevel {
  std::string name;
  std::size_t bytes = 0;        // its size; for memory the largest number
  double bytes_per_second = 0;  // that one core reads from it
};

struct Peaks {
  // A multiplication and an addition of binary32, each rounded: no fused multiply-add. A second.
  double multiply_adds = 0;
  // Additions alone, or any other simple operation. A second.
  double adds = 0;
  CacheLevel l1, l2, l3, memory;

  // The nearest level with this capacity.
  [[nodiscard]] const CacheLevel& Holding(double bytes) const;
};

Peaks MeasurePeaks();

}  // namespace tandem::bench
