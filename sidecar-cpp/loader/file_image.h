// Lets HDF5 read a file in memory without a copy.
#pragma once

#include <hdf5.h>

#include <span>

namespace tandem {

// Lets a file access list of the core driver read `bytes`, which must outlive all objects opened with it. Returns false
// if HDF5 refuses.
bool UseImage(hid_t access, std::span<const char> bytes);

}  // namespace tandem
