#include "server/request_decoder.h"

#include "server/service_test_support.h"
#include "server/raw_call_test_support.h"

namespace tandem {
namespace {

InferStreamRequest Cancel(std::uint64_t id) {
  InferStreamRequest request;
  request.add_cancel_ids(id);
  return request;
}

grpc::ByteBuffer WithoutChecksum(std::uint64_t id) { return BufferOf(Cancel(id).SerializeAsString()); }

// "OK", or why the message was refused.
std::string Decode(RequestDecoder& decoder, grpc::ByteBuffer message) {
  InferStreamRequest request;
  const MaybeError error = decoder.Decode(message, request);
  return error ? error->reason : "OK";
}

TEST(RequestDecoder, ParsesAMessageWhoseChecksumIsRight) {
  RequestDecoder decoder(false);
  grpc::ByteBuffer message = WithChecksum(Cancel(5), 0);
  InferStreamRequest request;
  EXPECT_FALSE(decoder.Decode(message, request));
  EXPECT_EQ(request.cancel_ids(0), 5u);
}

TEST(RequestDecoder, TakesMessagesOfACallerThatSendsNoChecksums) {
  RequestDecoder decoder(false);
  EXPECT_EQ(Decode(decoder, WithoutChecksum(1)), "OK");
  EXPECT_EQ(Decode(decoder, WithoutChecksum(2)), "OK");
}

TEST(RequestDecoder, RefusesAWrongChecksumAlsoInTheFirstMessage) {
  RequestDecoder decoder(false);
  InferStreamRequest request = Cancel(1);
  request.set_checksum(12345);
  EXPECT_EQ(Decode(decoder, BufferOf(request.SerializeAsString())), "CHECKSUM");
}

TEST(RequestDecoder, RefusesAMessageWithoutChecksumAfterOneThatHadOne) {
  RequestDecoder decoder(false);
  EXPECT_EQ(Decode(decoder, WithChecksum(Cancel(1), 0)), "OK");
  EXPECT_EQ(Decode(decoder, WithoutChecksum(2)), "CHECKSUM");
}

TEST(RequestDecoder, RefusesAFirstMessageWithoutChecksumWhereTheCallerSaidThatItSendsThem) {
  RequestDecoder decoder(true);
  EXPECT_EQ(Decode(decoder, WithoutChecksum(1)), "CHECKSUM");
}

TEST(RequestDecoder, RefusesAMessageAfterOneThatWasLost) {
  RequestDecoder decoder(true);
  EXPECT_EQ(Decode(decoder, WithChecksum(Cancel(1), 0)), "OK");
  EXPECT_EQ(Decode(decoder, WithChecksum(Cancel(3), 2)), "CHECKSUM");
}

TEST(RequestDecoder, RefusesAMessageThatComesTwice) {
  RequestDecoder decoder(true);
  EXPECT_EQ(Decode(decoder, WithChecksum(Cancel(1), 0)), "OK");
  EXPECT_EQ(Decode(decoder, WithChecksum(Cancel(1), 0)), "CHECKSUM");
}

TEST(RequestDecoder, RefusesAMessageWithAnyOfItsBitsChangedWhereChecksumsWereAnnounced) {
  const std::string bytes = BytesOf(WithChecksum(Cancel(5), 0));
  for (std::size_t bit = 0; bit < bytes.size() * 8; ++bit) {
    RequestDecoder decoder(true);
    EXPECT_EQ(Decode(decoder, BufferOf(WithChangedBit(bytes, bit))), "CHECKSUM") << bit;
  }
}

TEST(RequestDecoder, RefusesWhatIsNoMessage) {
  RequestDecoder decoder(false);
  EXPECT_EQ(Decode(decoder, BufferOf("\x0a\xff")), "MALFORMED_MESSAGE");
}

}  // namespace
}  // namespace tandem
