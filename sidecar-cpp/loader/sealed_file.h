// A copy of a file that nothing can change, so that the loader reads exactly the bytes of which the engine computes the
// digest.
#pragma once

#include <cstddef>
#include <filesystem>
#include <stop_token>
#include <string_view>
#include <utility>

#include "base/descriptor.h"
#include "base/status.h"

namespace tandem {

class SealedFile {
 public:
  // Copies a regular file of at most `max_bytes` to memory. CANCELLED: `stop` was requested.
  static Expected<SealedFile> CopyOf(const std::filesystem::path& path, std::size_t max_bytes,
                                     const std::stop_token& stop = {});

  // Copies bytes in memory.
  static Expected<SealedFile> Of(std::string_view bytes);

  [[nodiscard]] int descriptor() const { return descriptor_.get(); }
  [[nodiscard]] std::size_t size() const { return size_; }

  // Maps the file, for functions such as XXH64 that need all bytes at once. Valid while the returned object lives.
  class View {
   public:
    View(int descriptor, std::size_t size);
    View(View&& other) noexcept : bytes_(std::exchange(other.bytes_, {})) {}
    View& operator=(View&&) = delete;
    ~View();
    [[nodiscard]] std::string_view bytes() const { return bytes_; }

   private:
    std::string_view bytes_;
  };
  // Throws std::bad_alloc if there is no address space for it.
  [[nodiscard]] View Map() const { return {descriptor(), size_}; }

 private:
  static Expected<SealedFile> Empty(std::size_t size);
  // Seals it: nothing can change it afterwards.
  [[nodiscard]] MaybeError Seal() const;

  SealedFile(Descriptor descriptor, std::size_t size) : descriptor_(std::move(descriptor)), size_(size) {}

  Descriptor descriptor_;
  std::size_t size_;
};

}  // namespace tandem
