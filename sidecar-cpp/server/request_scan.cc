#include "server/request_scan.h"

#include <google/protobuf/io/coded_stream.h>
#include <google/protobuf/wire_format_lite.h>

#include <algorithm>
#include <string>
#include <utility>

#include "tandem/engine/v1/engine.pb.h"

namespace tandem {
namespace {

using engine::v1::InferItem;
using engine::v1::InferRequest;
using engine::v1::InferStreamRequest;
using engine::v1::TraceRequest;
using google::protobuf::internal::WireFormatLite;
using google::protobuf::io::CodedInputStream;

constexpr int kVarint = WireFormatLite::WIRETYPE_VARINT;
constexpr int kFixed64 = WireFormatLite::WIRETYPE_FIXED64;
constexpr int kBytes = WireFormatLite::WIRETYPE_LENGTH_DELIMITED;
constexpr int kFixed32 = WireFormatLite::WIRETYPE_FIXED32;

struct Field {
  int number = 0;
  int type = 0;
  std::uint64_t value = 0;  // kVarint, kFixed64, kFixed32
  std::string_view bytes;   // kBytes
  [[nodiscard]] bool Is(int is_number, int is_type) const { return number == is_number && type == is_type; }
};

CodedInputStream StreamOver(std::string_view bytes) {
  return CodedInputStream(reinterpret_cast<const std::uint8_t*>(bytes.data()), static_cast<int>(bytes.size()));
}

bool ReadBytes(CodedInputStream& from, std::string_view all, std::string_view& to) {
  std::uint32_t length = 0;
  if (!from.ReadVarint32(&length)) return false;
  const auto begin = static_cast<std::size_t>(from.CurrentPosition());
  if (length > all.size() - begin) return false;
  to = all.substr(begin, length);
  return from.Skip(static_cast<int>(length));
}

// Groups do not exist in proto3, so they are an error.
bool ReadField(CodedInputStream& from, std::string_view all, std::uint32_t tag, Field& to) {
  to.number = WireFormatLite::GetTagFieldNumber(tag);
  to.type = WireFormatLite::GetTagWireType(tag);
  if (to.number == 0) return false;
  switch (to.type) {
    case kVarint:
      return from.ReadVarint64(&to.value);
    case kFixed64:
      return from.ReadLittleEndian64(&to.value);
    case kBytes:
      return ReadBytes(from, all, to.bytes);
    case kFixed32: {
      std::uint32_t value = 0;
      const bool is_read = from.ReadLittleEndian32(&value);
      to.value = value;
      return is_read;
    }
    default:
      return false;
  }
}

// Calls `visit` with every field as long as it returns true. Returns false if a field cannot be read, or `visit`
// stopped.
template <typename Visit>
bool ForEachField(std::string_view message, Visit&& visit) {
  CodedInputStream from = StreamOver(message);
  while (static_cast<std::size_t>(from.CurrentPosition()) < message.size()) {
    Field field;
    const std::uint32_t tag = from.ReadTag();
    if (tag == 0 || !ReadField(from, message, tag, field) || !visit(field)) return false;
  }
  return true;
}

// Numbers in a packed field: each ends with a byte below 128.
std::size_t CountVarints(std::string_view packed) {
  return static_cast<std::size_t>(
      std::ranges::count_if(packed, [](char byte) { return (static_cast<std::uint8_t>(byte) & 0x80) == 0; }));
}

bool ScanItem(std::string_view bytes, ScannedItem& to) {
  return ForEachField(bytes, [&](const Field& field) {
    ++to.fields;
    if (field.Is(InferItem::kIdFieldNumber, kVarint)) to.id = field.value;
    if (field.Is(InferItem::kShapeFieldNumber, kVarint)) ++to.dimensions;
    if (field.Is(InferItem::kShapeFieldNumber, kBytes)) to.dimensions += CountVarints(field.bytes);
    return true;
  });
}

// Stops if there are too many; the count is then above the limit.
bool TakeCancelIds(const Field& field, std::vector<std::uint64_t>& to) {
  if (field.type == kVarint) {
    to.push_back(field.value);
    return true;
  }
  if (CountVarints(field.bytes) + to.size() > kMaxCancelIds) {
    to.resize(kMaxCancelIds + 1);
    return true;
  }
  CodedInputStream from = StreamOver(field.bytes);
  while (static_cast<std::size_t>(from.CurrentPosition()) < field.bytes.size()) {
    std::uint64_t id = 0;
    if (!from.ReadVarint64(&id)) return false;
    to.push_back(id);
  }
  return true;
}

Error TooMany(const char* field, std::size_t max) {
  return {
      Code::kResourceExhausted,
      "BATCH_TOO_LARGE",
      std::string("the message has more than ") + std::to_string(max) + " " + field + "; send them in several messages",
      {{"field", field}}};
}

}  // namespace

Error MalformedMessage() {
  return {
      Code::kInvalidArgument, "MALFORMED_MESSAGE", "the message cannot be parsed; check the link and the sender", {}};
}

MaybeError ScannedItem::Refusal() const {
  if (dimensions > kMaxShapeDimensions) {
    return Error{
        Code::kInvalidArgument,
        "INPUT_LENGTH",
        "shape has " + std::to_string(dimensions) + " dimensions; send at most " + std::to_string(kMaxShapeDimensions),
        {{"field", "shape"}}};
  }
  if (fields <= kMaxItemFields) return std::nullopt;
  return Error{Code::kInvalidArgument,
               "INVALID_FIELD",
               "the item has " + std::to_string(fields) + " fields; send those of InferItem, at most " +
                   std::to_string(kMaxItemFields),
               {}};
}

Expected<ScannedRequest> ScanStreamRequest(std::string_view bytes) {
  ScannedRequest to;
  const bool is_read = ForEachField(bytes, [&to](const Field& field) {
    if (field.Is(InferStreamRequest::kItemsFieldNumber, kBytes)) {
      ScannedItem& item = to.items.emplace_back();
      item.bytes = field.bytes;
      return to.items.size() <= kFatalItemsPerMessage && ScanItem(field.bytes, item);
    }
    if (field.number == InferStreamRequest::kCancelIdsFieldNumber && (field.type == kVarint || field.type == kBytes)) {
      return TakeCancelIds(field, to.cancel_ids) && to.cancel_ids.size() <= kMaxCancelIds;
    }
    if (field.Is(InferStreamRequest::kChecksumFieldNumber, kFixed64)) to.checksum = field.value;
    return true;
  });
  if (to.items.size() > kFatalItemsPerMessage) return TooMany("items", kFatalItemsPerMessage);
  if (to.cancel_ids.size() > kMaxCancelIds) return TooMany("cancel_ids", kMaxCancelIds);
  if (!is_read) return MalformedMessage();
  return to;
}

MaybeError CheckUnaryRequest(std::string_view bytes) {
  static_assert(int{InferRequest::kItemFieldNumber} == int{TraceRequest::kItemFieldNumber});
  // The item may be split into several fields, which protobuf merges: they count as one.
  ScannedItem item;
  const bool is_read = ForEachField(bytes, [&item](const Field& field) {
    ++item.fields;
    if (field.Is(InferRequest::kItemFieldNumber, kBytes)) return ScanItem(field.bytes, item);
    // Its fields count, too: no part of the request may become much larger when parsed.
    if (field.Is(TraceRequest::kPlaceFieldNumber, kBytes)) {
      return ForEachField(field.bytes, [&item](const Field&) { return ++item.fields > 0; });
    }
    return true;
  });
  if (!is_read) return MalformedMessage();
  return item.Refusal();
}

MaybeError CheckPlainRequest(std::string_view bytes) {
  std::size_t fields = 0;
  const bool is_read = ForEachField(bytes, [&fields](const Field&) { return ++fields <= kMaxItemFields; });
  if (fields > kMaxItemFields) {
    return Error{Code::kInvalidArgument,
                 "INVALID_FIELD",
                 "the request has more than " + std::to_string(kMaxItemFields) + " fields; send each once",
                 {}};
  }
  if (!is_read) return MalformedMessage();
  return std::nullopt;
}

}  // namespace tandem
