// Datasets of a NIR file as C++ values. Every function refuses what it cannot read safely: links out of the file, data
// kept outside it, filters that would load code, types and sizes that do not fit. Errors are sentences without the
// node's and the field's name, which callers put in front.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/status.h"
#include "nir/graph.h"
#include "loader/hdf5_handle.h"

namespace tandem {

// Whether `group` has a link of that name, of any kind.
bool HasLink(hid_t group, const std::string& name);

// The names in a group, at most `limit`.
Expected<std::vector<std::string>> LinkNames(hid_t group, std::size_t limit);

Expected<Hdf5Handle> OpenGroup(hid_t parent, const std::string& name);

inline constexpr std::size_t kMaxStringBytes = 4096;

// Whether `name` is a dataset of text; false, too, where it cannot be read.
bool IsText(hid_t group, const std::string& name);

// One string.
Expected<std::string> ReadString(hid_t group, const std::string& name);

struct StringTable {
  std::vector<std::uint64_t> dims;
  std::vector<std::string> values;  // row-major
};
// Strings of at most `max_bytes` each.
Expected<StringTable> ReadStrings(hid_t group, const std::string& name, std::size_t max_elements,
                                  std::size_t max_bytes);

// Numbers as binary64: floating-point data, and integers where binary32 holds every one exactly. Booleans are refused.
Expected<Tensor> ReadFloats(hid_t group, const std::string& name, std::size_t max_elements);

// Signed or unsigned integers of at most 64 bits; what exceeds int64 comes as its largest.
Expected<std::vector<std::int64_t>> ReadIntegers(hid_t group, const std::string& name, std::size_t max_elements);

}  // namespace tandem
