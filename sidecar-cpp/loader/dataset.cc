#include "loader/dataset.h"

#include <algorithm>
#include <array>
#include <cstdlib>
#include <optional>

namespace tandem {
namespace {

Error Bad(const std::string& what) { return {Code::kInvalidArgument, "MODEL_INVALID", what, {}}; }

// Opens the target of a hard link. Soft links may form loops, and external links leave the file; NIR writers create
// neither.
Expected<Hdf5Handle> OpenObject(hid_t group, const std::string& name) {
  if (!HasLink(group, name)) return Bad("is missing");
  H5L_info_t link;
  if (H5Lget_info(group, name.c_str(), &link, H5P_DEFAULT) < 0) return Bad("cannot be read: the file is damaged");
  if (link.type != H5L_TYPE_HARD) return Bad("is a soft or external link; write the data itself into the file");
  Hdf5Handle object(H5Oopen(group, name.c_str(), H5P_DEFAULT));
  if (!object.valid()) return Bad("cannot be opened: the file is damaged or truncated");
  return object;
}

// Only filters that are built into HDF5: it would load plug-ins for others.
MaybeError CheckStorage(hid_t dataset) {
  const Hdf5Handle plist(H5Dget_create_plist(dataset));
  if (!plist.valid()) return Bad("cannot be read: the file is damaged");
  const H5D_layout_t layout = H5Pget_layout(plist.get());
  if (layout < 0 || layout == H5D_VIRTUAL || H5Pget_external_count(plist.get()) > 0) {
    return Bad("keeps its data outside the file; write it into the file");
  }
  const int filters = H5Pget_nfilters(plist.get());
  if (filters < 0) return Bad("cannot be read: the file is damaged");
  for (int k = 0; k < filters; ++k) {
    unsigned flags = 0;
    unsigned config = 0;
    std::size_t values = 0;
    const H5Z_filter_t filter =
        H5Pget_filter2(plist.get(), static_cast<unsigned>(k), &flags, &values, nullptr, 0, nullptr, &config);
    if (filter != H5Z_FILTER_DEFLATE && filter != H5Z_FILTER_SHUFFLE && filter != H5Z_FILTER_FLETCHER32) {
      return Bad("is compressed in an unknown way (HDF5 filter " + std::to_string(filter) +
                 "); use gzip or no compression");
    }
  }
  return std::nullopt;
}

Error TooLong(std::size_t max_bytes) {
  return Bad("holds strings longer than the limit of " + std::to_string(max_bytes) + " bytes");
}

struct Dataset {
  Hdf5Handle handle;
  Hdf5Handle type;
  std::vector<std::uint64_t> dims;
  std::size_t elements = 1;
};

Expected<Dataset> OpenDataset(hid_t group, const std::string& name, std::size_t max_elements) {
  auto object = OpenObject(group, name);
  if (!object.ok()) return object.error();
  Dataset data;
  data.handle = std::move(object).value();
  if (H5Iget_type(data.handle.get()) != H5I_DATASET) return Bad("must be a dataset");
  if (auto error = CheckStorage(data.handle.get())) return *std::move(error);
  data.type = Hdf5Handle(H5Dget_type(data.handle.get()));
  const Hdf5Handle space(H5Dget_space(data.handle.get()));
  const int rank = space.valid() ? H5Sget_simple_extent_ndims(space.get()) : -1;
  if (!data.type.valid() || rank < 0) return Bad("cannot be read: the file is damaged");
  if (H5Sget_simple_extent_type(space.get()) == H5S_NULL) return Bad("is empty");
  std::array<hsize_t, H5S_MAX_RANK> dims{};
  if (H5Sget_simple_extent_dims(space.get(), dims.data(), nullptr) != rank) {
    return Bad("cannot be read: the file is damaged");
  }
  for (std::size_t k = 0; k < static_cast<std::size_t>(rank); ++k) {
    data.dims.push_back(dims[k]);
    if (dims[k] != 0 && data.elements > max_elements / dims[k]) {
      return Bad("has more elements than the limit of " + std::to_string(max_elements));
    }
    data.elements *= dims[k];
  }
  return data;
}

// Strings of a fixed length, padded with zeros or blanks.
Expected<std::vector<std::string>> ReadFixedStrings(const Dataset& data, std::size_t max_bytes) {
  const std::size_t size = H5Tget_size(data.type.get());
  if (size == 0 || size > max_bytes) return TooLong(max_bytes);
  std::vector<char> bytes(data.elements * size);
  if (!bytes.empty() && H5Dread(data.handle.get(), data.type.get(), H5S_ALL, H5S_ALL, H5P_DEFAULT, bytes.data()) < 0) {
    return Bad("cannot be read: the file is damaged or truncated");
  }
  const bool blanks = H5Tget_strpad(data.type.get()) == H5T_STR_SPACEPAD;
  std::vector<std::string> values;
  for (std::size_t k = 0; k < data.elements; ++k) {
    const char* slot = bytes.data() + k * size;
    std::string value(slot, std::find(slot, slot + size, '\0'));
    if (blanks) value.erase(value.find_last_not_of(' ') + 1);
    values.push_back(std::move(value));
  }
  return values;
}

// Memory for strings that HDF5 reads. It refuses a string that is too long before it is copied, since a small file can
// refer to one long string many times.
struct StringMemory {
  std::size_t max_bytes;
  bool too_long = false;

  static void* Allocate(std::size_t size, void* self) {
    auto& memory = *static_cast<StringMemory*>(self);
    memory.too_long |= size > memory.max_bytes + 1;  // a zero ends each
    return memory.too_long ? nullptr : std::malloc(size);
  }
  static void Free(void* string, void*) { std::free(string); }
};

Expected<std::vector<std::string>> ReadVariableStrings(const Dataset& data, std::size_t max_bytes) {
  std::vector<char*> pointers(data.elements, nullptr);
  if (pointers.empty()) return std::vector<std::string>{};
  const Hdf5Handle type(H5Tcopy(H5T_C_S1));
  H5Tset_size(type.get(), H5T_VARIABLE);
  H5Tset_cset(type.get(), H5Tget_cset(data.type.get()));
  StringMemory memory{max_bytes};
  const Hdf5Handle transfer(H5Pcreate(H5P_DATASET_XFER));
  H5Pset_vlen_mem_manager(transfer.get(), StringMemory::Allocate, &memory, StringMemory::Free, nullptr);
  const bool read = H5Dread(data.handle.get(), type.get(), H5S_ALL, H5S_ALL, transfer.get(),
                            static_cast<void*>(pointers.data())) >= 0;
  std::vector<std::string> values;
  for (char* pointer : pointers) {
    values.emplace_back(pointer == nullptr ? "" : pointer);
    std::free(pointer);
  }
  if (memory.too_long) return TooLong(max_bytes);
  if (!read) return Bad("cannot be read: the file is damaged or truncated");
  return values;
}

Expected<std::vector<std::int64_t>> ReadIntegersOf(const Dataset& data) {
  if (H5Tget_class(data.type.get()) != H5T_INTEGER || H5Tget_size(data.type.get()) > 8) {
    return Bad("must be of an integer type");
  }
  std::vector<std::int64_t> values(data.elements);
  if (values.empty()) return Bad("is empty");
  // HDF5 changes values beyond int64 to its largest one, which is too large for a shape and for binary32.
  if (H5Dread(data.handle.get(), H5T_NATIVE_INT64, H5S_ALL, H5S_ALL, H5P_DEFAULT, values.data()) < 0) {
    return Bad("cannot be read: the file is damaged or truncated");
  }
  return values;
}

// Converts integers to floating point if binary32 can hold them exactly.
Expected<Tensor> ExactFloats(Dataset data) {
  auto integers = ReadIntegersOf(data);
  if (!integers.ok()) return integers.error();
  Tensor tensor{std::move(data.dims), {}};
  tensor.values.reserve(data.elements);
  for (const std::int64_t value : integers.value()) {
    // binary64 cannot hold the largest int64: converting it back would overflow.
    const auto rounded = static_cast<double>(static_cast<float>(value));
    if (rounded >= 0x1p63 || static_cast<std::int64_t>(rounded) != value) {
      return Bad("must be a number that binary32 holds exactly, found the integer " + std::to_string(value) +
                 " at index " + std::to_string(tensor.values.size()) + "; write floating-point numbers");
    }
    tensor.values.push_back(rounded);
  }
  return tensor;
}

}  // namespace

bool HasLink(hid_t group, const std::string& name) { return H5Lexists(group, name.c_str(), H5P_DEFAULT) > 0; }

Expected<std::vector<std::string>> LinkNames(hid_t group, std::size_t limit) {
  struct Found {
    std::vector<std::string> names;
    std::size_t limit;
  } found{{}, limit};
  const auto add = [](hid_t, const char* name, const H5L_info_t*, void* data) -> herr_t {
    auto& to = *static_cast<Found*>(data);
    if (to.names.size() == to.limit) return 1;
    to.names.emplace_back(name);
    return 0;
  };
  const herr_t outcome = H5Literate(group, H5_INDEX_NAME, H5_ITER_NATIVE, nullptr, add, &found);
  if (outcome < 0) return Bad("cannot be read: the file is damaged or truncated");
  if (outcome > 0) return Bad("has more entries than the limit of " + std::to_string(limit));
  return std::move(found.names);
}

Expected<Hdf5Handle> OpenGroup(hid_t parent, const std::string& name) {
  auto object = OpenObject(parent, name);
  if (object.ok() && H5Iget_type(object.value().get()) != H5I_GROUP) return Bad("must be a group");
  return object;
}

bool IsText(hid_t group, const std::string& name) {
  const auto object = OpenObject(group, name);
  if (!object.ok() || H5Iget_type(object.value().get()) != H5I_DATASET) return false;
  const Hdf5Handle type(H5Dget_type(object.value().get()));
  return type.valid() && H5Tget_class(type.get()) == H5T_STRING;
}

Expected<StringTable> ReadStrings(hid_t group, const std::string& name, std::size_t max_elements,
                                  std::size_t max_bytes) {
  auto data = OpenDataset(group, name, max_elements);
  if (!data.ok()) return data.error();
  if (H5Tget_class(data.value().type.get()) != H5T_STRING) return Bad("must be of type string");
  const htri_t variable = H5Tis_variable_str(data.value().type.get());
  auto values = variable > 0 ? ReadVariableStrings(data.value(), max_bytes) : ReadFixedStrings(data.value(), max_bytes);
  if (!values.ok()) return values.error();
  return StringTable{std::move(data.value().dims), std::move(values).value()};
}

Expected<std::string> ReadString(hid_t group, const std::string& name) {
  auto table = ReadStrings(group, name, 1, kMaxStringBytes);
  if (!table.ok()) return table.error();
  if (table.value().values.size() != 1) return Bad("must be one string");
  return std::move(table.value().values.front());
}

Expected<Tensor> ReadFloats(hid_t group, const std::string& name, std::size_t max_elements) {
  auto data = OpenDataset(group, name, max_elements);
  if (!data.ok()) return data.error();
  const H5T_class_t kind = H5Tget_class(data.value().type.get());
  if (kind == H5T_INTEGER) return ExactFloats(std::move(data).value());
  const std::size_t bytes = H5Tget_size(data.value().type.get());
  if (kind != H5T_FLOAT || (bytes != 4 && bytes != 8)) return Bad("must be float32, float64 or integers");
  Tensor tensor{std::move(data.value().dims), std::vector<double>(data.value().elements)};
  if (tensor.values.empty()) return Bad("is empty");
  if (H5Dread(data.value().handle.get(), H5T_NATIVE_DOUBLE, H5S_ALL, H5S_ALL, H5P_DEFAULT, tensor.values.data()) < 0) {
    return Bad("cannot be read: the file is damaged or truncated");
  }
  return tensor;
}

Expected<std::vector<std::int64_t>> ReadIntegers(hid_t group, const std::string& name, std::size_t max_elements) {
  auto data = OpenDataset(group, name, max_elements);
  if (!data.ok()) return data.error();
  return ReadIntegersOf(data.value());
}

}  // namespace tandem
