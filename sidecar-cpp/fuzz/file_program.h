// A fuzz input as a program that writes a NIR file: a sound graph, of which parts are then deleted and replaced. The
// file is sound HDF5, so that what is tested is the reader and not the HDF5 library.
#pragma once

#include <string>
#include <string_view>

namespace tandem::fuzz {

std::string FileOf(std::string_view program);

}  // namespace tandem::fuzz
