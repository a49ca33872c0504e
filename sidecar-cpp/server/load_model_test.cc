// Models are loaded and unloaded while the engine serves.
#include <gmock/gmock.h>

#include "server/service_test_support.h"
#include "testing/nir_writer.h"
#include "testing/temporary_folder.h"

namespace tandem {
namespace {

using ::testing::HasSubstr;
using testing::NirBytes;

const std::string& NetBytes() {
  static const std::string bytes = NirBytes(testing::LifNet(kInputs, 8, 3, 1));
  return bytes;
}
const std::string& OtherBytes() {
  static const std::string bytes = NirBytes(testing::LifNet(kInputs, 8, 5, 2));
  return bytes;
}

class LoadModelCall : public Service {
 protected:
  grpc::Status Load(const engine::v1::LoadModelRequest& request, engine::v1::ModelDescription* model = nullptr) {
    engine::v1::LoadModelResponse response;
    grpc::ClientContext context;
    const auto status = stub_->LoadModel(&context, request, &response);
    if (model != nullptr) *model = response.model();
    return status;
  }
  grpc::Status Unload(const std::string& name, std::uint32_t version) {
    engine::v1::UnloadModelRequest request;
    request.set_name(name);
    request.set_version(version);
    engine::v1::UnloadModelResponse response;
    grpc::ClientContext context;
    return stub_->UnloadModel(&context, request, &response);
  }
  static engine::v1::LoadModelRequest Request(const std::string& nir, std::uint32_t version = 1) {
    engine::v1::LoadModelRequest request;
    request.set_name("new");
    request.set_version(version);
    request.set_nir(nir);
    return request;
  }
  std::size_t Held() {
    engine::v1::DescribeResponse description;
    core_.Describe(description);
    return static_cast<std::size_t>(description.models_size());
  }
};

TEST_F(LoadModelCall, MakesAModelReadyThatIsSentAsBytes) {
  auto request = Request(NetBytes());
  request.set_manifest("steps: 5");
  engine::v1::ModelDescription model;
  ASSERT_TRUE(Load(request, &model).ok());
  EXPECT_EQ(model.name(), "new");
  EXPECT_EQ(model.output_size(), 3u);
  EXPECT_EQ(model.steps(), 5u);
  engine::v1::InferResponse response;
  ASSERT_TRUE(Infer(Item(1, "new"), &response).ok());
  EXPECT_EQ(response.inference().steps(), 5u);
}

TEST_F(LoadModelCall, IsHeldUnderAnotherNameOnRequest) {
  auto request = Request(NetBytes());
  request.set_held_as("new@1");
  ASSERT_TRUE(Load(request).ok());
  EXPECT_TRUE(Infer(Item(1, "new@1")).ok());
  EXPECT_EQ(Infer(Item(1, "new")).error_code(), grpc::StatusCode::NOT_FOUND);
}

TEST_F(LoadModelCall, WithAnInvalidFileChangesNothing) {
  ASSERT_TRUE(Load(Request(NetBytes())).ok());
  const std::size_t held = Held();
  for (const std::string& nir : {NetBytes().substr(0, 3000), std::string("not a model")}) {
    const auto status = Load(Request(nir));
    EXPECT_EQ(status.error_code(), grpc::StatusCode::INVALID_ARGUMENT) << status.error_message();
    EXPECT_EQ(InfoOf(status).reason(), "MODEL_INVALID");
  }
  EXPECT_EQ(Held(), held);
  EXPECT_TRUE(Infer(Item(1, "new")).ok());
}

TEST_F(LoadModelCall, WithAnUnknownSettingNamesIt) {
  auto request = Request(NetBytes());
  request.set_manifest("stepps: 4");
  EXPECT_THAT(Load(request).error_message(), HasSubstr("stepps"));
}

TEST_F(LoadModelCall, WithAnotherModelIdThanRequestedChangesNothing) {
  ASSERT_TRUE(Load(Request(NetBytes())).ok());
  auto request = Request(OtherBytes());
  request.set_model_id(1);
  const auto status = Load(request);
  EXPECT_EQ(status.error_code(), grpc::StatusCode::FAILED_PRECONDITION);
  EXPECT_EQ(InfoOf(status).reason(), "MODEL_DIFFERS");
  engine::v1::InferResponse response;
  ASSERT_TRUE(Infer(Item(1, "new"), &response).ok());
  EXPECT_EQ(response.inference().spike_counts_size(), 3);
}

TEST_F(LoadModelCall, ReplacesAVersionAndQueuedInputsFinishWithTheOldOne) {
  ASSERT_TRUE(Load(Request(NetBytes())).ok());
  Stream stream(core_, *stub_);
  stream.Send({Item(1, "new")});
  stream.AwaitInFlight(1);
  ASSERT_TRUE(Load(Request(OtherBytes())).ok());
  stream.Read(1);
  EXPECT_EQ(stream.results.at(1).inference().spike_counts_size(), 3);
  stream.Send({Item(2, "new")});
  stream.Read(1);
  EXPECT_EQ(stream.results.at(2).inference().spike_counts_size(), 5);
  stream.HalfClose();
  EXPECT_TRUE(stream.Finish().ok());
}

TEST_F(LoadModelCall, UnloadRemovesTheVersionAndQueuedInputsFinish) {
  ASSERT_TRUE(Load(Request(NetBytes())).ok());
  Stream stream(core_, *stub_);
  stream.Send({Item(1, "new")});
  stream.AwaitInFlight(1);
  ASSERT_TRUE(Unload("new", 1).ok());
  stream.Send({Item(2, "new")});
  stream.Read(2);
  EXPECT_TRUE(stream.results.at(1).has_inference());
  EXPECT_EQ(stream.Reason(2), "UNKNOWN_MODEL");
  stream.HalfClose();
  EXPECT_TRUE(stream.Finish().ok());
  EXPECT_EQ(Unload("new", 1).error_code(), grpc::StatusCode::NOT_FOUND);
}

TEST_F(LoadModelCall, RefusesInvalidFields) {
  auto nameless = Request(NetBytes());
  nameless.clear_name();
  auto lengthy = Request(NetBytes());
  lengthy.set_held_as(std::string(161, 'x'));
  for (const auto& request : {nameless, lengthy, Request(NetBytes(), 0)}) {
    const auto status = Load(request);
    EXPECT_EQ(status.error_code(), grpc::StatusCode::INVALID_ARGUMENT);
    EXPECT_EQ(InfoOf(status).reason(), "INVALID_FIELD");
  }
}

TEST_F(LoadModelCall, WithoutBytesReadsTheEnginesOwnRepository) {
  auto request = Request("");
  const auto status = Load(request);
  EXPECT_EQ(status.error_code(), grpc::StatusCode::NOT_FOUND);
  EXPECT_EQ(InfoOf(status).reason(), "UNKNOWN_MODEL");
}

TEST_F(LoadModelCall, IsRefusedWhileTheEngineDrains) {
  core_.StartDraining();
  EXPECT_EQ(InfoOf(Load(Request(NetBytes()))).reason(), "DRAINING");
}

TEST(EngineWithoutModels, IsServingAfterOneIsLoaded) {
  EngineCore core({.engine_id = "test", .batcher = {.threads = 0}}, Repository({}));
  const auto server = Server::Start({.listen = "127.0.0.1:0"}, core).value();
  EXPECT_FALSE(core.HasUsableModel());
  const auto stub = EngineService::NewStub(server->InProcessChannel());
  engine::v1::LoadModelRequest request;
  request.set_name("new");
  request.set_version(1);
  request.set_nir(NetBytes());
  engine::v1::LoadModelResponse response;
  grpc::ClientContext context;
  ASSERT_TRUE(stub->LoadModel(&context, request, &response).ok());
  EXPECT_TRUE(core.HasUsableModel());
  server->Drain(std::chrono::seconds(30));
}

}  // namespace
}  // namespace tandem
