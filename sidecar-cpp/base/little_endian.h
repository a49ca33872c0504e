// The wire, the digest and NIR data are little-endian, and so is every supported machine.
#pragma once

#include <bit>

namespace tandem {

static_assert(std::endian::native == std::endian::little, "tandem copies binary32 data without swapping bytes");

}  // namespace tandem
