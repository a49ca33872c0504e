#include "loader/sealed_file.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <new>
#include <string>
#include <system_error>

#include "base/regular_file.h"
#include "loader/stopped.h"

namespace tandem {
namespace {

constexpr std::size_t kPieceBytes = std::size_t{1} << 20;
constexpr int kSeals = F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE;

Error NoMemory(const char* what) {
  return {Code::kInternal,
          "INTERNAL",
          std::string("cannot hold a model file in memory: ") + what + ": " + std::generic_category().message(errno),
          {}};
}

}  // namespace

Expected<SealedFile> SealedFile::CopyOf(const std::filesystem::path& path, std::size_t max_bytes,
                                        const std::stop_token& stop) {
  const auto file = OpenRegularFile(path, max_bytes);
  if (!file.ok()) return file.error();
  const std::size_t size = file.value().size;
  auto made = Empty(size);
  if (!made.ok()) return made.error();
  SealedFile copy = std::move(made).value();
  std::string piece(std::min(size, kPieceBytes), '\0');
  for (std::size_t left = size; left > 0; left -= piece.size()) {
    if (stop.stop_requested()) return StoppedWhileLoading();
    piece.resize(std::min(left, piece.size()));
    if (!ReadExactly(file.value().descriptor.get(), piece.data(), piece.size())) {
      return UnusableFile(path, "cannot be read");
    }
    if (!WriteExactly(copy.descriptor(), piece.data(), piece.size())) return NoMemory("write");
  }
  if (auto error = copy.Seal()) return *std::move(error);
  return copy;
}

Expected<SealedFile> SealedFile::Of(std::string_view bytes) {
  auto copy = Empty(bytes.size());
  if (!copy.ok()) return copy.error();
  if (!WriteExactly(copy.value().descriptor(), bytes.data(), bytes.size())) return NoMemory("write");
  if (auto error = copy.value().Seal()) return *std::move(error);
  return copy;
}

Expected<SealedFile> SealedFile::Empty(std::size_t size) {
  SealedFile file(Descriptor(memfd_create("model.nir", MFD_CLOEXEC | MFD_ALLOW_SEALING)), size);
  if (file.descriptor() < 0) return NoMemory("memfd_create");
  return file;
}

MaybeError SealedFile::Seal() const {
  if (fcntl(descriptor(), F_ADD_SEALS, kSeals) != 0) return NoMemory("seal");
  return std::nullopt;
}

SealedFile::View::View(int descriptor, std::size_t size) {
  if (size == 0) return;
  void* const at = mmap(nullptr, size, PROT_READ, MAP_SHARED, descriptor, 0);
  if (at == MAP_FAILED) throw std::bad_alloc();
  bytes_ = {static_cast<const char*>(at), size};
}

SealedFile::View::~View() {
  if (!bytes_.empty()) munmap(const_cast<char*>(bytes_.data()), bytes_.size());
}

}  // namespace tandem
