// tandem-loader: reads one NIR file for tandem-engine and ends. The HDF5 library is not safe with every file. Here it
// runs in a process that may only compute.
#include <hdf5.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <charconv>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <new>
#include <optional>
#include <span>
#include <string_view>

#include "base/regular_file.h"
#include "loader/answer.h"
#include "loader/confinement.h"
#include "loader/protocol.h"
#include "loader/reader.h"
#include "nir/flatten.h"

namespace {

// Collects small pieces. Ends the process if the engine has ended.
class PipeSink final : public tandem::ByteSink {
 public:
  void Write(const void* data, std::size_t size) override {
    if (size > buffer_.size() - used_) Flush();
    if (size > buffer_.size()) return Send(static_cast<const char*>(data), size);
    std::memcpy(buffer_.data() + used_, data, size);
    used_ += size;
  }
  void Flush() { Send(buffer_.data(), std::exchange(used_, 0)); }

 private:
  static void Send(const char* data, std::size_t size) {
    if (!tandem::WriteExactly(tandem::kAnswerDescriptor, data, size)) _exit(tandem::kLoaderCannotRead);
  }

  std::array<char, 65536> buffer_;
  std::size_t used_ = 0;
};

std::optional<std::uint64_t> NumberOf(std::string_view text) {
  std::uint64_t number = 0;
  const auto [end, failed] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (failed != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return number;
}

// The file that the engine has opened for this process; nullopt if there is none.
std::optional<std::span<const char>> MapFile() {
  struct stat is {};
  if (fstat(tandem::kFileDescriptor, &is) != 0 || is.st_size < 0) return std::nullopt;
  const auto size = static_cast<std::size_t>(is.st_size);
  if (size == 0) return std::span<const char>();
  void* const bytes = mmap(nullptr, size, PROT_READ, MAP_PRIVATE, tandem::kFileDescriptor, 0);
  if (bytes == MAP_FAILED) return std::nullopt;
  return std::span(static_cast<const char*>(bytes), size);
}

tandem::Expected<tandem::Graph> ReadGraphOf(std::span<const char> bytes) {
  auto tree = tandem::ReadNir(bytes);
  if (!tree.ok()) return tree.error();
  return tandem::Flatten(std::move(tree).value());
}

}  // namespace

int main(int argc, char** argv) {
  // The last three arguments: an emulator adds its own before them (test/portable).
  const auto parent = argc >= 4 ? NumberOf(argv[argc - 3]) : std::nullopt;
  const auto memory_bytes = argc >= 4 ? NumberOf(argv[argc - 2]) : std::nullopt;
  const auto cpu_seconds = argc >= 4 ? NumberOf(argv[argc - 1]) : std::nullopt;
  if (!parent || !memory_bytes || !cpu_seconds) {
    std::fputs("tandem-loader is started by tandem-engine for each model file; do not start it by hand.\n", stderr);
    return tandem::kLoaderMisused;
  }
  if (!tandem::LimitThisProcess(*memory_bytes, *cpu_seconds, static_cast<pid_t>(*parent)))
    return tandem::kLoaderMisused;
  const auto bytes = MapFile();
  if (!bytes) return tandem::kLoaderCannotRead;
  H5open();  // it makes its system calls now, before the filter
  const int seccomp_errno = tandem::FilterSystemCalls();
  try {
    PipeSink pipe;
    tandem::WriteAnswer({ReadGraphOf(*bytes), static_cast<std::uint64_t>(seccomp_errno)}, pipe);
    pipe.Flush();
  } catch (const std::bad_alloc&) {
    _exit(tandem::kLoaderOutOfMemory);
  }
  // Not exit(): HDF5 would then clean up, which may crash after a damaged file.
  _exit(tandem::kLoaderAnswered);
}
