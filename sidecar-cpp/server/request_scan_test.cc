#include "server/request_scan.h"

#include <gtest/gtest.h>

#include "tandem/engine/v1/engine.pb.h"

namespace tandem {
namespace {

using engine::v1::InferItem;
using engine::v1::InferRequest;
using engine::v1::InferStreamRequest;

std::string Reason(const std::string& bytes) {
  const auto request = ScanStreamRequest(bytes);
  return request.ok() ? "OK" : request.error().reason;
}

// "OK", or the reason why an InferRequest of this item must not be parsed.
std::string UnaryReason(const std::string& item) {
  InferRequest request;
  EXPECT_TRUE(request.mutable_item()->ParseFromString(item));
  const auto error = CheckUnaryRequest(request.SerializeAsString());
  return error ? error->reason : "OK";
}

std::string Repeat(const std::string& bytes, std::size_t times) {
  std::string all;
  for (std::size_t k = 0; k < times; ++k) all += bytes;
  return all;
}

TEST(RequestScan, FindsItemsWithTheirIdsAndCancelIds) {
  InferStreamRequest request;
  request.add_items()->set_id(7);
  request.add_items()->set_model("net");
  request.add_cancel_ids(3);
  request.add_cancel_ids(1 << 20);
  const std::string bytes = request.SerializeAsString();
  const auto scanned = ScanStreamRequest(bytes);
  ASSERT_TRUE(scanned.ok());
  ASSERT_EQ(scanned.value().items.size(), 2u);
  EXPECT_EQ(scanned.value().items[0].id, 7u);
  InferItem second;
  ASSERT_TRUE(second.ParseFromString(std::string(scanned.value().items[1].bytes)));
  EXPECT_EQ(second.model(), "net");
  EXPECT_EQ(scanned.value().cancel_ids, (std::vector<std::uint64_t>{3, 1 << 20}));
}

TEST(RequestScan, TakesCancelIdsThatAreNotPacked) {
  EXPECT_EQ(ScanStreamRequest(Repeat("\x10\x05", 3)).value().cancel_ids, (std::vector<std::uint64_t>{5, 5, 5}));
}

TEST(RequestScan, RefusesMoreCancelIdsThanTheLimitPackedOrNot) {
  InferStreamRequest packed;
  for (std::size_t k = 0; k < kMaxCancelIds; ++k) packed.add_cancel_ids(1);
  EXPECT_EQ(Reason(packed.SerializeAsString()), "OK");
  packed.add_cancel_ids(1);
  EXPECT_EQ(Reason(packed.SerializeAsString()), "BATCH_TOO_LARGE");
  EXPECT_EQ(Reason(Repeat("\x10\x05", kMaxCancelIds)), "OK");
  EXPECT_EQ(Reason(Repeat("\x10\x05", kMaxCancelIds + 1)), "BATCH_TOO_LARGE");
}

TEST(RequestScan, RefusesVeryManyItems) {
  const std::string empty("\x0a\x00", 2);
  EXPECT_EQ(Reason(Repeat(empty, kFatalItemsPerMessage)), "OK");
  EXPECT_EQ(Reason(Repeat(empty, kFatalItemsPerMessage + 1)), "BATCH_TOO_LARGE");
}

TEST(RequestScan, CountsTheShapeOfAnItemPackedOrNot) {
  InferItem item;
  for (std::size_t k = 0; k < kMaxShapeDimensions; ++k) item.add_shape(300);
  EXPECT_EQ(UnaryReason(item.SerializeAsString()), "OK");
  const auto refused = CheckUnaryRequest("\x0a\x82\x01" + Repeat("\x20\x05", kMaxShapeDimensions + 1));
  ASSERT_TRUE(refused);
  EXPECT_EQ(refused->reason, "INPUT_LENGTH");
  item.add_shape(1);
  EXPECT_EQ(UnaryReason(item.SerializeAsString()), "INPUT_LENGTH");
}

TEST(RequestScan, RefusesAnItemWithVeryManyUnknownFields) {
  const std::string unknown("\xa2\x06\x00", 3);
  // The item itself is a field of the request.
  EXPECT_EQ(UnaryReason(Repeat(unknown, kMaxItemFields - 1)), "OK");
  EXPECT_EQ(UnaryReason(Repeat(unknown, kMaxItemFields)), "INVALID_FIELD");
}

TEST(RequestScan, RefusesVeryManyFieldsBesideTheItem) {
  const std::string unknown("\xa2\x06\x00", 3);
  EXPECT_EQ(CheckUnaryRequest(Repeat(unknown, kMaxItemFields + 1))->reason, "INVALID_FIELD");
  // The same inside a place: 257 fields of three bytes.
  EXPECT_EQ(CheckUnaryRequest("\x12\x83\x06" + Repeat(unknown, kMaxItemFields + 1))->reason, "INVALID_FIELD");
}

TEST(RequestScan, AMessageCutInsideAFieldIsMalformed) {
  InferStreamRequest request;
  request.add_items()->set_data("12345678");
  const std::string whole = request.SerializeAsString();
  for (std::size_t size = 1; size < whole.size(); ++size) {
    EXPECT_EQ(Reason(whole.substr(0, size)), "MALFORMED_MESSAGE") << size;
  }
}

TEST(RequestScan, LengthsBeyondTheMessageGroupsAndFieldZeroAreMalformed) {
  for (const char* bytes : {"\x0a\xff\xff\xff\xff\x0f", "\x0b", "\x02\x01", "\x0f", "\x80"}) {
    EXPECT_EQ(Reason(bytes), "MALFORMED_MESSAGE");
  }
}

}  // namespace
}  // namespace tandem
