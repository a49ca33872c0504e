// Scans the bytes of a request before any of it is parsed. A parsed message can take fifty times its bytes, so repeated
// fields are counted first. A pure function of bytes: it allocates only the content of ScannedRequest.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

#include "base/status.h"

namespace tandem {

// Maximum items of a message; more are answered with BATCH_TOO_LARGE, and very many end the stream.
inline constexpr std::size_t kMaxItemsPerMessage = 256;
inline constexpr std::size_t kFatalItemsPerMessage = 4096;
// More end the stream. An engine holds far fewer inputs.
inline constexpr std::size_t kMaxCancelIds = 65536;
// Limits of one item. No tensor has this many dimensions, and no compatible version has this many unknown fields.
inline constexpr std::size_t kMaxShapeDimensions = 64;
inline constexpr std::size_t kMaxItemFields = 256;

struct ScannedItem {
  std::uint64_t id = 0;
  std::string_view bytes;      // of the InferItem
  std::size_t dimensions = 0;  // numbers in its shape
  std::size_t fields = 0;      // all fields, with each number of the shape

  // The reason why the item must not be parsed.
  [[nodiscard]] MaybeError Refusal() const;
};

struct ScannedRequest {
  std::vector<ScannedItem> items;
  std::vector<std::uint64_t> cancel_ids;
  std::uint64_t checksum = 0;  // 0: none
};

// The InferStreamRequest in `bytes`, which must outlive the result. Errors: MALFORMED_MESSAGE, BATCH_TOO_LARGE (very
// many items or cancel_ids).
Expected<ScannedRequest> ScanStreamRequest(std::string_view bytes);

// Checks whether an InferRequest or a TraceRequest may be parsed. Errors: MALFORMED_MESSAGE, INPUT_LENGTH,
// INVALID_FIELD.
MaybeError CheckUnaryRequest(std::string_view bytes);
// The same for a request without an item: at most 256 fields.
MaybeError CheckPlainRequest(std::string_view bytes);

// The error for bytes that passed the scan but cannot be parsed.
Error MalformedMessage();

}  // namespace tandem
