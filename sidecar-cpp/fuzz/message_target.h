// The targets `request` and `stream`: each runs an input that holds the messages of a stream (messages.h).
#pragma once

#include <cstddef>
#include <string_view>

namespace tandem::fuzz {

// Defined by each target. Gives how many of the answers are results, and not errors; ends the program where one is
// wrong.
std::size_t Run(std::string_view input);

}  // namespace tandem::fuzz
