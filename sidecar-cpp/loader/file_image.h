// HDF5 over a file that lies in memory, without a copy of it.
#pragma once

#include <hdf5.h>

#include <span>

namespace tandem {

// Lets a file access list of the core driver read `bytes`, which must outlive what is opened with it. False: HDF5
// refuses.
bool UseImage(hid_t access, std::span<const char> bytes);

}  // namespace tandem
