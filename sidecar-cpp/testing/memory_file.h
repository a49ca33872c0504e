// Puts bytes into a file without a name.
#pragma once

#include <sys/mman.h>
#include <unistd.h>

#include <stdexcept>
#include <string_view>

#include "base/descriptor.h"

namespace tandem::testing {

inline Descriptor MemoryFile(std::string_view bytes) {
  Descriptor file(memfd_create("test", MFD_CLOEXEC));
  if (write(file.get(), bytes.data(), bytes.size()) != static_cast<ssize_t>(bytes.size())) {
    throw std::runtime_error("no file in memory");
  }
  return file;
}

}  // namespace tandem::testing
