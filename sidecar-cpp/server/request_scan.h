// Looks through the bytes of a request before any of it is parsed. A parsed message can take fifty times its bytes, so
// what repeats is counted first. A pure function over bytes: nothing is allocated but what ScannedRequest holds.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

#include "base/status.h"

namespace tandem {

// Items a message may hold; more are answered BATCH_TOO_LARGE, and a message of absurdly many ends the stream.
inline constexpr std::size_t kMaxItemsPerMessage = 256;
inline constexpr std::size_t kFatalItemsPerMessage = 4096;
// More end the stream. An engine holds far fewer inputs.
inline constexpr std::size_t kMaxCancelIds = 65536;
// Of one item. No tensor has as many dimensions, and what does not know this many new fields is far too old.
inline constexpr std::size_t kMaxShapeDimensions = 64;
inline constexpr std::size_t kMaxItemFields = 256;

struct ScannedItem {
  std::uint64_t id = 0;
  std::string_view bytes;      // of the InferItem
  std::size_t dimensions = 0;  // numbers in its shape
  std::size_t fields = 0;      // all fields, those of the shape each by itself

  // Why the item must not be parsed.
  [[nodiscard]] MaybeError Refusal() const;
};

struct ScannedRequest {
  std::vector<ScannedItem> items;
  std::vector<std::uint64_t> cancel_ids;
  std::uint64_t checksum = 0;  // 0: none
};

// The InferStreamRequest in `bytes`, which must outlive the result. Errors: MALFORMED_MESSAGE, BATCH_TOO_LARGE
// (absurdly many items or cancel_ids).
Expected<ScannedRequest> ScanStreamRequest(std::string_view bytes);

// Whether an InferRequest or a TraceRequest may be parsed. Errors: MALFORMED_MESSAGE, INPUT_LENGTH, INVALID_FIELD.
MaybeError CheckUnaryRequest(std::string_view bytes);
// The same for a request without an item: at most 256 fields.
MaybeError CheckPlainRequest(std::string_view bytes);

// For what was looked through, and cannot be parsed all the same.
Error MalformedMessage();

}  // namespace tandem
