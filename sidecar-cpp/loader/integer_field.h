// A node's whole numbers: sizes, strides, dimensions.
#pragma once

#include "base/status.h"
#include "loader/hdf5_handle.h"
#include "nir/graph.h"

namespace tandem {

// Reads the field's numbers and checks their count and limits. Errors do not name node and field.
Expected<Integers> ReadIntegerField(hid_t group, const IntegerSpec& spec);

}  // namespace tandem
