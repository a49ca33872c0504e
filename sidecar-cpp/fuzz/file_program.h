// Treats a fuzz input as a program that writes a NIR file: first a valid graph, then it deletes and replaces parts. The
// file is valid HDF5, so this tests the reader and not the HDF5 library.
#pragma once

#include <string>
#include <string_view>

namespace tandem::fuzz {

std::string FileOf(std::string_view program);

}  // namespace tandem::fuzz
