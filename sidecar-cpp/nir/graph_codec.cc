#include "nir/graph_codec.h"

#include <algorithm>
#include <array>
#include <utility>

#include "base/little_endian.h"
#include "nir/graph_invariants.h"

namespace tandem {
namespace {

constexpr std::size_t kMaxDims = 32;
constexpr std::size_t kMaxWarningBytes = 4096;
constexpr std::size_t kPiece = 16384;  // values that are converted and sent in one piece

enum Width : std::uint64_t { kBinary32 = 0, kBinary64 = 1 };

// Most files have binary32 values, so half of the bytes are enough.
bool FitsBinary32(const std::vector<double>& values) {
  return std::ranges::all_of(values,
                             [](double value) { return static_cast<double>(static_cast<float>(value)) == value; });
}

void WriteTensor(const Tensor& tensor, ByteSink& to) {
  WriteNumber(tensor.dims.size(), to);
  for (const std::uint64_t dim : tensor.dims) WriteNumber(dim, to);
  const bool narrow = FitsBinary32(tensor.values);
  WriteNumber(narrow ? kBinary32 : kBinary64, to);
  WriteNumber(tensor.values.size(), to);
  if (!narrow) {
    to.Write(tensor.values.data(), tensor.values.size() * sizeof(double));
    return;
  }
  std::vector<float> piece;
  for (std::size_t at = 0; at < tensor.values.size(); at += piece.size()) {
    piece.clear();
    const std::size_t end = std::min(tensor.values.size(), at + kPiece);
    for (std::size_t k = at; k < end; ++k) piece.push_back(static_cast<float>(tensor.values[k]));
    to.Write(piece.data(), piece.size() * sizeof(float));
  }
}

// Stops at the first invalid item, and stores its name in `wrong`.
class GraphReader {
 public:
  explicit GraphReader(ByteSource& from) : from_(from) {}

  Graph Read() {
    Graph graph;
    for (std::uint64_t left = Number(kMaxNodes, "number of nodes"); ok() && left > 0; --left) {
      graph.nodes.push_back(ReadNode());
    }
    for (std::uint64_t left = Number(kMaxEdges, "number of edges"); ok() && left > 0; --left) {
      const std::uint32_t source = Index();
      graph.edges.emplace_back(source, Index());
    }
    graph.inputs = ReadIndices();
    graph.outputs = ReadIndices();
    if (!ok() || !ReadText(from_, kMaxWarningBytes, graph.warning)) Fail("warning");
    return graph;
  }
  [[nodiscard]] bool ok() const { return wrong_.empty(); }
  [[nodiscard]] const std::string& wrong() const { return wrong_; }

 private:
  void Fail(const char* what) {
    if (ok()) wrong_ = what;
  }
  std::uint64_t Number(std::uint64_t max, const char* what) {
    std::uint64_t number = 0;
    if (!ok() || !ReadNumber(from_, max, number)) Fail(what);
    return ok() ? number : 0;
  }
  std::uint32_t Index() { return static_cast<std::uint32_t>(Number(kMaxNodes, "index of a node")); }

  std::vector<std::uint32_t> ReadIndices() {
    std::vector<std::uint32_t> indices;
    for (std::uint64_t left = Number(kMaxNodes, "number of ends"); ok() && left > 0; --left) indices.push_back(Index());
    return indices;
  }

  Node ReadNode() {
    Node node;
    if (!ReadText(from_, kMaxNameBytes, node.name)) Fail("name of a node");
    node.type = static_cast<NodeType>(Number(static_cast<std::uint64_t>(kLastNodeType), "type of a node"));
    const auto fields = IntegersOf(node.type);
    for (std::uint64_t left = Number(fields.size(), "number of integer fields"); ok() && left > 0; --left) {
      const std::uint64_t which = Number(fields.size() - 1, "kind of integer field");
      if (ok()) node.integers.insert_or_assign(std::string(fields[which].name), ReadIntegers());
    }
    const auto specs = ParametersOf(node.type);
    for (std::uint64_t left = Number(specs.size(), "number of parameters"); ok() && left > 0; --left) {
      const std::uint64_t which = Number(specs.size() - 1, "kind of parameter");
      if (ok()) node.parameters.insert_or_assign(std::string(specs[which].name), ReadTensor());
    }
    return node;
  }

  Integers ReadIntegers() {
    Integers values(Number(kMaxRank, "number of integers"));
    for (std::int64_t& value : values) {
      if (!ok() || !from_.Read(&value, sizeof(value))) Fail("integer");
    }
    return values;
  }

  Tensor ReadTensor() {
    Tensor tensor;
    for (std::uint64_t left = Number(kMaxDims, "number of dimensions"); ok() && left > 0; --left) {
      tensor.dims.push_back(Number(kMaxParameterElements, "dimension"));
    }
    const std::uint64_t width = Number(kBinary64, "width of values");
    const std::uint64_t count = Number(kMaxParameterElements - elements_, "number of values");
    elements_ += count;
    // Reserves addresses only: memory is used as the values arrive.
    tensor.values.reserve(count);
    if (width == kBinary64) {
      ReadValues<double>(count, tensor.values);
    } else {
      ReadValues<float>(count, tensor.values);
    }
    return tensor;
  }

  template <typename T>
  void ReadValues(std::size_t count, std::vector<double>& to) {
    std::vector<T> piece(std::min(count, kPiece));
    while (ok() && to.size() < count) {
      piece.resize(std::min(piece.size(), count - to.size()));
      if (!from_.Read(piece.data(), piece.size() * sizeof(T))) return Fail("values");
      to.insert(to.end(), piece.begin(), piece.end());
    }
  }

  ByteSource& from_;
  std::string wrong_;
  std::size_t elements_ = 0;
};

Error CannotBe(const std::string& what) { return {Code::kInternal, "INTERNAL", what, {}}; }

}  // namespace

void WriteNumber(std::uint64_t number, ByteSink& to) { to.Write(&number, sizeof(number)); }

bool ReadNumber(ByteSource& from, std::uint64_t max, std::uint64_t& to) {
  return from.Read(&to, sizeof(to)) && to <= max;
}

void WriteText(std::string_view text, ByteSink& to) {
  WriteNumber(text.size(), to);
  to.Write(text.data(), text.size());
}

bool ReadText(ByteSource& from, std::size_t max_bytes, std::string& to) {
  std::uint64_t size = 0;
  if (!ReadNumber(from, max_bytes, size)) return false;
  to.resize(size);
  return from.Read(to.data(), size);
}

void WriteGraph(const Graph& graph, ByteSink& to) {
  WriteNumber(graph.nodes.size(), to);
  for (const Node& node : graph.nodes) {
    WriteText(node.name, to);
    WriteNumber(static_cast<std::uint64_t>(node.type), to);
    WriteNumber(node.integers.size(), to);
    const auto fields = IntegersOf(node.type);
    for (std::size_t k = 0; k < fields.size(); ++k) {
      const auto found = node.integers.find(std::string(fields[k].name));
      if (found == node.integers.end()) continue;
      WriteNumber(k, to);
      WriteNumber(found->second.size(), to);
      for (const std::int64_t value : found->second) to.Write(&value, sizeof(value));
    }
    WriteNumber(node.parameters.size(), to);
    const auto specs = ParametersOf(node.type);
    for (std::size_t k = 0; k < specs.size(); ++k) {
      const auto found = node.parameters.find(std::string(specs[k].name));
      if (found == node.parameters.end()) continue;
      WriteNumber(k, to);
      WriteTensor(found->second, to);
    }
  }
  WriteNumber(graph.edges.size(), to);
  for (const auto& [source, target] : graph.edges) {
    WriteNumber(source, to);
    WriteNumber(target, to);
  }
  for (const auto* ends : {&graph.inputs, &graph.outputs}) {
    WriteNumber(ends->size(), to);
    for (const std::uint32_t end : *ends) WriteNumber(end, to);
  }
  WriteText(graph.warning, to);
}

Expected<Graph> ReadGraph(ByteSource& from) {
  GraphReader reader(from);
  Graph graph = reader.Read();
  if (!reader.ok()) return CannotBe(reader.wrong());
  if (auto error = CheckInvariants(graph)) return *std::move(error);
  return graph;
}

}  // namespace tandem
