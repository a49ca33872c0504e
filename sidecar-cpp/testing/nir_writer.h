// Writes NIR files for tests, benchmarks and hostile inputs, with the HDF5 library, in memory.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <utility>
#include <vector>

#include "nir/graph.h"
#include "loader/hdf5_handle.h"

namespace tandem::testing {

class NirWriter {
 public:
  enum class Strings { kVariable, kFixed };

  // An empty file with `version` and an empty `node` group of type NIRGraph.
  explicit NirWriter(Strings strings = Strings::kVariable);

  // A group, with its parents. Paths are relative to the root: "node/nodes/lif".
  void Group(const std::string& path);
  void Text(const std::string& path, const std::string& value);
  void Edges(const std::string& graph_path, const std::vector<std::pair<std::string, std::string>>& edges);
  void Floats(const std::string& path, const std::vector<std::uint64_t>& dims, const std::vector<double>& values,
              bool float64 = false, bool gzip = false);
  void Integers(const std::string& path, const std::vector<std::int64_t>& values);

  // A node of a graph, with all its parameters and its shape.
  void Put(const std::string& graph_path, const Node& node);
  // Everything below `graph_path`.
  void Put(const std::string& graph_path, const GraphTree& tree);

  // For operations that the methods above do not have.
  [[nodiscard]] hid_t file() const { return file_.get(); }

  // The present bytes of the file.
  std::string Bytes();

 private:
  Strings strings_;
  Hdf5Handle file_;
};

// The bytes of a file that holds `tree`.
std::string NirBytes(const GraphTree& tree);

void WriteFile(const std::filesystem::path& path, const std::string& bytes);

}  // namespace tandem::testing
