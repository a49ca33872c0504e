// Datasets of a NIR file as C++ values. Every function refuses data that is not safe to read: links out of the file,
// data outside of it, filters that would load code, wrong types and sizes. Errors do not name node and field; callers
// add these in front.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/status.h"
#include "nir/graph.h"
#include "loader/hdf5_handle.h"

namespace tandem {

// Returns true if `group` has a link of that name, of any kind.
bool HasLink(hid_t group, const std::string& name);

// The names in a group, at most `limit`.
Expected<std::vector<std::string>> LinkNames(hid_t group, std::size_t limit);

Expected<Hdf5Handle> OpenGroup(hid_t parent, const std::string& name);

inline constexpr std::size_t kMaxStringBytes = 4096;

// Returns true if `name` is a dataset of text; false if it is not or cannot be read.
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

// Numbers as binary64: floating-point data, and integers if binary32 can hold each of them exactly. Booleans are
// refused.
Expected<Tensor> ReadFloats(hid_t group, const std::string& name, std::size_t max_elements);

// Signed or unsigned integers of at most 64 bits. Values above int64 become its largest value.
Expected<std::vector<std::int64_t>> ReadIntegers(hid_t group, const std::string& name, std::size_t max_elements);

}  // namespace tandem
