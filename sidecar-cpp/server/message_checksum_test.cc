#include "server/message_checksum.h"

#include <xxhash.h>

#include <cstring>

#include "server/service_test_support.h"
#include "server/raw_call_test_support.h"

namespace tandem {
namespace {

InferStreamRequest Request() {
  InferStreamRequest request;
  *request.add_items() = Item(7);
  request.add_cancel_ids(3);
  return request;
}

TEST(MessageChecksum, IsTheLastFieldOfTheMessage) {
  const std::string plain = Request().SerializeAsString();
  const std::string bytes = BytesOf(WithChecksum(Request(), 5));
  ASSERT_EQ(bytes.size(), plain.size() + 9);
  EXPECT_EQ(bytes.substr(0, plain.size()), plain);
  EXPECT_EQ(bytes.at(plain.size()), 0x79);
  std::uint64_t checksum = 0;
  std::memcpy(&checksum, &bytes.at(plain.size() + 1), sizeof(checksum));
  EXPECT_EQ(checksum, XXH64(plain.data(), plain.size(), 5));
  InferStreamRequest parsed;
  ASSERT_TRUE(parsed.ParseFromString(bytes));
  EXPECT_EQ(parsed.checksum(), checksum);
  EXPECT_EQ(parsed.items(0).id(), 7u);
}

TEST(MessageChecksum, IsWrongIfAnyBitIsChanged) {
  const std::string bytes = BytesOf(WithChecksum(Request(), 0));
  for (std::size_t bit = 0; bit < bytes.size() * 8; ++bit) {
    EXPECT_FALSE(EndsWithChecksum(WithChangedBit(bytes, bit), 0)) << bit;
  }
}

TEST(MessageChecksum, IsWrongForAnotherIndexInTheStream) {
  const std::string message = BytesOf(WithChecksum(Request(), 4));
  EXPECT_TRUE(EndsWithChecksum(message, 4));
  EXPECT_FALSE(EndsWithChecksum(message, 5));
}

TEST(MessageChecksum, IsTheWholeEncodingOfAnEmptyMessage) {
  const std::string message = BytesOf(WithChecksum(InferStreamRequest(), 0));
  EXPECT_EQ(message.size(), 9u);
  EXPECT_TRUE(EndsWithChecksum(message, 0));
}

TEST(MessageChecksum, IsAbsentFromAMessageThatIsTooShort) {
  for (std::size_t size = 0; size < 9; ++size) {
    EXPECT_FALSE(EndsWithChecksum(std::string(size, '\x79'), 0)) << size;
  }
}

TEST_F(Service, DescribeEndsWithItsChecksum) {
  const std::string message =
      BytesOf(CallRaw(*server_->InProcessChannel(), "/tandem.engine.v1.EngineService/Describe"));
  EXPECT_TRUE(EndsWithChecksum(message, 0));
  engine::v1::DescribeResponse response;
  ASSERT_TRUE(response.ParseFromString(message));
  EXPECT_TRUE(response.checksums());
  EXPECT_EQ(response.models_size(), 6);
}

TEST_F(Service, EveryMessageOfAStreamEndsWithItsChecksum) {
  RawStream stream(server_->InProcessChannel());
  for (std::uint64_t index = 0; index < 3; ++index) {
    InferStreamRequest request;
    *request.add_items() = Item(index, "nowhere");
    stream.Send(WithChecksum(request, index));
    grpc::ByteBuffer message;
    ASSERT_TRUE(stream.Read(message));
    EXPECT_TRUE(EndsWithChecksum(BytesOf(message), index));
  }
  stream.HalfClose();
  EXPECT_TRUE(stream.Finish().ok());
}

}  // namespace
}  // namespace tandem
