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

std::string WithoutChecksum(std::uint64_t id) { return Cancel(id).SerializeAsString(); }

std::string Checked(std::uint64_t id, std::uint64_t index) { return BytesOf(WithChecksum(Cancel(id), index)); }

// "OK", or the reason of the refusal.
std::string Decode(RequestDecoder& decoder, const std::string& message) {
  const auto request = decoder.Decode(message);
  return request.ok() ? "OK" : request.error().reason;
}

TEST(RequestDecoder, ReadsAMessageWithTheRightChecksum) {
  RequestDecoder decoder(false);
  const auto request = decoder.Decode(Checked(5, 0));
  ASSERT_TRUE(request.ok());
  EXPECT_EQ(request.value().cancel_ids.at(0), 5u);
}

TEST(RequestDecoder, AcceptsMessagesWithoutChecksums) {
  RequestDecoder decoder(false);
  EXPECT_EQ(Decode(decoder, WithoutChecksum(1)), "OK");
  EXPECT_EQ(Decode(decoder, WithoutChecksum(2)), "OK");
}

TEST(RequestDecoder, RefusesAWrongChecksumAlsoInTheFirstMessage) {
  RequestDecoder decoder(false);
  InferStreamRequest request = Cancel(1);
  request.set_checksum(12345);
  EXPECT_EQ(Decode(decoder, request.SerializeAsString()), "CHECKSUM");
}

TEST(RequestDecoder, RefusesAMessageWithoutChecksumAfterOneThatHadOne) {
  RequestDecoder decoder(false);
  EXPECT_EQ(Decode(decoder, Checked(1, 0)), "OK");
  EXPECT_EQ(Decode(decoder, WithoutChecksum(2)), "CHECKSUM");
}

TEST(RequestDecoder, RefusesAFirstMessageWithoutAnAnnouncedChecksum) {
  RequestDecoder decoder(true);
  EXPECT_EQ(Decode(decoder, WithoutChecksum(1)), "CHECKSUM");
}

TEST(RequestDecoder, RefusesAMessageAfterOneThatWasLost) {
  RequestDecoder decoder(true);
  EXPECT_EQ(Decode(decoder, Checked(1, 0)), "OK");
  EXPECT_EQ(Decode(decoder, Checked(3, 2)), "CHECKSUM");
}

TEST(RequestDecoder, RefusesARepeatedMessage) {
  RequestDecoder decoder(true);
  EXPECT_EQ(Decode(decoder, Checked(1, 0)), "OK");
  EXPECT_EQ(Decode(decoder, Checked(1, 0)), "CHECKSUM");
}

TEST(RequestDecoder, RefusesAMessageWithAnyOfItsBitsChangedWhereChecksumsWereAnnounced) {
  const std::string bytes = Checked(5, 0);
  for (std::size_t bit = 0; bit < bytes.size() * 8; ++bit) {
    RequestDecoder decoder(true);
    EXPECT_EQ(Decode(decoder, WithChangedBit(bytes, bit)), "CHECKSUM") << bit;
  }
}

TEST(RequestDecoder, RefusesAnInvalidMessage) {
  RequestDecoder decoder(false);
  EXPECT_EQ(Decode(decoder, "\x0a\xff"), "MALFORMED_MESSAGE");
}

}  // namespace
}  // namespace tandem
