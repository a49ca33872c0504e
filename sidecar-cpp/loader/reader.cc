#include "loader/reader.h"

#include <cmath>
#include <cstdio>
#include <string>

#include "base/text.h"
#include "loader/dataset.h"
#include "loader/file_image.h"
#include "loader/integer_field.h"
#include "nir/invalid.h"

namespace tandem {
namespace {

constexpr const char* kNoVersion =
    "the file does not say with which version of NIR it was written; it is read as one of NIR 1.0.8";

// Reads one file. It counts all that it reads against the limits, so that links cannot make a small file large.
class Reader {
 public:
  Expected<GraphTree> Root(hid_t file) {
    const bool has_version = HasLink(file, "version");
    if (has_version) {
      const auto version = ReadString(file, "version");
      if (!version.ok()) return Field("", "version", version.error());
    }
    auto group = OpenGroup(file, "node");
    if (!group.ok()) return Field("", "node", group.error());
    auto type = ReadString(group.value().get(), "type");
    if (!type.ok()) return Field("node", "type", type.error());
    if (type.value() != "NIRGraph") {
      return InvalidField("node", "type", "must be \"NIRGraph\", found \"" + Printable(type.value()) + "\"");
    }
    auto tree = ReadGraph(group.value().get(), "node", 1);
    if (tree.ok() && !has_version) tree.value().warning = kNoVersion;
    return tree;
  }

 private:
  static Error Field(const std::string& node, const std::string& field, const Error& error) {
    if (node.empty()) return InvalidFile("field \"" + field + "\": " + error.message);
    return InvalidField(node, field, error.message);
  }

  Expected<GraphTree> ReadGraph(hid_t group, const std::string& path, std::size_t depth) {
    if (depth > kMaxDepth) {
      return InvalidNode(path, "graphs are nested deeper than the limit of " + std::to_string(kMaxDepth));
    }
    GraphTree tree;
    if (auto error = ReadEdges(group, path, tree)) return *std::move(error);
    auto nodes = OpenGroup(group, "nodes");
    if (!nodes.ok()) return Field(path, "nodes", nodes.error());
    auto names = LinkNames(nodes.value().get(), kMaxNodes);
    if (!names.ok()) return Field(path, "nodes", names.error());
    for (const std::string& name : names.value()) {
      // Names of the root graph have no prefix; nested ones are as after flattening.
      std::string full = depth == 1 ? "" : path + "/";
      full += name;
      if (auto error = ReadNode(nodes.value().get(), name, full, depth, tree)) return *std::move(error);
    }
    return tree;
  }

  MaybeError ReadEdges(hid_t group, const std::string& path, GraphTree& tree) {
    auto table = ReadStrings(group, "edges", 2 * (kMaxEdges - edges_), kMaxNameBytes);
    if (!table.ok()) return Field(path, "edges", table.error());
    auto& [dims, values] = table.value();
    if (values.empty()) return std::nullopt;
    if (dims.size() != 2 || dims[1] != 2) return InvalidField(path, "edges", "must have the shape [edges, 2]");
    for (std::size_t k = 0; k < values.size(); k += 2) {
      tree.edges.emplace_back(std::move(values[k]), std::move(values[k + 1]));
    }
    edges_ += tree.edges.size();
    return std::nullopt;
  }

  MaybeError ReadNode(hid_t nodes, const std::string& name, const std::string& full, std::size_t depth,
                      GraphTree& tree) {
    if (!IsUtf8(name)) return InvalidNode(full, "its name is not UTF-8");
    if (full.size() > kMaxNameBytes) {
      return InvalidNode(full, "its name has " + std::to_string(full.size()) + " bytes, above the limit of " +
                                   std::to_string(kMaxNameBytes));
    }
    if (++nodes_ > kMaxNodes) {
      return InvalidFile("the graph has more nodes than the limit of " + std::to_string(kMaxNodes));
    }
    auto group = OpenGroup(nodes, name);
    if (!group.ok()) return InvalidNode(full, group.error().message);
    if (!HasLink(group.value().get(), "type")) return WithoutType(group.value().get(), full);
    auto type_name = ReadString(group.value().get(), "type");
    if (!type_name.ok()) return Field(full, "type", type_name.error());
    if (type_name.value() == "NIRGraph") {
      auto graph = ReadGraph(group.value().get(), full, depth + 1);
      if (!graph.ok()) return graph.error();
      tree.graphs.emplace(name, std::move(graph).value());
      return std::nullopt;
    }
    const auto type = NodeTypeFromName(type_name.value());
    if (!type) {
      return InvalidField(
          full, "type",
          "unknown node type \"" + Printable(type_name.value()) + "\"; known are " + std::string(KnownTypeNames()));
    }
    Node node{name, *type, {}, {}};
    for (const IntegerSpec& spec : IntegersOf(*type)) {
      const std::string field(spec.name);
      if (!spec.required && !HasLink(group.value().get(), field)) continue;
      auto values = ReadIntegerField(group.value().get(), spec);
      if (!values.ok()) return Field(full, field, values.error());
      node.integers.emplace(field, std::move(values).value());
    }
    if (auto error = ReadParameters(group.value().get(), full, node)) return error;
    tree.nodes.push_back(std::move(node));
    return std::nullopt;
  }

  // A group that is not a node is probably a part of a name, since HDF5 treats a slash as a path.
  static MaybeError WithoutType(hid_t group, const std::string& full) {
    const auto names = LinkNames(group, kMaxNodes);
    for (const std::string& name : names.ok() ? names.value() : std::vector<std::string>()) {
      const auto inner = OpenGroup(group, name);
      if (!inner.ok() || !HasLink(inner.value().get(), "type")) continue;
      return InvalidField(full, "type",
                          "is missing: HDF5 makes groups of a node named \"" + Printable(full + "/" + name) +
                              "\"; rename the node, without a slash, and export the model again");
    }
    return InvalidField(full, "type", "is missing");
  }

  MaybeError ReadParameters(hid_t group, const std::string& full, Node& node) {
    for (const ParameterSpec& spec : ParametersOf(node.type)) {
      const std::string field(spec.name);
      if (spec.fallback && !HasLink(group, field)) continue;
      auto tensor = ReadFloats(group, field, kMaxParameterElements - parameters_);
      if (!tensor.ok()) return Field(full, field, tensor.error());
      parameters_ += tensor.value().values.size();
      if (auto error = CheckValues(full, spec, tensor.value())) return error;
      if (field == "weight") {
        auto& dims = tensor.value().dims;
        const std::size_t rank = RankOfWeight(node.type);
        while (dims.size() > rank && dims[0] == 1) dims.erase(dims.begin());  // a batch of one
        if (dims.size() != rank) {
          return InvalidField(full, field,
                              "must have " + std::to_string(rank) + " dimensions, " +
                                  (rank == 2 ? "[out, in]" : "[out, in / groups, kernel]") + ", found " +
                                  std::to_string(dims.size()));
        }
      }
      node.parameters.emplace(field, std::move(tensor).value());
    }
    return std::nullopt;
  }

  static MaybeError CheckValues(const std::string& full, const ParameterSpec& spec, const Tensor& tensor) {
    for (std::size_t k = 0; k < tensor.values.size(); ++k) {
      const double value = tensor.values[k];
      std::string wrong;
      const char* remedy = "";
      if (!std::isfinite(value)) {
        wrong = "must be finite";
        if (spec.name.starts_with("tau")) remedy = "; a neuron that never leaks is an IF: export it as one";
      } else if (!spec.InRange(value)) {
        wrong = "must be " + std::string(spec.range_text());
      }
      if (wrong.empty()) continue;
      char number[32];
      std::snprintf(number, sizeof(number), "%.9g", value);
      return InvalidField(full, std::string(spec.name),
                          wrong + ", found " + number + " at index " + std::to_string(k) + remedy);
    }
    return std::nullopt;
  }

  std::size_t nodes_ = 0;
  std::size_t edges_ = 0;
  std::size_t parameters_ = 0;
};

}  // namespace

Expected<GraphTree> ReadNir(std::span<const char> bytes) {
  if (bytes.size() > kMaxFileBytes) {
    return InvalidFile("the file has " + std::to_string(bytes.size()) + " bytes, above the limit of " +
                       std::to_string(kMaxFileBytes));
  }
  H5Eset_auto2(H5E_DEFAULT, nullptr, nullptr);
  H5PLset_loading_state(0);
  const Hdf5Handle access(H5Pcreate(H5P_FILE_ACCESS));
  H5Pset_fapl_core(access.get(), std::size_t{1} << 16, 0);  // in memory, never written to a file
  if (bytes.empty() || !UseImage(access.get(), bytes)) return InvalidFile("the file is empty");
  // HDF5 refuses an image if a file of that name exists; this name is impossible.
  const Hdf5Handle file(H5Fopen("/dev/null/image", H5F_ACC_RDONLY, access.get()));
  if (!file.valid()) return InvalidFile("not an HDF5 file, or truncated; export the model to NIR again");
  const Hdf5Handle root(H5Gopen2(file.get(), "/", H5P_DEFAULT));
  if (!root.valid()) return InvalidFile("the HDF5 file has no root group: it is damaged");
  return Reader().Root(root.get());
}

}  // namespace tandem
