#include "server/tls.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>

#include "testing/temporary_folder.h"

namespace tandem {
namespace {

using ::testing::HasSubstr;

TEST(Tls, NoFilesArePlaintext) {
  EXPECT_TRUE(ServerCredentialsOf({}).ok());
  EXPECT_TRUE(OwnChannelCredentials({}).ok());
}

TEST(Tls, AnIncompleteSettingIsRefusedWithTheMissingPart) {
  EXPECT_THAT(ServerCredentialsOf({"a.pem", "", ""}).error().message,
              HasSubstr("--tls-cert and --tls-key go together"));
  EXPECT_THAT(ServerCredentialsOf({"", "a.key", ""}).error().message,
              HasSubstr("--tls-cert and --tls-key go together"));
  EXPECT_THAT(ServerCredentialsOf({"", "", "ca.pem"}).error().message, HasSubstr("--tls-client-ca needs --tls-cert"));
}

TEST(Tls, AFileThatCannotBeUsedIsRefusedByName) {
  const testing::TemporaryFolder folder;
  const std::string text = (folder.path() / "text").string();
  std::ofstream(text) << "hello";
  EXPECT_THAT(ServerCredentialsOf({"/no/such/file", text, ""}).error().message,
              HasSubstr("--tls-cert /no/such/file cannot be read"));
  EXPECT_THAT(ServerCredentialsOf({text, text, ""}).error().message, HasSubstr("is not a PEM file"));
}

}  // namespace
}  // namespace tandem
