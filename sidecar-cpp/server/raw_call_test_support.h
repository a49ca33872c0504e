// Calls with messages as bytes.
#pragma once

#include <grpcpp/grpcpp.h>
#include <grpcpp/impl/client_unary_call.h>
#include <grpcpp/impl/rpc_method.h>
#include <grpcpp/support/sync_stream.h>

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

#include "server/message_checksum.h"

namespace tandem {

inline std::string BytesOf(grpc::ByteBuffer message) {
  std::string bytes;
  std::vector<grpc::Slice> slices;
  EXPECT_TRUE(message.Dump(&slices).ok());
  for (const grpc::Slice& slice : slices) bytes.append(reinterpret_cast<const char*>(slice.begin()), slice.size());
  return bytes;
}

// In pieces of at most `piece` bytes.
inline grpc::ByteBuffer BufferOf(const std::string& bytes, std::size_t piece = std::string::npos) {
  std::vector<grpc::Slice> slices;
  for (std::size_t at = 0; at < bytes.size();) {
    slices.emplace_back(bytes.substr(at, piece));
    at += slices.back().size();
  }
  return {slices.data(), slices.size()};
}

inline grpc::ByteBuffer WithChecksum(const google::protobuf::MessageLite& message, std::uint64_t seed) {
  const std::string bytes = message.SerializeAsString();
  return WithChecksum(std::span(&bytes, 1), seed);
}

inline std::string WithChangedBit(std::string bytes, std::size_t bit) {
  bytes.at(bit / 8) = static_cast<char>(bytes.at(bit / 8) ^ 1 << bit % 8);
  return bytes;
}

inline grpc::ByteBuffer CallRaw(grpc::ChannelInterface& channel, const char* method) {
  grpc::ClientContext context;
  grpc::ByteBuffer response;
  const grpc::internal::RpcMethod path(method, grpc::internal::RpcMethod::NORMAL_RPC);
  const grpc::Status status = grpc::internal::BlockingUnaryCall<grpc::ByteBuffer, grpc::ByteBuffer>(
      &channel, path, &context, BufferOf(""), &response);
  EXPECT_TRUE(status.ok()) << status.error_message();
  return response;
}

class RawStream {
 public:
  explicit RawStream(std::shared_ptr<grpc::Channel> channel, bool says_checksums = false)
      : channel_(std::move(channel)) {
    if (says_checksums) context.AddMetadata("tandem-checksums", "1");
    const grpc::internal::RpcMethod path("/tandem.engine.v1.EngineService/InferStream",
                                         grpc::internal::RpcMethod::BIDI_STREAMING);
    stream_.reset(grpc::internal::ClientReaderWriterFactory<grpc::ByteBuffer, grpc::ByteBuffer>::Create(
        channel_.get(), path, &context));
  }

  void Send(const grpc::ByteBuffer& message) { ASSERT_TRUE(stream_->Write(message)); }
  bool Read(grpc::ByteBuffer& message) { return stream_->Read(&message); }
  void AwaitInitialMetadata() { stream_->WaitForInitialMetadata(); }
  void HalfClose() { stream_->WritesDone(); }
  grpc::Status Finish() { return stream_->Finish(); }

  grpc::ClientContext context;

 private:
  std::shared_ptr<grpc::Channel> channel_;
  std::unique_ptr<grpc::ClientReaderWriter<grpc::ByteBuffer, grpc::ByteBuffer>> stream_;
};

}  // namespace tandem
