// Makes text from outside safe to show.
#pragma once

#include <string>
#include <string_view>

namespace tandem {

// Whether the bytes are well-formed UTF-8 (proto3 strings must be).
bool IsUtf8(std::string_view text);

// `text` with control and non-UTF-8 bytes as '?', at most 200 bytes: safe in a log line, an error or a proto string.
std::string Printable(std::string_view text);

}  // namespace tandem
