#include "loader/sealed_file.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>

#include "testing/nir_writer.h"
#include "testing/temporary_folder.h"

namespace tandem {
namespace {

using ::testing::HasSubstr;

class SealedCopy : public ::testing::Test {
 protected:
  std::string ErrorOf(const std::filesystem::path& path, std::size_t max_bytes = 100) {
    const auto copy = SealedFile::CopyOf(path, max_bytes);
    return copy.ok() ? "copied" : copy.error().message;
  }
  const testing::TemporaryFolder temporary_;
  const std::filesystem::path folder_ = temporary_.path();
};

TEST_F(SealedCopy, HoldsTheBytesOfTheFile) {
  const std::string bytes = std::string(3'000'000, 'x') + "end";
  testing::WriteFile(folder_ / "a.nir", bytes);
  const auto copy = SealedFile::CopyOf(folder_ / "a.nir", bytes.size());
  ASSERT_TRUE(copy.ok());
  EXPECT_EQ(copy.value().Map().bytes(), bytes);
}

TEST_F(SealedCopy, CannotBeChanged) {
  testing::WriteFile(folder_ / "a.nir", "bytes");
  const auto copy = SealedFile::CopyOf(folder_ / "a.nir", 100);
  testing::WriteFile(folder_ / "a.nir", "other");
  EXPECT_EQ(copy.value().Map().bytes(), "bytes");
  EXPECT_EQ(pwrite(copy.value().descriptor(), "x", 1, 0), -1);
  EXPECT_EQ(ftruncate(copy.value().descriptor(), 0), -1);
}

TEST_F(SealedCopy, OfAnEmptyFileIsEmpty) {
  testing::WriteFile(folder_ / "a.nir", "");
  EXPECT_EQ(SealedFile::CopyOf(folder_ / "a.nir", 100).value().Map().bytes(), "");
}

TEST_F(SealedCopy, EndsWhenAStopIsRequested) {
  testing::WriteFile(folder_ / "a.nir", "bytes");
  std::stop_source stop;
  stop.request_stop();
  EXPECT_EQ(SealedFile::CopyOf(folder_ / "a.nir", 100, stop.get_token()).error().code, Code::kCancelled);
}

TEST_F(SealedCopy, NamesTheFileThatCannotBeRead) {
  testing::WriteFile(folder_ / "large.nir", std::string(101, 'x'));
  ASSERT_EQ(mkfifo((folder_ / "pipe.nir").c_str(), 0600), 0);
  EXPECT_EQ(ErrorOf(folder_ / "none.nir"), "none.nir: no such file");
  EXPECT_EQ(ErrorOf(folder_ / "large.nir"), "large.nir: has 101 bytes, above the limit of 100");
  EXPECT_EQ(ErrorOf(folder_ / "pipe.nir"), "pipe.nir: not a regular file");  // and it does not wait for a writer
  EXPECT_EQ(ErrorOf(folder_), folder_.filename().string() + ": not a regular file");
}

}  // namespace
}  // namespace tandem
