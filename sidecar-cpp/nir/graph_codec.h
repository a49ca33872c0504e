// A flat graph as bytes, from the program that reads model files to the engine. The engine takes the bytes for hostile:
// what ReadGraph returns has passed CheckInvariants.
#pragma once

#include "base/status.h"
#include "nir/byte_stream.h"
#include "nir/graph.h"

namespace tandem {

void WriteGraph(const Graph& graph, ByteSink& to);

// Takes no more memory than the bytes that came and the limits of proto/NUMERICS.md allow. An error is one of this
// program, not of a model file: its message says what in the bytes cannot be.
Expected<Graph> ReadGraph(ByteSource& from);

// The pieces that other messages share.
void WriteNumber(std::uint64_t number, ByteSink& to);
bool ReadNumber(ByteSource& from, std::uint64_t max, std::uint64_t& to);
void WriteText(std::string_view text, ByteSink& to);
bool ReadText(ByteSource& from, std::size_t max_bytes, std::string& to);

}  // namespace tandem
