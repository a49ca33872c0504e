// Recordings, requested as a router does.
#include <gmock/gmock.h>

#include "server/get_recording.h"
#include "server/service_test_support.h"

namespace tandem {
namespace {

using ::testing::HasSubstr;

class Recordings : public Service {
 protected:
  std::uint64_t RunOne(InferItem item) {
    engine::v1::InferResponse response;
    EXPECT_TRUE(Infer(item, &response).ok());
    return response.inference().recording_id();
  }
  grpc::Status Get(std::uint64_t id, engine::v1::GetRecordingResponse& response) {
    engine::v1::GetRecordingRequest request;
    request.set_recording_id(id);
    grpc::ClientContext context;
    return stub_->GetRecording(&context, request, &response);
  }
};

TEST_F(Recordings, ExistForEveryAnswer) {
  const std::uint64_t id = RunOne(Item(0));
  ASSERT_NE(id, 0u);
  engine::v1::GetRecordingResponse recording;
  ASSERT_TRUE(Get(id, recording).ok());
  EXPECT_EQ(recording.model(), "net");
  EXPECT_EQ(recording.model_version(), 1u);
  EXPECT_EQ(recording.steps(), 16u);
  EXPECT_EQ(recording.ended(), "");
  ASSERT_EQ(recording.nodes_size(), 2);
  EXPECT_EQ(recording.nodes(0).elements(), 16u);
  EXPECT_EQ(recording.nodes(0).spikes().size(), 16u * 2u);
  EXPECT_EQ(recording.nodes(0).state_checksums_size(), 16);
  EXPECT_EQ(recording.nodes(1).elements(), 4u);
  EXPECT_EQ(recording.nodes(1).spikes().size(), 16u);
}

TEST_F(Recordings, OfOneInputAreEqualForEveryDetail) {
  InferItem digest_only = Item(0);
  digest_only.set_digest_only(true);
  InferItem layers = Item(0);
  layers.set_detail(engine::v1::DETAIL_LAYERS);
  std::vector<std::string> texts;
  for (const InferItem& item : {Item(0), digest_only, layers}) {
    engine::v1::GetRecordingResponse recording;
    ASSERT_TRUE(Get(RunOne(item), recording).ok());
    texts.push_back(recording.SerializeAsString());
  }
  EXPECT_EQ(texts[1], texts[0]);
  EXPECT_EQ(texts[2], texts[0]);
}

TEST_F(Recordings, OfAFailedRunEndBeforeTheFailedStep) {
  Stream stream(core_, *stub_);
  InferItem item = Item(7, "series", {3, kInputs}, 0.5f);
  std::vector<float> values(std::size_t{3} * kInputs, 0.5f);
  std::fill(values.begin() + kInputs, values.begin() + 2 * kInputs, 3e38f);
  item.set_data(values.data(), values.size() * sizeof(float));
  stream.Send({item});
  stream.Read(1);
  const auto& error = stream.results.at(7).error();
  ASSERT_EQ(error.reason(), "NON_FINITE");
  ASSERT_NE(error.recording_id(), 0u);
  engine::v1::GetRecordingResponse recording;
  ASSERT_TRUE(Get(error.recording_id(), recording).ok());
  EXPECT_EQ(std::to_string(recording.steps()), error.metadata().at("step"));
  EXPECT_EQ(recording.ended(), "NON_FINITE");
  EXPECT_EQ(static_cast<std::uint32_t>(recording.nodes(0).state_checksums_size()), recording.steps());
  stream.HalfClose();
  EXPECT_TRUE(stream.Finish().ok());
}

TEST_F(Recordings, ThatAreNotStoredGiveAnErrorWithAdvice) {
  engine::v1::GetRecordingResponse recording;
  const grpc::Status status = Get(12345, recording);
  EXPECT_EQ(status.error_code(), grpc::StatusCode::NOT_FOUND);
  EXPECT_EQ(InfoOf(status).reason(), "UNKNOWN_RECORDING");
  EXPECT_THAT(status.error_message(), HasSubstr("12345"));
  EXPECT_THAT(status.error_message(), HasSubstr("--recorder-bytes"));
}

TEST(RecorderThatIsOff, SaysSo) {
  EngineCore core({.engine_id = "test", .batcher = {.threads = 0}, .recorder_bytes = 0}, Models());
  const auto server = Server::Start({.listen = "127.0.0.1:0"}, core).value();
  grpc::ClientContext context;
  engine::v1::GetRecordingResponse recording;
  const grpc::Status status =
      EngineService::NewStub(server->InProcessChannel())->GetRecording(&context, {}, &recording);
  EXPECT_EQ(status.error_code(), grpc::StatusCode::NOT_FOUND);
  EXPECT_THAT(status.error_message(), HasSubstr("records nothing"));
  server->Drain(std::chrono::seconds(5));
}

}  // namespace
}  // namespace tandem
