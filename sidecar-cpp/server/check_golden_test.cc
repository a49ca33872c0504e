// `tandem-engine check` runs the golden vectors of a model.
#include "server/check_golden.h"

#include <absl/strings/escaping.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "testing/graphs.h"
#include "testing/nir_writer.h"
#include "testing/temporary_folder.h"

namespace tandem {
namespace {

using ::testing::HasSubstr;

class CheckGoldenFile : public ::testing::Test {
 protected:
  CheckGoldenFile() {
    std::filesystem::create_directory(folder_.path() / "1");
    testing::WriteFile(nir_, testing::NirBytes(testing::LifNet(2, 4, 3, 1)));
    model_ = LoadModel(nir_, ParseManifest("steps: 5\ngolden: known.json").value()).value();
  }

  std::string Vector(const std::vector<float>& input, const std::string& digest) {
    const std::string bytes(reinterpret_cast<const char*>(input.data()), input.size() * sizeof(float));
    return R"({"name": "ones", "encoding_f32_base64": ")" + absl::Base64Escape(bytes) + R"(", "state_digest": ")" +
           digest + "\"}";
  }
  // The output of the check for a file with these vectors.
  std::string Said(const std::string& vectors, const char* version = "1", const char* name = "known.json") {
    testing::WriteFile(folder_.path() / name,
                       R"({"model_version": )" + std::string(version) + R"(, "cases": [)" + vectors + "]}");
    return Said();
  }
  std::string Said() {
    const auto said = CheckGolden(model_, nir_, folder_.path());
    return said.ok() ? said.value() : "error: " + said.error().message;
  }
  // The digest of a vector of ones, taken from the error for a wrong one.
  std::string RightDigest() {
    const std::string said = Said(Vector({1, 1}, "0000000000000000"));
    return said.substr(said.find("got ") + 4, 16);
  }

  testing::TemporaryFolder folder_;
  std::filesystem::path nir_ = folder_.path() / "1" / "model.nir";
  Model model_;
};

TEST_F(CheckGoldenFile, ReportsTheNumberOfMatchingVectors) {
  const std::string right = Vector({1, 1}, RightDigest());
  EXPECT_THAT(Said(right + "," + right), HasSubstr("golden vectors: 2 of 2 as expected"));
}

TEST_F(CheckGoldenFile, NamesTheFirstThatDiffers) {
  const std::string right = Vector({1, 1}, RightDigest());
  EXPECT_THAT(Said(right + "," + Vector({1, 1}, "0123456789abcdef")),
              HasSubstr("error: golden vector \"ones\" (2 of 2, in "));
  EXPECT_THAT(Said(Vector({1, 1}, "0123456789abcdef")), HasSubstr("expected state digest 0123456789abcdef, got "));
}

TEST_F(CheckGoldenFile, PrefersTheFileBesideTheModel) {
  const std::string right = Vector({1, 1}, RightDigest());
  Said(right);
  EXPECT_THAT(Said(Vector({1, 1}, "0123456789abcdef"), "1", "1/golden.json"), HasSubstr("1/golden.json"));
}

TEST_F(CheckGoldenFile, IgnoresThoseOfAnotherVersion) {
  EXPECT_THAT(Said(Vector({1, 1}, "0123456789abcdef"), "2"), HasSubstr("none of this version; those in"));
}

TEST_F(CheckGoldenFile, ReportsThatThereAreNone) {
  model_.manifest.golden_file.clear();
  EXPECT_EQ(Said(), "golden vectors: none");
}

TEST_F(CheckGoldenFile, RefusesVectorsThatCannotBeRun) {
  EXPECT_THAT(Said(), HasSubstr("error: "));  // no file
  EXPECT_THAT(Said(Vector({1, 1, 1}, "0123456789abcdef")), HasSubstr("its input has 3 numbers; the model takes 2"));
  EXPECT_THAT(Said(Vector({1, 1}, "123")), HasSubstr("state_digest must have 16 hexadecimal digits"));
  EXPECT_THAT(Said(R"({"encoding_f32_base64": "???", "state_digest": "0123456789abcdef"})"), HasSubstr("base64"));
  EXPECT_THAT(Said(Vector({1, std::numeric_limits<float>::infinity()}, "0123456789abcdef")), HasSubstr("infinite"));
  EXPECT_THAT(Said("{}"), HasSubstr("encoding_f32_base64"));
  EXPECT_THAT(Said("3"), HasSubstr("error: "));
  testing::WriteFile(folder_.path() / "known.json", "[");
  EXPECT_THAT(Said(), HasSubstr("known.json"));
}

}  // namespace
}  // namespace tandem
