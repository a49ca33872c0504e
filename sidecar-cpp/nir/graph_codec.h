// A flat graph as bytes, from the program that reads model files to the engine. The engine treats the bytes as hostile:
// a graph from ReadGraph has passed CheckInvariants.
#pragma once

#include "base/status.h"
#include "nir/byte_stream.h"
#include "nir/graph.h"

namespace tandem {

void WriteGraph(const Graph& graph, ByteSink& to);

// Uses no more memory than the received bytes and the limits of proto/NUMERICS.md allow. An error is a fault of this
// program, not of a model file. Its message names the invalid item.
Expected<Graph> ReadGraph(ByteSource& from);

// Functions that other messages use, too.
void WriteNumber(std::uint64_t number, ByteSink& to);
bool ReadNumber(ByteSource& from, std::uint64_t max, std::uint64_t& to);
void WriteText(std::string_view text, ByteSink& to);
bool ReadText(ByteSource& from, std::size_t max_bytes, std::string& to);

}  // namespace tandem
