// Reads complete files. Errors name the file and the problem.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <string>

#include "base/descriptor.h"
#include "base/status.h"

namespace tandem {

struct RegularFile {
  Descriptor descriptor;
  std::size_t size = 0;
};

// The error MODEL_INVALID: `path` cannot be used, with the reason.
Error UnusableFile(const std::filesystem::path& path, const std::string& why);

// Opens a regular file of at most `max_bytes`. Does not wait: a named pipe is refused.
Expected<RegularFile> OpenRegularFile(const std::filesystem::path& path, std::uintmax_t max_bytes);

// Reads exactly `size` bytes. Returns false if there are fewer.
bool ReadExactly(int descriptor, char* to, std::size_t size);

// The same for writing, to a file or a blocking pipe.
bool WriteExactly(int descriptor, const char* from, std::size_t size);

// Reads a complete regular file of at most `max_bytes`.
Expected<std::string> ReadWholeFile(const std::filesystem::path& path, std::uintmax_t max_bytes);

}  // namespace tandem
