#include "engine/repository.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include "engine/digest.h"
#include "testing/graphs.h"
#include "testing/nir_writer.h"
#include "testing/temporary_folder.h"

namespace tandem {
namespace {

using ::testing::HasSubstr;
using testing::NirBytes;
using testing::WriteFile;

// One file for all tests: HDF5 writes the time into a file, so another one would differ.
const std::string& NetBytes() {
  static const std::string bytes = NirBytes(testing::LifNet(4, 8, 3, 1));
  return bytes;
}

class RepositoryFolder : public ::testing::Test {
 protected:
  void PutModel(const std::string& name, const std::string& version, const std::string& yaml = "steps: 4") {
    WriteFile(folder_ / name / "model.yaml", yaml);
    WriteFile(folder_ / name / version / "model.nir", NetBytes());
  }
  const testing::TemporaryFolder temporary_;
  const std::filesystem::path folder_ = temporary_.path();
};

TEST_F(RepositoryFolder, ModelsAreSortedByNameThenVersion) {
  PutModel("b", "2");
  PutModel("b", "10");
  PutModel("a", "1");
  const Repository repository = Repository::Load(folder_);
  ASSERT_EQ(repository.models().size(), 3u);
  EXPECT_EQ(repository.models()[0]->name, "a");
  EXPECT_EQ(repository.models()[1]->version, 2u);
  EXPECT_EQ(repository.models()[2]->version, 10u);
}

TEST_F(RepositoryFolder, VersionZeroIsTheHighestUsableOne) {
  PutModel("a", "1");
  PutModel("a", "2");
  WriteFile(folder_ / "a" / "3" / "model.nir", "not a model");
  const Repository repository = Repository::Load(folder_);
  EXPECT_EQ(repository.Find("a", 0).value()->version, 2u);
  EXPECT_EQ(repository.Find("a", 1).value()->version, 1u);
}

TEST_F(RepositoryFolder, ABrokenModelIsKeptWithItsErrorAndOthersLoad) {
  PutModel("good", "1");
  PutModel("torn", "1");
  WriteFile(folder_ / "torn" / "1" / "model.nir", NetBytes().substr(0, 3000));
  PutModel("typo", "1", "stepps: 4");
  const Repository repository = Repository::Load(folder_);
  EXPECT_TRUE(repository.Find("good", 0).ok());
  EXPECT_EQ(repository.Find("torn", 0).error().reason, "MODEL_INVALID");
  EXPECT_THAT(repository.Find("typo", 1).error().message, HasSubstr("stepps"));
  EXPECT_EQ(repository.models().size(), 3u);
}

TEST_F(RepositoryFolder, AMissingModelIsUnknown) {
  PutModel("a", "1");
  const Repository repository = Repository::Load(folder_);
  EXPECT_EQ(repository.Find("b", 0).error().reason, "UNKNOWN_MODEL");
  EXPECT_EQ(repository.Find("a", 2).error().reason, "UNKNOWN_MODEL");
  EXPECT_EQ(repository.Find("a", 2).error().code, Code::kNotFound);
}

TEST_F(RepositoryFolder, FoldersThatAreNotVersionsAreIgnored) {
  for (const char* version : {"0", "01", "x", "1x", "99999999999"}) PutModel("a", version);
  EXPECT_TRUE(Repository::Load(folder_).models().empty());
}

TEST_F(RepositoryFolder, AMissingFolderIsAnEmptyRepository) {
  EXPECT_TRUE(Repository::Load(folder_ / "nowhere").models().empty());
}

TEST_F(RepositoryFolder, AFolderOfBrokenModelsHasNoUsableModel) {
  WriteFile(folder_ / "torn" / "model.yaml", "steps: 4");
  WriteFile(folder_ / "torn" / "1" / "model.nir", "not a model");
  EXPECT_FALSE(Repository::Load(folder_).HasUsableModel());
  PutModel("good", "1");
  EXPECT_TRUE(Repository::Load(folder_).HasUsableModel());
}

TEST_F(RepositoryFolder, LoadingEndsWhenAStopIsRequested) {
  PutModel("a", "1");
  std::stop_source stop;
  stop.request_stop();
  EXPECT_TRUE(Repository::Load(folder_, stop.get_token()).models().empty());
}

TEST_F(RepositoryFolder, AModelWithoutAManifestHasAllDefaults) {
  WriteFile(folder_ / "a" / "1" / "model.nir", NetBytes());
  const auto model = Repository::Load(folder_).Find("a", 0).value();
  EXPECT_EQ(model->network->steps, 16u);
  EXPECT_THAT(DefaultSettings(), HasSubstr("steps 16"));
}

TEST_F(RepositoryFolder, AnUnreadableManifestIsAnError) {
  WriteFile(folder_ / "a" / "1" / "model.nir", NetBytes());
  std::filesystem::create_directory(folder_ / "a" / "model.yaml");
  EXPECT_EQ(Repository::Load(folder_).Find("a", 0).error().reason, "MODEL_INVALID");
}

TEST_F(RepositoryFolder, AVersionsOwnManifestReplacesTheModels) {
  PutModel("a", "1");
  PutModel("a", "2");
  WriteFile(folder_ / "a" / "2" / "model.yaml", "steps: 7");
  const Repository repository = Repository::Load(folder_);
  EXPECT_EQ(repository.Find("a", 1).value()->network->steps, 4u);
  EXPECT_EQ(repository.Find("a", 2).value()->network->steps, 7u);
}

TEST_F(RepositoryFolder, AnUnloadedVersionIsLeftOut) {
  PutModel("a", "1");
  PutModel("a", "2");
  WriteFile(folder_ / "a" / "2" / ".unloaded", "");
  EXPECT_EQ(Repository::Load(folder_).models().size(), 1u);
  EXPECT_EQ(Repository::LoadOne(folder_, "a", 2).error().reason, "UNKNOWN_MODEL");
}

TEST_F(RepositoryFolder, ASingleVersionCanBeLoaded) {
  PutModel("a", "1");
  PutModel("b", "3", "name: other");
  EXPECT_EQ(Repository::LoadOne(folder_, "other", 3).value().version, 3u);
  EXPECT_EQ(Repository::LoadOne(folder_, "../a", 1).error().code, Code::kNotFound);
  WriteFile(folder_ / "a" / "2" / "model.nir", "not a model");
  EXPECT_EQ(Repository::LoadOne(folder_, "a", 2).error().reason, "MODEL_INVALID");
}

TEST_F(RepositoryFolder, AModelReplacesOneWithItsNameAndVersion) {
  PutModel("a", "1");
  PutModel("a", "2");
  const Repository before = Repository::Load(folder_);
  PutModel("a", "1", "steps: 9");
  const auto model = std::make_shared<const Model>(Repository::LoadOne(folder_, "a", 1).value());
  const Repository after = before.With(model);
  EXPECT_EQ(after.models().size(), 2u);
  EXPECT_EQ(after.Find("a", 1).value(), model);
  EXPECT_EQ(before.Find("a", 1).value()->network->steps, 4u);
  EXPECT_EQ(after.Without("a", 2).models().size(), 1u);
}

TEST_F(RepositoryFolder, TheModelIdDependsOnlyOnFileAndSettings) {
  PutModel("a", "1", "steps: 4");
  PutModel("b", "7", "steps: 5\nname: other");
  PutModel("c", "1", "dt: 2e-3");
  const Repository repository = Repository::Load(folder_);
  const auto id = [&](const char* name) { return repository.Find(name, 0).value()->model_id; };
  EXPECT_EQ(id("a"), id("other"));
  EXPECT_NE(id("a"), id("c"));
  Digest digest;
  digest.Add(DigestOf(NetBytes()));
  digest.Add(1e-3);
  digest.AddText(std::string(4, '\0') + "output");
  EXPECT_EQ(id("a"), digest.Value());
}

}  // namespace
}  // namespace tandem
