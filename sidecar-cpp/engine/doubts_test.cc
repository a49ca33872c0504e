#include "engine/doubts.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>

#include "testing/graphs.h"
#include "testing/temporary_folder.h"

namespace tandem {
namespace {

using testing::Chain;
using testing::Compile;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using testing::MakeNode;
using testing::Scalar;

Node Lif(double tau) {
  return MakeNode("lif", NodeType::kLif,
                  {{"tau", Scalar(tau)}, {"r", Scalar(1)}, {"v_leak", Scalar(0)}, {"v_threshold", Scalar(1)}});
}

std::vector<std::string> DoubtsOfOne(Node node, const Manifest& manifest, const std::filesystem::path& folder = "") {
  return DoubtsOf(Compile(Chain(2, {std::move(node)}, 2), manifest), manifest, folder);
}

TEST(Doubts, NoneForAModelWithExplicitSettings) { EXPECT_THAT(DoubtsOfOne(Lif(1e-2), {}), IsEmpty()); }

TEST(Doubts, ATimeConstantShorterThanDt) {
  EXPECT_THAT(DoubtsOfOne(Lif(1e-5), {}),
              ElementsAre("node \"lif\": tau is 1e-05, shorter than dt, 0.001, at index 0; set dt in model.yaml to the "
                          "time step that the exporter used"));
}

TEST(Doubts, ATimeConstantAsLongAsDtIsFine) { EXPECT_THAT(DoubtsOfOne(Lif(1e-3), {}), IsEmpty()); }

TEST(Doubts, AShortTimeConstantIsFineWhereTheDecayIsExponential) {
  Manifest manifest;
  manifest.neurons.decay = Decay::kExponential;
  EXPECT_THAT(DoubtsOfOne(Lif(1e-5), manifest), IsEmpty());
}

TEST(Doubts, AnIntegratorWhoseGainIsNotStated) {
  const Node integrate = MakeNode("if", NodeType::kIf, {{"r", Scalar(1)}, {"v_threshold", Scalar(1)}});
  EXPECT_THAT(DoubtsOfOne(integrate, {}), ElementsAre(HasSubstr("node \"if\": is an IF, whose gain NIR leaves open")));
  EXPECT_THAT(DoubtsOfOne(integrate, ParseManifest("if_gain: dt").value()), IsEmpty());
}

TEST(Doubts, AReadoutThatDoesNotFire) {
  const Node leak = MakeNode("li", NodeType::kLi, {{"tau", Scalar(1)}, {"r", Scalar(1)}, {"v_leak", Scalar(0)}});
  EXPECT_THAT(DoubtsOfOne(leak, {}),
              ElementsAre(HasSubstr("node \"li\": is the readout and a LI, which does not fire")));
  EXPECT_THAT(DoubtsOfOne(leak, ParseManifest("readout: {from: last_potential}").value()), IsEmpty());
}

TEST(Doubts, ADifferentNumberOfLabelsAndOutputs) {
  EXPECT_THAT(DoubtsOfOne(Lif(1), ParseManifest("labels: [a, b, c]").value()),
              ElementsAre("model.yaml: key \"labels\": there are 3 labels, but the readout has 2 elements; the router "
                          "does not serve the model"));
  EXPECT_THAT(DoubtsOfOne(Lif(1), ParseManifest("labels: [a, b]").value()), IsEmpty());
}

TEST(Doubts, LabelsInAFileAreCountedByLine) {
  const testing::TemporaryFolder folder;
  std::ofstream(folder.path() / "labels.txt") << "a\n\nb\nc\n";
  EXPECT_THAT(DoubtsOfOne(Lif(1), ParseManifest("labels: labels.txt").value(), folder.path()),
              ElementsAre(HasSubstr("there are 3 labels, but the readout has 2 elements")));
}

TEST(Doubts, MissingFilesOfTheRouter) {
  const testing::TemporaryFolder folder;
  const Manifest manifest = ParseManifest("{labels: labels.txt, tokenizer: tokenizer.json}").value();
  EXPECT_THAT(
      DoubtsOfOne(Lif(1), manifest, folder.path()),
      ElementsAre("model.yaml: key \"labels\": there is no file labels.txt beside it; the router does not serve "
                  "the model",
                  HasSubstr("key \"tokenizer\": there is no file tokenizer.json beside it")));
  std::ofstream(folder.path() / "labels.txt") << "a\nb\n";
  std::ofstream(folder.path() / "tokenizer.json") << "{}";
  EXPECT_THAT(DoubtsOfOne(Lif(1), manifest, folder.path()), IsEmpty());
}

}  // namespace
}  // namespace tandem
