// The targets `request` and `stream`: the input of each has the messages of a stream (messages.h).
#pragma once

#include <cstddef>
#include <string_view>

namespace tandem::fuzz {

// Defined by each target. Returns the number of answers that are results; ends the program if one is wrong.
std::size_t Run(std::string_view input);

}  // namespace tandem::fuzz
