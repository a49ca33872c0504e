#include "testing/nir_writer.h"

#include <algorithm>
#include <cstring>
#include <fstream>

namespace tandem::testing {
namespace {

Hdf5Handle CoreFile() {
  const Hdf5Handle access(H5Pcreate(H5P_FILE_ACCESS));
  H5Pset_fapl_core(access.get(), std::size_t{1} << 16, 0);
  return Hdf5Handle(H5Fcreate("writer.nir", H5F_ACC_TRUNC, H5P_DEFAULT, access.get()));
}

// The library clears its buffer for each dataset, by default a megabyte.
Hdf5Handle SmallBuffer() {
  Hdf5Handle transfer(H5Pcreate(H5P_DATASET_XFER));
  H5Pset_buffer(transfer.get(), std::size_t{1} << 14, nullptr, nullptr);
  return transfer;
}

Hdf5Handle WithParents() {
  Hdf5Handle create(H5Pcreate(H5P_LINK_CREATE));
  H5Pset_create_intermediate_group(create.get(), 1);
  return create;
}

Hdf5Handle Space(const std::vector<std::uint64_t>& dims) {
  if (dims.empty()) return Hdf5Handle(H5Screate(H5S_SCALAR));
  const std::vector<hsize_t> sizes(dims.begin(), dims.end());
  return Hdf5Handle(H5Screate_simple(static_cast<int>(sizes.size()), sizes.data(), nullptr));
}

void WriteStrings(hid_t file, const std::string& path, const std::vector<std::uint64_t>& dims,
                  const std::vector<std::string>& values, NirWriter::Strings strings) {
  const Hdf5Handle type(H5Tcopy(H5T_C_S1));
  std::size_t longest = 1;
  for (const std::string& value : values) longest = std::max(longest, value.size() + 1);
  H5Tset_size(type.get(), strings == NirWriter::Strings::kVariable ? H5T_VARIABLE : longest);
  H5Tset_cset(type.get(), H5T_CSET_UTF8);
  const Hdf5Handle parents = WithParents();
  const Hdf5Handle space = Space(dims);
  const Hdf5Handle data(
      H5Dcreate2(file, path.c_str(), type.get(), space.get(), parents.get(), H5P_DEFAULT, H5P_DEFAULT));
  if (strings == NirWriter::Strings::kVariable) {
    std::vector<const char*> pointers;
    for (const std::string& value : values) pointers.push_back(value.c_str());
    H5Dwrite(data.get(), type.get(), H5S_ALL, H5S_ALL, SmallBuffer().get(), pointers.data());
    return;
  }
  std::vector<char> bytes(longest * values.size(), '\0');
  for (std::size_t k = 0; k < values.size(); ++k) {
    std::memcpy(bytes.data() + k * longest, values[k].data(), values[k].size());
  }
  H5Dwrite(data.get(), type.get(), H5S_ALL, H5S_ALL, SmallBuffer().get(), bytes.data());
}

}  // namespace

NirWriter::NirWriter(Strings strings) : strings_(strings), file_(CoreFile()) {
  Text("version", "0.1.1");
  Text("node/type", "NIRGraph");
  Group("node/nodes");
}

void NirWriter::Group(const std::string& path) {
  if (H5Lexists(file_.get(), path.c_str(), H5P_DEFAULT) > 0) return;
  const Hdf5Handle parents = WithParents();
  const Hdf5Handle group(H5Gcreate2(file_.get(), path.c_str(), parents.get(), H5P_DEFAULT, H5P_DEFAULT));
}

void NirWriter::Text(const std::string& path, const std::string& value) {
  WriteStrings(file_.get(), path, {}, {value}, strings_);
}

void NirWriter::Edges(const std::string& graph_path, const std::vector<std::pair<std::string, std::string>>& edges) {
  std::vector<std::string> names;
  for (const auto& [from, to] : edges) {
    names.push_back(from);
    names.push_back(to);
  }
  WriteStrings(file_.get(), graph_path + "/edges", {edges.size(), 2}, names, strings_);
}

void NirWriter::Floats(const std::string& path, const std::vector<std::uint64_t>& dims,
                       const std::vector<double>& values, bool float64, bool gzip) {
  const Hdf5Handle parents = WithParents();
  const Hdf5Handle space = Space(dims);
  const Hdf5Handle create(H5Pcreate(H5P_DATASET_CREATE));
  if (gzip) {
    const std::vector<hsize_t> chunk(dims.begin(), dims.end());
    H5Pset_chunk(create.get(), static_cast<int>(chunk.size()), chunk.data());
    H5Pset_shuffle(create.get());
    H5Pset_deflate(create.get(), 6);
  }
  const Hdf5Handle data(H5Dcreate2(file_.get(), path.c_str(), float64 ? H5T_IEEE_F64LE : H5T_IEEE_F32LE, space.get(),
                                   parents.get(), create.get(), H5P_DEFAULT));
  H5Dwrite(data.get(), H5T_NATIVE_DOUBLE, H5S_ALL, H5S_ALL, SmallBuffer().get(), values.data());
}

void NirWriter::Integers(const std::string& path, const std::vector<std::int64_t>& values) {
  const Hdf5Handle parents = WithParents();
  const Hdf5Handle space = Space({values.size()});
  const Hdf5Handle data(
      H5Dcreate2(file_.get(), path.c_str(), H5T_STD_I64LE, space.get(), parents.get(), H5P_DEFAULT, H5P_DEFAULT));
  H5Dwrite(data.get(), H5T_NATIVE_INT64, H5S_ALL, H5S_ALL, SmallBuffer().get(), values.data());
}

void NirWriter::Put(const std::string& graph_path, const Node& node) {
  const std::string path = graph_path + "/nodes/" + node.name;
  Text(path + "/type", std::string(NameOf(node.type)));
  for (const auto& [field, tensor] : node.parameters) Floats(path + "/" + field, tensor.dims, tensor.values);
  for (const auto& [field, values] : node.integers) {
    const bool same = field == "padding" && values[0] == kSamePadding;
    same ? Text(path + "/" + field, "same") : Integers(path + "/" + field, values);
  }
}

void NirWriter::Put(const std::string& graph_path, const GraphTree& tree) {
  Group(graph_path + "/nodes");
  for (const Node& node : tree.nodes) Put(graph_path, node);
  for (const auto& [name, graph] : tree.graphs) {
    Text(graph_path + "/nodes/" + name + "/type", "NIRGraph");
    Put(graph_path + "/nodes/" + name, graph);
  }
  Edges(graph_path, tree.edges);
}

std::string NirWriter::Bytes() {
  H5Fflush(file_.get(), H5F_SCOPE_GLOBAL);
  const ssize_t size = H5Fget_file_image(file_.get(), nullptr, 0);
  std::string bytes(static_cast<std::size_t>(std::max<ssize_t>(size, 0)), '\0');
  H5Fget_file_image(file_.get(), bytes.data(), bytes.size());
  return bytes;
}

std::string NirBytes(const GraphTree& tree) {
  NirWriter writer;
  writer.Put("node", tree);
  return writer.Bytes();
}

void WriteFile(const std::filesystem::path& path, const std::string& bytes) {
  std::filesystem::create_directories(path.parent_path());
  std::ofstream(path, std::ios::binary) << bytes;
}

}  // namespace tandem::testing
