// The wire, the digest and NIR data are little-endian, and so is every machine this builds for.
#pragma once

#include <bit>

namespace tandem {

static_assert(std::endian::native == std::endian::little, "tandem copies binary32 data without swapping bytes");

}  // namespace tandem
