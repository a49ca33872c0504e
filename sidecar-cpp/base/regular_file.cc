#include "base/regular_file.h"

#include <fcntl.h>
#include <sys/stat.h>

#include <cerrno>
#include <system_error>

namespace tandem {

Error UnusableFile(const std::filesystem::path& path, const std::string& why) {
  return {Code::kInvalidArgument, "MODEL_INVALID", path.filename().string() + ": " + why, {}};
}

Expected<RegularFile> OpenRegularFile(const std::filesystem::path& path, std::uintmax_t max_bytes) {
  RegularFile file{Descriptor(open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK)), 0};
  if (!file.descriptor.valid()) {
    const bool missing = errno == ENOENT || errno == ENOTDIR;
    return UnusableFile(path, missing ? "no such file" : "cannot be read: " + std::generic_category().message(errno));
  }
  struct stat is {};
  if (fstat(file.descriptor.get(), &is) != 0 || !S_ISREG(is.st_mode)) return UnusableFile(path, "not a regular file");
  file.size = static_cast<std::size_t>(is.st_size);
  if (file.size > max_bytes) {
    return UnusableFile(path,
                        "has " + std::to_string(file.size) + " bytes, above the limit of " + std::to_string(max_bytes));
  }
  return file;
}

bool ReadExactly(int descriptor, char* to, std::size_t size) {
  while (size > 0) {
    const ssize_t got = read(descriptor, to, size);
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) return false;
    to += got;
    size -= static_cast<std::size_t>(got);
  }
  return true;
}

bool WriteExactly(int descriptor, const char* from, std::size_t size) {
  while (size > 0) {
    const ssize_t sent = write(descriptor, from, size);
    if (sent < 0 && errno == EINTR) continue;
    if (sent <= 0) return false;
    from += sent;
    size -= static_cast<std::size_t>(sent);
  }
  return true;
}

Expected<std::string> ReadWholeFile(const std::filesystem::path& path, std::uintmax_t max_bytes) {
  const auto file = OpenRegularFile(path, max_bytes);
  if (!file.ok()) return file.error();
  std::string bytes(file.value().size, '\0');
  if (!ReadExactly(file.value().descriptor.get(), bytes.data(), bytes.size())) {
    return UnusableFile(path, "cannot be read");
  }
  return bytes;
}

}  // namespace tandem
