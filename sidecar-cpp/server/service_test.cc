#include "server/service.h"

#include <gmock/gmock.h>

#include <cstring>
#include <limits>

#include "engine/digest.h"
#include "server/service_test_support.h"

namespace tandem {
namespace {

using ::testing::HasSubstr;

TEST_F(Service, DescribeListsUsableAndBrokenModels) {
  engine::v1::DescribeResponse response;
  grpc::ClientContext context;
  ASSERT_TRUE(stub_->Describe(&context, {}, &response).ok());
  EXPECT_EQ(response.engine_id(), "test");
  EXPECT_EQ(response.numerics_version(), 1u);
  EXPECT_EQ(response.protocol_version(), 1u);
  EXPECT_EQ(response.oldest_protocol_version(), 1u);
  EXPECT_THAT(response.build(), HasSubstr("tandem-engine"));
  ASSERT_EQ(response.models_size(), 6);
  EXPECT_EQ(response.models(0).name(), "broken");
  EXPECT_THAT(response.models(0).error(), HasSubstr("must be > 0"));
  EXPECT_EQ(response.models(0).model_id(), 0u);
  EXPECT_EQ(response.models(1).name(), "deep");
  EXPECT_EQ(response.models(2).name(), "net");
  EXPECT_EQ(response.models(2).input_size(), kInputs);
  EXPECT_EQ(response.models(2).steps(), 16U);
  EXPECT_EQ(response.models(2).output_size(), 4u);
  EXPECT_EQ(response.models(2).model_id(), 42u);
}

TEST_F(Service, DescribeNamesTheProcessAndItsLargestMessage) {
  engine::v1::DescribeResponse first;
  engine::v1::DescribeResponse second;
  grpc::ClientContext context;
  grpc::ClientContext again;
  ASSERT_TRUE(stub_->Describe(&context, {}, &first).ok());
  ASSERT_TRUE(stub_->Describe(&again, {}, &second).ok());
  EXPECT_EQ(first.instance_id().size(), 16u);
  EXPECT_NE(first.instance_id(), std::string(16, '\0'));
  EXPECT_EQ(second.instance_id(), first.instance_id());
  EXPECT_EQ(first.max_message_bytes(), std::uint64_t{64} << 20);
}

TEST_F(Service, UnaryAnswersWithTheInference) {
  engine::v1::InferResponse response;
  ASSERT_TRUE(Infer(Item(0), &response).ok());
  EXPECT_EQ(response.inference().steps(), 16u);
  EXPECT_EQ(response.inference().spike_counts_size(), 4);
  EXPECT_EQ(response.inference().potentials().size(), 16u);
  EXPECT_EQ(response.inference().model_version(), 1u);
}

TEST_F(Service, OnlyDigestsAreReturnedOnRequest) {
  engine::v1::InferResponse whole;
  engine::v1::InferResponse bare;
  InferItem item = Item(0);
  ASSERT_TRUE(Infer(item, &whole).ok());
  item.set_digest_only(true);
  ASSERT_TRUE(Infer(item, &bare).ok());
  EXPECT_NE(whole.inference().readout_digest(), 0u);
  EXPECT_EQ(bare.inference().readout_digest(), whole.inference().readout_digest());
  EXPECT_EQ(bare.inference().state_digest(), whole.inference().state_digest());
  EXPECT_EQ(bare.inference().total_spikes(), whole.inference().total_spikes());
  EXPECT_EQ(bare.inference().spike_counts_size(), 0);
  EXPECT_TRUE(bare.inference().potentials().empty());
}

TEST_F(Service, ReturnsLayersAndEventsOnRequest) {
  engine::v1::InferResponse plain;
  engine::v1::InferResponse layers;
  engine::v1::InferResponse raster;
  InferItem item = Item(0);
  ASSERT_TRUE(Infer(item, &plain).ok());
  item.set_detail(engine::v1::DETAIL_LAYERS);
  ASSERT_TRUE(Infer(item, &layers).ok());
  item.set_detail(engine::v1::DETAIL_RASTER);
  ASSERT_TRUE(Infer(item, &raster).ok());
  EXPECT_EQ(plain.inference().layers_size(), 0);
  ASSERT_EQ(layers.inference().layers_size(), 2);
  const auto& first = layers.inference().layers(0);
  EXPECT_EQ(first.node(), "lif1");
  EXPECT_EQ(first.neurons(), 16u);
  EXPECT_EQ(first.spikes_per_step_size(), 16);
  EXPECT_EQ(first.event_steps_size(), 0);
  EXPECT_EQ(first.spikes() + layers.inference().layers(1).spikes(), plain.inference().total_spikes());
  EXPECT_GT(first.spikes(), 0u);
  EXPECT_EQ(raster.inference().layers(0).event_steps_size(), first.spikes());
  EXPECT_EQ(raster.inference().layers(0).event_neurons_size(), first.spikes());
  EXPECT_EQ(raster.inference().state_digest(), plain.inference().state_digest());
  EXPECT_EQ(raster.inference().readout_digest(), plain.inference().readout_digest());
}

TEST_F(Service, OnAStreamEachItemGetsItsRequestedDetail) {
  Stream stream(core_, *stub_);
  InferItem layers = Item(1);
  layers.set_detail(engine::v1::DETAIL_LAYERS);
  InferItem raster = Item(2);
  raster.set_detail(engine::v1::DETAIL_RASTER);
  InferItem digests = Item(3);
  digests.set_detail(engine::v1::DETAIL_RASTER);
  digests.set_digest_only(true);
  stream.Send({Item(0), layers, raster, digests, Item(4)});
  stream.Read(5);
  const auto of = [&](std::uint64_t id) -> const engine::v1::Inference& { return stream.results.at(id).inference(); };
  EXPECT_EQ(of(0).layers_size(), 0);
  EXPECT_EQ(of(1).layers_size(), 2);
  EXPECT_EQ(of(1).layers(0).event_steps_size(), 0);
  EXPECT_GT(of(2).layers(0).event_steps_size(), 0);
  EXPECT_EQ(of(3).layers_size(), 0);
  EXPECT_EQ(of(4).layers_size(), 0);
  for (std::uint64_t id = 1; id < 5; ++id) EXPECT_EQ(of(id).state_digest(), of(0).state_digest());
  stream.HalfClose();
  EXPECT_TRUE(stream.Finish().ok());
}

TEST_F(Service, ADetailThatIsUnknownOrTooMuchIsRefused) {
  InferItem unknown = Item(0);
  unknown.set_detail(static_cast<engine::v1::Detail>(-7));
  const grpc::Status status = Infer(unknown);
  EXPECT_EQ(status.error_code(), grpc::StatusCode::INVALID_ARGUMENT);
  EXPECT_EQ(InfoOf(status).reason(), "INVALID_FIELD");
  EXPECT_EQ(InfoOf(status).metadata().at("field"), "detail");

  // Two layers: 200,000 counts are returned; one more layer would exceed the limit.
  InferItem longest = Item(0, "series", {100'000, kInputs}, 0.0f);
  longest.set_detail(engine::v1::DETAIL_LAYERS);
  engine::v1::InferResponse response;
  ASSERT_TRUE(Infer(longest, &response).ok());
  EXPECT_EQ(response.inference().layers(1).spikes_per_step_size(), 100'000);

  InferItem deep = Item(0, "deep", {100'000, 1}, 0.0f);
  EXPECT_TRUE(Infer(deep).ok());
  deep.set_detail(engine::v1::DETAIL_LAYERS);
  const grpc::Status refused = Infer(deep);
  EXPECT_EQ(refused.error_code(), grpc::StatusCode::RESOURCE_EXHAUSTED);
  EXPECT_EQ(InfoOf(refused).reason(), "DETAIL_TOO_LARGE");
  EXPECT_THAT(refused.error_message(), HasSubstr("send a series of 83333 steps at most"));
}

TEST_F(Service, ASeriesContinuesFromTheStateOfAnAnswer) {
  engine::v1::InferResponse whole;
  ASSERT_TRUE(Infer(Item(0, "series", {6, kInputs}, 1.0f), &whole).ok());
  EXPECT_EQ(whole.inference().state(), "") << "it was not asked for";

  InferItem piece = Item(0, "series", {3, kInputs}, 1.0f);
  piece.set_return_state(true);
  piece.set_digest_only(true);
  engine::v1::InferResponse first;
  ASSERT_TRUE(Infer(piece, &first).ok());
  piece.set_digest_only(false);
  piece.set_detail(engine::v1::DETAIL_LAYERS);
  piece.set_state(first.inference().state());
  engine::v1::InferResponse second;
  ASSERT_TRUE(Infer(piece, &second).ok());
  EXPECT_EQ(second.inference().steps(), 6u);
  EXPECT_EQ(second.inference().state_digest(), whole.inference().state_digest());
  EXPECT_EQ(second.inference().readout_digest(), whole.inference().readout_digest());
  EXPECT_EQ(second.inference().layers(0).spikes_per_step_size(), 3);
}

TEST_F(Service, AStateThatDoesNotFitIsRefused) {
  InferItem piece = Item(0, "series", {3, kInputs}, 1.0f);
  piece.set_return_state(true);
  engine::v1::InferResponse answer;
  ASSERT_TRUE(Infer(piece, &answer).ok());
  std::string state = answer.inference().state();
  state.back() ^= 1;
  piece.set_state(state);
  const grpc::Status status = Infer(piece);
  EXPECT_EQ(status.error_code(), grpc::StatusCode::INVALID_ARGUMENT);
  EXPECT_EQ(InfoOf(status).reason(), "STATE_INVALID");
  EXPECT_EQ(InfoOf(status).metadata().at("field"), "state");
}

TEST_F(Service, TheReadoutDigestMatchesTheAnswer) {
  engine::v1::InferResponse response;
  ASSERT_TRUE(Infer(Item(0), &response).ok());
  const engine::v1::Inference& answer = response.inference();
  Digest digest;
  digest.Add(answer.steps());
  for (const std::uint32_t count : answer.spike_counts()) digest.Add(count);
  digest.AddText(answer.potentials());
  digest.Add(answer.total_spikes());
  digest.Add(answer.synaptic_operations());
  EXPECT_EQ(answer.readout_digest(), digest.Value());
}

TEST_F(Service, UnaryErrorsCarryReasonAndField) {
  const grpc::Status status = Infer(Item(0, "net", {7}));
  EXPECT_EQ(status.error_code(), grpc::StatusCode::INVALID_ARGUMENT);
  const auto info = InfoOf(status);
  EXPECT_EQ(info.reason(), "INPUT_LENGTH");
  EXPECT_EQ(info.domain(), "tandem");
  google::rpc::Status details;
  google::rpc::BadRequest bad;
  ASSERT_TRUE(details.ParseFromString(status.error_details()));
  ASSERT_EQ(details.details_size(), 2);
  ASSERT_TRUE(details.details(1).UnpackTo(&bad));
  EXPECT_EQ(bad.field_violations(0).field(), "item.shape");
}

TEST_F(Service, WhatIsWrongWithAnInputIsNamed) {
  const auto reason = [&](const InferItem& item) { return InfoOf(Infer(item)).reason(); };
  EXPECT_EQ(reason(Item(0, "nowhere")), "UNKNOWN_MODEL");
  EXPECT_EQ(reason(Item(0, "")), "UNKNOWN_MODEL");
  EXPECT_EQ(reason(Item(0, "broken")), "MODEL_INVALID");
  EXPECT_EQ(reason(Item(0, "net", {3, kInputs})), "INPUT_KIND");
  EXPECT_EQ(reason(Item(0, "series", {kInputs})), "INPUT_KIND");
  EXPECT_EQ(reason(Item(0, "series", {0, kInputs})), "INPUT_STEPS");
  EXPECT_EQ(reason(Item(0, "series", {100001, kInputs})), "INPUT_STEPS");
  EXPECT_EQ(reason(Item(0, "net", {})), "INPUT_LENGTH");
  EXPECT_EQ(reason(Item(0, "shaped", {4, 2})), "INPUT_LENGTH");
  InferItem torn = Item(0);
  torn.mutable_data()->pop_back();
  EXPECT_EQ(reason(torn), "INPUT_LENGTH");
}

TEST_F(Service, AShapeThatDoesNotFitIsShownUpToEightDimensions) {
  const auto message = [&](std::vector<std::uint32_t> shape) {
    return Infer(Item(0, "net", std::move(shape))).error_message();
  };
  EXPECT_THAT(message({7, 8, 9}), HasSubstr("shape [7, 8, 9] does not fit"));
  EXPECT_THAT(message({1, 2, 3, 4, 5, 6, 7, 8}), HasSubstr("shape [1, 2, 3, 4, 5, 6, 7, 8] does not fit"));
  EXPECT_THAT(message({1, 2, 3, 4, 5, 6, 7, 8, 9}), HasSubstr("shape [1, 2, 3, 4, 5, 6, 7, 8, ...] does not fit"));
}

TEST_F(Service, AnInputThatIsNotFiniteNamesItsIndex) {
  for (const float bad : {std::numeric_limits<float>::quiet_NaN(), std::numeric_limits<float>::infinity()}) {
    InferItem item = Item(0);
    std::memcpy(item.mutable_data()->data() + 5 * sizeof(float), &bad, sizeof(float));
    const auto info = InfoOf(Infer(item));
    EXPECT_EQ(info.reason(), "INPUT_NOT_FINITE");
    EXPECT_EQ(info.metadata().at("index"), "5");
  }
}

TEST_F(Service, TheManifestsShapeAndTheFlatOneAreBothTaken) {
  EXPECT_TRUE(Infer(Item(0, "shaped", {2, 4})).ok());
  EXPECT_TRUE(Infer(Item(0, "shaped", {8})).ok());
  EXPECT_TRUE(Infer(Item(0, "series", {3, kInputs})).ok());
}

TEST_F(Service, OverflowInsideTheRunIsOutOfRange) {
  const grpc::Status status = Infer(Item(0, "net", {kInputs}, std::numeric_limits<float>::max()));
  EXPECT_EQ(status.error_code(), grpc::StatusCode::OUT_OF_RANGE);
  EXPECT_EQ(InfoOf(status).reason(), "NON_FINITE");
}

TEST_F(Service, ACallWhoseDeadlinePassedLeavesTheQueue) {
  engine::v1::InferRequest request;
  *request.mutable_item() = Item(0);
  engine::v1::InferResponse response;
  grpc::ClientContext context;
  context.set_deadline(std::chrono::system_clock::now() + std::chrono::milliseconds(30));
  EXPECT_EQ(stub_->Infer(&context, request, &response).error_code(), grpc::StatusCode::DEADLINE_EXCEEDED);
  while (core_.in_flight() != 0) std::this_thread::yield();
}

}  // namespace
}  // namespace tandem
