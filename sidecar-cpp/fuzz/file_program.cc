#include "fuzz/file_program.h"

#include <algorithm>
#include <cstdint>
#include <random>
#include <utility>
#include <vector>

#include "testing/graphs.h"
#include "testing/nir_writer.h"

namespace tandem::fuzz {
namespace {

constexpr std::uint64_t kWidth = 5;
constexpr int kMaxSteps = 32;
constexpr std::uint64_t kMaxWritten = 4096;  // values; larger datasets are not filled

class Program {
 public:
  explicit Program(std::string_view bytes) : bytes_(bytes) {}
  [[nodiscard]] bool done() const { return bytes_.empty(); }
  std::uint8_t Byte() {
    if (bytes_.empty()) return 0;
    const auto byte = static_cast<std::uint8_t>(bytes_.front());
    bytes_.remove_prefix(1);
    return byte;
  }
  std::string Text() {
    std::string text(bytes_.substr(0, Byte()));
    bytes_.remove_prefix(std::min(bytes_.size(), text.size()));
    return text;
  }
  // Small sizes; sometimes a large one, or one above every limit. Medium sizes are slow and find little.
  std::uint64_t Size() {
    const std::uint8_t byte = Byte();
    if (byte < 200) return byte % 8;
    return std::uint64_t{1} << (byte < 210 ? 14 : 27 + byte % 36);
  }

 private:
  std::string_view bytes_;
};

// A node of the graph, or anything below one.
std::string PathOf(Program& program, const GraphTree& tree) {
  static constexpr const char* kFields[] = {"type",      "weight",  "bias",    "shape",       "input_type",
                                            "tau",       "v_leak",  "r",       "w_in",        "scale",
                                            "threshold", "tau_mem", "tau_syn", "v_threshold", "v_reset",
                                            "edges",     "nodes",   "nodes/x", "nodes/x/type"};
  const std::uint8_t which = program.Byte();
  if (which == 255) return program.Text();
  if (which >= 250) return which % 2 == 0 ? "version" : "node/edges";
  const std::string node = "node/nodes/" + tree.nodes[which % tree.nodes.size()].name;
  const std::uint8_t field = program.Byte();
  return field == 255 ? node : node + "/" + kFields[field % std::size(kFields)];
}

void PutNumbers(Program& program, hid_t file, const std::string& path) {
  const std::uint8_t form = program.Byte();
  std::vector<hsize_t> dims(form % 4);
  std::uint64_t count = 1;
  for (hsize_t& dim : dims) {
    dim = program.Size();
    count = dim != 0 && count > kMaxWritten ? count : count * std::min<std::uint64_t>(dim, kMaxWritten + 1);
  }
  const hid_t types[] = {H5T_IEEE_F32LE, H5T_IEEE_F64LE, H5T_STD_I64LE, H5T_STD_U8LE, H5T_STD_I8BE, H5T_IEEE_F32BE};
  const Hdf5Handle space(dims.empty() ? H5Screate(H5S_SCALAR)
                                      : H5Screate_simple(static_cast<int>(dims.size()), dims.data(), nullptr));
  const Hdf5Handle data(H5Dcreate2(file, path.c_str(), types[form / 4 % std::size(types)], space.get(), H5P_DEFAULT,
                                   H5P_DEFAULT, H5P_DEFAULT));
  if (!data.valid() || count > kMaxWritten) return;
  std::vector<double> values(std::max<std::uint64_t>(count, 1));
  for (double& value : values) value = static_cast<std::int8_t>(program.Byte()) / 16.0;
  if (program.Byte() == 255) values.back() = 1e308 * 10;
  H5Dwrite(data.get(), H5T_NATIVE_DOUBLE, H5S_ALL, H5S_ALL, H5P_DEFAULT, values.data());
}

void PutEdges(Program& program, testing::NirWriter& writer, const GraphTree& tree) {
  std::vector<std::pair<std::string, std::string>> edges = tree.edges;
  const std::uint8_t count = program.Byte() % 8;
  const auto name = [&] {
    const std::uint8_t which = program.Byte();
    return which == 255 ? program.Text() : tree.nodes[which % tree.nodes.size()].name;
  };
  for (std::uint8_t k = 0; k < count; ++k) {
    std::string from = name();
    edges.emplace_back(std::move(from), name());
  }
  H5Ldelete(writer.file(), "node/edges", H5P_DEFAULT);
  writer.Edges("node", edges);
}

}  // namespace

std::string FileOf(std::string_view bytes) {
  H5Eset_auto2(H5E_DEFAULT, nullptr, nullptr);  // many of these calls fail, which is intended
  Program program(bytes);
  std::mt19937_64 random(program.Byte());
  const GraphTree tree = testing::RandomGraph(random, kWidth);
  testing::NirWriter writer(program.Byte() % 2 == 0 ? testing::NirWriter::Strings::kVariable
                                                    : testing::NirWriter::Strings::kFixed);
  writer.Put("node", tree);
  for (int step = 0; step < kMaxSteps && !program.done(); ++step) {
    const std::uint8_t what = program.Byte() % 5;
    if (what == 0) {
      PutEdges(program, writer, tree);
      continue;
    }
    const std::string path = PathOf(program, tree);
    H5Ldelete(writer.file(), path.c_str(), H5P_DEFAULT);
    if (what == 1) writer.Text(path, program.Text());
    if (what == 2) PutNumbers(program, writer.file(), path);
    if (what == 3) writer.Group(path);
  }
  return writer.Bytes();
}

}  // namespace tandem::fuzz
