// Rows of floats for the kernels: aligned, and long enough for whole vectors of any width.
#pragma once

#include <cstddef>
#include <new>
#include <vector>

namespace tandem {

// Every row is padded to a multiple of this many floats: one AVX-512 vector, a whole number of narrower ones.
inline constexpr std::size_t kRowMultiple = 16;

constexpr std::size_t PaddedSize(std::size_t n) { return (n + kRowMultiple - 1) / kRowMultiple * kRowMultiple; }

template <typename T>
struct AlignedAllocator {
  using value_type = T;
  static constexpr std::align_val_t kAlignment{64};

  AlignedAllocator() = default;
  template <typename U>
  AlignedAllocator(const AlignedAllocator<U>&) {}  // NOLINT(google-explicit-constructor)

  T* allocate(std::size_t n) { return static_cast<T*>(::operator new(n * sizeof(T), kAlignment)); }
  void deallocate(T* p, std::size_t) { ::operator delete(p, kAlignment); }
  bool operator==(const AlignedAllocator&) const { return true; }
};

using FloatRow = std::vector<float, AlignedAllocator<float>>;

}  // namespace tandem
