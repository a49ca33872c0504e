// A node's whole numbers: sizes, strides, dimensions.
#pragma once

#include "base/status.h"
#include "loader/hdf5_handle.h"
#include "nir/graph.h"

namespace tandem {

// As many numbers as the field has, within its limits. Errors are sentences without the node's and the field's name.
Expected<Integers> ReadIntegerField(hid_t group, const IntegerSpec& spec);

}  // namespace tandem
