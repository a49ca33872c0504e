// Writes the seed corpus of every fuzz target: tandem-fuzz-seeds FOLDER. It always writes the same files.
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <random>
#include <string>
#include <vector>

#include "fuzz/messages.h"
#include "fuzz/models.h"
#include "fuzz/answer_bytes.h"
#include "nir/flatten.h"
#include "tandem/engine/v1/engine.pb.h"
#include "testing/graphs.h"
#include "testing/infer_item.h"
#include "testing/nir_writer.h"

namespace tandem::fuzz {
namespace {

// Small: slow inputs find little.
constexpr std::uint64_t kWidth = 5;
constexpr std::uint64_t kGraphs = 8;

GraphTree Nested() {
  GraphTree tree = testing::Chain(2, {testing::MakeNode("s", NodeType::kScale, {{"scale", testing::Scalar(2)}})}, 2);
  tree.graphs.emplace(
      "inner",
      testing::Chain(2, {testing::MakeNode("t", NodeType::kThreshold, {{"threshold", testing::Scalar(0.5)}})}, 2));
  tree.edges = {{"input", "s"}, {"s", "inner"}, {"inner", "output"}};
  return tree;
}

std::vector<GraphTree> Graphs() {
  std::vector<GraphTree> graphs = {Nested()};
  for (std::uint64_t seed = 1; seed <= kGraphs; ++seed) {
    std::mt19937_64 random(seed);
    graphs.push_back(testing::RandomGraph(random, kWidth));
  }
  return graphs;
}

std::string CompressedFile() {
  testing::NirWriter writer(testing::NirWriter::Strings::kFixed);
  writer.Put("node", testing::Chain(2, {testing::MakeNode("w", NodeType::kLinear, {})}, 2));
  writer.Floats("node/nodes/w/weight", {2, 2}, {1, 2, 3, 4}, true, true);
  return writer.Bytes();
}

Message MessageOf(const std::vector<engine::v1::InferItem>& items, const std::vector<std::uint64_t>& cancel,
                  std::uint8_t flags) {
  engine::v1::InferStreamRequest request;
  for (const auto& item : items) *request.add_items() = item;
  for (const std::uint64_t id : cancel) request.add_cancel_ids(id);
  return {flags, request.SerializeAsString()};
}

std::vector<std::string> Streams() {
  auto traced = testing::MakeItem(7, "series", {3, 2, 2});
  traced.set_trace_parent(std::string(25, '\1'));
  traced.set_detail(engine::v1::DETAIL_RASTER);
  auto bare = testing::MakeItem(8, "net", {kInputs});
  bare.set_digest_only(true);
  bare.set_timeout_us(1'000'000);
  auto late = testing::MakeItem(9, "net", {kInputs});
  late.set_timeout_us(1);
  const auto net = [](std::uint64_t id) { return testing::MakeItem(id, "net", {kInputs}); };
  std::vector<engine::v1::InferItem> many;
  for (std::uint64_t id = 0; id < 300; ++id) many.push_back(engine::v1::InferItem());
  return {
      InputOf({MessageOf({net(1)}, {}, kRun)}),
      InputOf({MessageOf({net(1), testing::MakeItem(2, "series", {2, kInputs}), testing::MakeItem(3, "broken", {1}),
                          testing::MakeItem(4, "no", {})},
                         {}, kChecksum),
               MessageOf({net(1)}, {2, 99}, kChecksum | kPieces), MessageOf({}, {1}, kChecksum | kRun)}),
      InputOf({MessageOf({traced, bare, late}, {}, kChecksum | kRun)}),
      InputOf({MessageOf({net(1), net(1), net(2)}, {1}, 0), MessageOf({net(2)}, {2}, kRun)}),
      InputOf({MessageOf(many, {}, 0)}),
      InputOf({MessageOf({net(1)}, {}, kChecksum), MessageOf({net(2)}, {}, 0)}),
      InputOf({{0, "\x0a\xff"}}),
  };
}

// For file_program.h: a valid file, and files with one part replaced.
std::vector<std::string> Programs() {
  using namespace std::string_literals;
  return {
      "\1\0"s,         "\2\1"s,       "\3\0\0\2\1\2"s, "\4\0\1\1\0\6Affine"s, "\5\0\2\2\1\2\3\3\1\1\1\1\1\1\1\1\1\0"s,
      "\6\0\4\1\xff"s, "\7\0\3\2\22"s};
}

// Writes them as files with a number as name.
void Write(const std::filesystem::path& folder, const std::vector<std::string>& inputs) {
  for (std::size_t k = 0; k < inputs.size(); ++k) testing::WriteFile(folder / std::to_string(k), inputs[k]);
}

void WriteSeeds(const std::filesystem::path& folder) {
  std::vector<std::string> files = {CompressedFile()};
  std::vector<std::string> answers;
  for (const GraphTree& graph : Graphs()) {
    files.push_back(testing::NirBytes(graph));
    answers.push_back(BytesOf({Flatten(graph), 0}));
  }
  answers.push_back(BytesOf({Error{Code::kInvalidArgument, "MODEL_INVALID", "damaged", {{"node", "a"}}}, 1}));
  Write(folder / "file", files);
  Write(folder / "reader", Programs());
  Write(folder / "answer", answers);
  Write(folder / "request", Streams());
  Write(folder / "stream", Streams());
}

}  // namespace
}  // namespace tandem::fuzz

int main(int argc, char** argv) {
  if (argc != 2) {
    std::fprintf(stderr, "Usage: tandem-fuzz-seeds FOLDER\n");
    return 2;
  }
  tandem::fuzz::WriteSeeds(argv[1]);
  return 0;
}
