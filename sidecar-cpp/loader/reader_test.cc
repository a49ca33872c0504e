#include "loader/reader.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <functional>
#include <limits>

#include "nir/flatten.h"
#include "testing/graphs.h"
#include "testing/nir_writer.h"
#include "testing/temporary_folder.h"

namespace tandem {
namespace {

using ::testing::HasSubstr;
using testing::NirWriter;

constexpr double kNan = std::numeric_limits<double>::quiet_NaN();

std::string Message(const std::string& bytes) {
  const auto tree = ReadNir(bytes);
  return tree.ok() ? "accepted" : tree.error().message;
}

// input -> lif -> output, of one element; the test defines `lif`.
NirWriter Small(NirWriter::Strings strings = NirWriter::Strings::kVariable) {
  NirWriter writer(strings);
  writer.Put("node", testing::InputNode(1));
  writer.Put("node", testing::OutputNode(1));
  writer.Edges("node", {{"input", "lif"}, {"lif", "output"}});
  return writer;
}

void PutLif(NirWriter& writer, const std::string& leave_out = "") {
  writer.Text("node/nodes/lif/type", "LIF");
  for (const char* field : {"tau", "r", "v_leak", "v_threshold"}) {
    if (leave_out != field) writer.Floats(std::string("node/nodes/lif/") + field, {1}, {0.5});
  }
}

std::string MessageWith(const std::function<void(NirWriter&)>& change, const std::string& leave_out = "") {
  NirWriter writer = Small();
  PutLif(writer, leave_out);
  change(writer);
  return Message(writer.Bytes());
}

TEST(Reader, GivesBackWhatWasWritten) {
  std::mt19937_64 random(3);
  const GraphTree tree = testing::RandomGraph(random, 30);
  const auto read = ReadNir(testing::NirBytes(tree));
  ASSERT_TRUE(read.ok()) << read.error().message;
  const auto want = Flatten(tree).value();
  const auto got = Flatten(read.value()).value();
  EXPECT_EQ(got.edges, want.edges);
  ASSERT_EQ(got.nodes.size(), want.nodes.size());
  for (std::size_t k = 0; k < want.nodes.size(); ++k) {
    EXPECT_EQ(got.nodes[k].name, want.nodes[k].name);
    EXPECT_EQ(got.nodes[k].type, want.nodes[k].type);
    for (const auto& [field, tensor] : want.nodes[k].parameters) {
      const Tensor& values = got.nodes[k].parameters.at(field);
      ASSERT_EQ(values.dims, tensor.dims);
      for (std::size_t e = 0; e < tensor.values.size(); ++e) {
        ASSERT_EQ(values.values[e], static_cast<double>(static_cast<float>(tensor.values[e])));
      }
    }
  }
}

TEST(Reader, TakesFixedLengthStrings) {
  NirWriter writer = Small(NirWriter::Strings::kFixed);
  PutLif(writer);
  EXPECT_EQ(Message(writer.Bytes()), "accepted");
}

TEST(Reader, TakesFilesWithoutVReset) {
  NirWriter writer = Small();
  PutLif(writer);
  const auto tree = ReadNir(writer.Bytes());
  ASSERT_TRUE(tree.ok());
  for (const Node& node : tree.value().nodes) EXPECT_FALSE(node.parameters.contains("v_reset"));
}

TEST(Reader, TakesCompressedDoublesAndScalars) {
  NirWriter writer = Small();
  PutLif(writer, "tau");
  writer.Floats("node/nodes/lif/tau", {3}, {0.1, 0.2, 0.3}, /*float64=*/true, /*gzip=*/true);
  writer.Floats("node/nodes/lif/v_reset", {}, {0.25}, /*float64=*/true);
  const auto tree = ReadNir(writer.Bytes());
  ASSERT_TRUE(tree.ok()) << tree.error().message;
  for (const Node& node : tree.value().nodes) {
    if (node.name != "lif") continue;
    EXPECT_EQ(node.parameters.at("tau").values, (std::vector<double>{0.1, 0.2, 0.3}));
    EXPECT_EQ(node.parameters.at("v_reset").values, std::vector<double>{0.25});
  }
}

TEST(Reader, TakesAnyWorkingFolder) {
  const testing::TemporaryFolder folder;
  const auto before = std::filesystem::current_path();
  std::filesystem::current_path(folder.path());
  for (const char* name : {"model.nir", "image"}) testing::WriteFile(folder.path() / name, "");
  NirWriter writer = Small();
  PutLif(writer);
  EXPECT_EQ(Message(writer.Bytes()), "accepted");
  std::filesystem::current_path(before);
}

TEST(Reader, RefusesWhatIsNotHdf5) {
  EXPECT_THAT(Message(""), HasSubstr("empty"));
  EXPECT_THAT(Message("plainly no HDF5 file"), HasSubstr("not an HDF5 file"));
}

TEST(Reader, NamesTheMissingField) {
  EXPECT_THAT(MessageWith([](NirWriter&) {}, "tau"), HasSubstr("node \"lif\": field \"tau\": is missing"));
  EXPECT_THAT(MessageWith([](NirWriter& w) { H5Ldelete(w.file(), "node/edges", H5P_DEFAULT); }),
              HasSubstr("\"edges\": is missing"));
  EXPECT_THAT(MessageWith([](NirWriter& w) { H5Ldelete(w.file(), "node", H5P_DEFAULT); }),
              HasSubstr("\"node\": is missing"));
  EXPECT_THAT(MessageWith([](NirWriter& w) { H5Ldelete(w.file(), "node/nodes/input/shape", H5P_DEFAULT); }),
              HasSubstr("node \"input\": field \"shape\": is missing"));
}

TEST(Reader, NamesTheInvalidValue) {
  const auto tau = [](std::vector<double> values) {
    return MessageWith([&](NirWriter& w) { w.Floats("node/nodes/lif/tau", {values.size()}, values, true); }, "tau");
  };
  EXPECT_THAT(tau({1, 2, 3, -0.001}), HasSubstr("node \"lif\": field \"tau\": must be > 0, found -0.001 at index 3"));
  EXPECT_THAT(tau({0}), HasSubstr("must be > 0"));
  EXPECT_THAT(tau({1, kNan}), HasSubstr("must be finite, found nan at index 1"));
  EXPECT_THAT(tau({}), HasSubstr("is empty"));
}

TEST(Reader, TakesIntegersThatBinary32HoldsExactly) {
  const auto tau = [](std::int64_t value) {
    return MessageWith([&](NirWriter& w) { w.Integers("node/nodes/lif/tau", {value}); }, "tau");
  };
  EXPECT_EQ(tau(1), "accepted");
  EXPECT_EQ(tau(1 << 24), "accepted");
  EXPECT_EQ(tau(std::int64_t{1} << 60), "accepted");
  EXPECT_THAT(tau((1 << 24) + 1), HasSubstr("binary32 holds exactly, found the integer 16777217 at index 0"));
  EXPECT_THAT(tau(std::numeric_limits<std::int64_t>::max()), HasSubstr("binary32 holds exactly"));
  EXPECT_THAT(tau(-1), HasSubstr("must be > 0"));
}

TEST(Reader, WarnsOfAFileWithoutAVersion) {
  NirWriter writer = Small();
  PutLif(writer);
  EXPECT_EQ(ReadNir(writer.Bytes()).value().warning, "");
  H5Ldelete(writer.file(), "version", H5P_DEFAULT);
  const auto tree = ReadNir(writer.Bytes());
  ASSERT_TRUE(tree.ok());
  EXPECT_THAT(tree.value().warning, HasSubstr("does not say with which version of NIR"));
}

TEST(Reader, ReportsASlashInAName) {
  NirWriter writer = Small();
  writer.Text("node/nodes/enc/lif/type", "LIF");
  EXPECT_THAT(Message(writer.Bytes()), HasSubstr("HDF5 makes groups of a node named \"enc/lif\"; rename the node"));
}

TEST(Reader, ReportsThatANeuronWithoutLeakIsAnIf) {
  EXPECT_THAT(
      MessageWith([](NirWriter& w) { w.Floats("node/nodes/lif/tau", {1}, {std::numeric_limits<double>::infinity()}); },
                  "tau"),
      HasSubstr("must be finite, found inf at index 0; a neuron that never leaks is an IF"));
}

// Reads a Conv2d with this `padding`, and returns the numbers or the error.
std::string Padding(const std::function<void(NirWriter&, const std::string& path)>& put) {
  NirWriter writer = Small();
  const std::string path = "node/nodes/conv/";
  writer.Text(path + "type", "Conv2d");
  writer.Floats(path + "weight", {1, 1, 3, 3}, std::vector<double>(9, 1));
  writer.Floats(path + "bias", {1}, {0});
  for (const char* field : {"stride", "dilation", "groups"}) writer.Integers(path + field, {1});
  put(writer, path + "padding");
  const auto tree = ReadNir(writer.Bytes());
  if (!tree.ok()) return tree.error().message;
  const auto& node = *std::ranges::find(tree.value().nodes, "conv", &Node::name);
  EXPECT_EQ(node.integers.at("stride"), (Integers{1, 1}));
  return std::to_string(node.integers.at("padding")[0]) + " " + std::to_string(node.integers.at("padding")[1]);
}

TEST(Reader, TakesPaddingAsNumbersOrAsAWord) {
  const auto numbers = [](std::vector<std::int64_t> values) {
    return Padding([&](NirWriter& w, const std::string& path) { w.Integers(path, values); });
  };
  const auto word = [](const std::string& text) {
    return Padding([&](NirWriter& w, const std::string& path) { w.Text(path, text); });
  };
  EXPECT_EQ(numbers({2, 1}), "2 1");
  EXPECT_EQ(numbers({2}), "2 2");
  EXPECT_EQ(word("valid"), "0 0");
  EXPECT_EQ(word("same"), "-1 -1");
  EXPECT_THAT(word("full"), HasSubstr("must be \"same\", \"valid\" or numbers, found \"full\""));
  EXPECT_THAT(numbers({-1}), HasSubstr("field \"padding\": must be 0 to 1048576, found -1"));
  EXPECT_THAT(numbers({1, 1, 1}), HasSubstr("must have 2 numbers, or one for all, found 3"));
}

TEST(Reader, RefusesTextForNumbersAndNumbersForText) {
  EXPECT_THAT(MessageWith([](NirWriter& w) { w.Text("node/nodes/lif/tau", "soon"); }, "tau"),
              HasSubstr("must be float32, float64 or integers"));
  EXPECT_THAT(MessageWith([](NirWriter& w) { w.Floats("node/nodes/x/type", {1}, {1}); }),
              HasSubstr("node \"x\": field \"type\": must be of type string"));
  EXPECT_THAT(MessageWith([](NirWriter& w) { w.Floats("node/nodes/x", {1}, {1}); }), HasSubstr("must be a group"));
}

TEST(Reader, RefusesUnknownNodeTypesAndListsTheKnown) {
  const std::string message = MessageWith([](NirWriter& w) { w.Text("node/nodes/x/type", "Conv7d"); });
  EXPECT_THAT(message, HasSubstr("unknown node type \"Conv7d\""));
  EXPECT_THAT(message, HasSubstr("CubaLIF"));
}

TEST(Reader, RefusesInvalidShapes) {
  const auto shape = [](std::vector<std::int64_t> dims) {
    return MessageWith([&](NirWriter& w) {
      H5Ldelete(w.file(), "node/nodes/input/shape", H5P_DEFAULT);
      w.Integers("node/nodes/input/shape", dims);
    });
  };
  EXPECT_THAT(shape({0}), HasSubstr("must be 1 to 1048576"));
  EXPECT_THAT(shape({-5}), HasSubstr("must be 1 to 1048576"));
  EXPECT_THAT(shape({}), HasSubstr("is empty"));
  EXPECT_THAT(shape({1048577}), HasSubstr("must be 1 to 1048576"));
}

TEST(Reader, RefusesAWeightThatIsNotAMatrix) {
  EXPECT_THAT(MessageWith([](NirWriter& w) {
                w.Text("node/nodes/fc/type", "Linear");
                w.Floats("node/nodes/fc/weight", {4}, {1, 2, 3, 4});
              }),
              HasSubstr("must have 2 dimensions"));
}

TEST(Reader, RefusesSoftAndExternalLinks) {
  EXPECT_THAT(MessageWith([](NirWriter& w) {
                H5Lcreate_soft("/node/nodes/loop", w.file(), "node/nodes/loop", H5P_DEFAULT, H5P_DEFAULT);
              }),
              HasSubstr("node \"loop\": is a soft or external link"));
  EXPECT_THAT(MessageWith([](NirWriter& w) {
                H5Lcreate_external("/etc/passwd", "/", w.file(), "node/nodes/out", H5P_DEFAULT, H5P_DEFAULT);
              }),
              HasSubstr("node \"out\": is a soft or external link"));
}

TEST(Reader, HardLinksInALoopEndAtTheNestingLimit) {
  EXPECT_THAT(MessageWith([](NirWriter& w) {
                H5Lcreate_hard(w.file(), "node", w.file(), "node/nodes/again", H5P_DEFAULT, H5P_DEFAULT);
              }),
              HasSubstr("nested deeper than the limit"));
}

TEST(Reader, RefusesDataKeptOutsideTheFile) {
  EXPECT_THAT(MessageWith(
                  [](NirWriter& w) {
                    const Hdf5Handle create(H5Pcreate(H5P_DATASET_CREATE));
                    H5Pset_external(create.get(), "/etc/passwd", 0, 4);
                    const hsize_t one = 1;
                    const Hdf5Handle space(H5Screate_simple(1, &one, nullptr));
                    const Hdf5Handle data(H5Dcreate2(w.file(), "node/nodes/lif/tau", H5T_IEEE_F32LE, space.get(),
                                                     H5P_DEFAULT, create.get(), H5P_DEFAULT));
                  },
                  "tau"),
              HasSubstr("outside the file"));
}

TEST(Reader, RefusesHugeDimensionsWithoutReservingMemory) {
  EXPECT_THAT(MessageWith(
                  [](NirWriter& w) {
                    const hsize_t huge[] = {hsize_t{1} << 30, hsize_t{1} << 30};
                    const Hdf5Handle create(H5Pcreate(H5P_DATASET_CREATE));
                    const hsize_t chunk[] = {1, 1};
                    H5Pset_chunk(create.get(), 2, chunk);
                    const Hdf5Handle space(H5Screate_simple(2, huge, nullptr));
                    const Hdf5Handle data(H5Dcreate2(w.file(), "node/nodes/lif/tau", H5T_IEEE_F32LE, space.get(),
                                                     H5P_DEFAULT, create.get(), H5P_DEFAULT));
                  },
                  "tau"),
              HasSubstr("node \"lif\": field \"tau\": has more elements than the limit"));
}

TEST(Reader, CountsTheElementsOfAllNodesTogether) {
  // Its values are not written, so the file stays small.
  const auto put_weight = [](NirWriter& writer, const std::string& node) {
    const std::vector<hsize_t> dims = {kMaxParameterElements / 2 + 1, 1};
    const Hdf5Handle space(H5Screate_simple(2, dims.data(), nullptr));
    writer.Text("node/nodes/" + node + "/type", "Linear");
    const Hdf5Handle data(H5Dcreate2(writer.file(), ("node/nodes/" + node + "/weight").c_str(), H5T_IEEE_F32LE,
                                     space.get(), H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT));
  };
  NirWriter writer = Small();
  PutLif(writer);
  put_weight(writer, "w1");
  EXPECT_EQ(Message(writer.Bytes()), "accepted");
  put_weight(writer, "w2");
  EXPECT_THAT(Message(writer.Bytes()), HasSubstr("node \"w2\": field \"weight\": has more elements than the limit"));
}

TEST(Reader, RefusesTooManyNodes) {
  NirWriter writer;
  writer.Edges("node", {{"a", "b"}});
  for (std::size_t k = 0; k <= kMaxNodes; ++k) writer.Group("node/nodes/n" + std::to_string(k));
  EXPECT_THAT(Message(writer.Bytes()), HasSubstr("more entries than the limit of 4096"));
}

TEST(Reader, RefusesLongNamesAlsoWhenNestingMakesThemLong) {
  EXPECT_THAT(MessageWith([](NirWriter& w) { w.Text("node/nodes/" + std::string(1025, 'x') + "/type", "LIF"); }),
              HasSubstr("its name has 1025 bytes, above the limit of 1024"));
  const auto nested = [](std::size_t inner) {
    return MessageWith([&](NirWriter& w) {
      const std::string outer = "node/nodes/" + std::string(1000, 'o');
      w.Text(outer + "/type", "NIRGraph");
      w.Edges(outer, {});
      w.Text(outer + "/nodes/" + std::string(inner, 'i') + "/type", "Conv7d");
    });
  };
  EXPECT_THAT(nested(23), HasSubstr("unknown node type"));
  EXPECT_THAT(nested(24), HasSubstr("its name has 1025 bytes"));
}

TEST(Reader, RefusesLongNamesInEdges) {
  for (const auto strings : {NirWriter::Strings::kVariable, NirWriter::Strings::kFixed}) {
    NirWriter writer(strings);
    writer.Edges("node", {{std::string(5000, 'x'), "output"}});
    EXPECT_THAT(Message(writer.Bytes()),
                HasSubstr("node \"node\": field \"edges\": holds strings longer than the limit of 1024 bytes"));
  }
}

TEST(Reader, RefusesNamesThatAreNotText) {
  EXPECT_THAT(MessageWith([](NirWriter& w) { w.Text("node/nodes/\xFF\xFE/type", "LIF"); }),
              HasSubstr("its name is not UTF-8"));
}

}  // namespace
}  // namespace tandem
