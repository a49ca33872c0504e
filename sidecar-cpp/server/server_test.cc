// Tests that need a real socket: addresses, message limits, health, reflection.
#include "server/server.h"

#include <gmock/gmock.h>
#include <grpcpp/generic/generic_stub.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "server/check_health.h"
#include "testing/graphs.h"
#include "testing/temporary_folder.h"

namespace tandem {
namespace {

using ::testing::HasSubstr;
using ::testing::StartsWith;

Repository OneModel() {
  Model model;
  model.name = "net";
  model.version = 1;
  model.network = testing::Compile(testing::LifNet(2, 3, 2, 1), {});
  return Repository({std::make_shared<const Model>(std::move(model))});
}

Repository OneBrokenModel() {
  Model model;
  model.name = "net";
  model.version = 1;
  model.error = "it is damaged";
  return Repository({std::make_shared<const Model>(std::move(model))});
}

struct Running {
  explicit Running(const std::string& listen, int max_message_bytes = 8 << 20, Repository models = OneModel())
      : core({"test", {.threads = 1}}, std::move(models)),
        server(Server::Start({listen, max_message_bytes, true}, core)) {}
  ~Running() {
    if (server.ok()) server.value()->Drain(std::chrono::seconds(5));
  }
  [[nodiscard]] std::shared_ptr<grpc::Channel> Channel() const {
    return grpc::CreateChannel(server.value()->address(), grpc::InsecureChannelCredentials());
  }
  EngineCore core;
  Expected<std::unique_ptr<Server>> server;
};

TEST(Server, PortZeroIsReplacedByTheBoundPort) {
  const Running running("127.0.0.1:0");
  ASSERT_TRUE(running.server.ok());
  EXPECT_THAT(running.server.value()->address(), StartsWith("127.0.0.1:"));
  EXPECT_NE(running.server.value()->address(), "127.0.0.1:0");
}

TEST(Server, AnAddressInUseIsRefusedWithAdvice) {
  const Running first("127.0.0.1:0");
  const Running second(first.server.value()->address());
  ASSERT_FALSE(second.server.ok());
  EXPECT_THAT(second.server.error().message, HasSubstr("--listen"));
}

TEST(Server, AnInvalidAddressIsRefused) {
  for (const char* address : {"", "localhost", ":", "host:99999", "host:x", "unix:"}) {
    EXPECT_TRUE(!Running(address).server.ok()) << address;
  }
}

TEST(Server, AUnixSocketServesAndIsNotTakenFromItsOwner) {
  const testing::TemporaryFolder folder;
  const std::string address = "unix:" + (folder.path() / "engine.sock").string();
  {
    const Running first(address);
    ASSERT_TRUE(first.server.ok());
    auto stub = engine::v1::EngineService::NewStub(first.Channel());
    grpc::ClientContext context;
    engine::v1::DescribeResponse response;
    EXPECT_TRUE(stub->Describe(&context, {}, &response).ok());
    const Running second(address);
    ASSERT_FALSE(second.server.ok());
    EXPECT_THAT(second.server.error().message, HasSubstr("another process answers"));
  }
}

TEST(Server, AFileAtThePathOfAUnixSocketIsNamed) {
  const testing::TemporaryFolder folder;
  const std::filesystem::path path = folder.path() / "engine.sock";
  const auto refusal = [&] { return Running("unix:" + path.string()).server.error().message; };
  std::filesystem::create_directory(path);
  EXPECT_THAT(refusal(), HasSubstr("there is a folder at this path; remove it, or choose another"));
  std::filesystem::remove(path);
  std::filesystem::create_symlink(folder.path() / "nowhere", path);
  EXPECT_THAT(refusal(), HasSubstr("a symbolic link"));
  std::filesystem::remove(path);
  std::ofstream(path) << "kept";
  EXPECT_THAT(refusal(), HasSubstr("a file"));
  EXPECT_TRUE(std::filesystem::is_regular_file(path));
}

TEST(Server, AMessageAboveTheLimitIsResourceExhausted) {
  const Running running("127.0.0.1:0", 4096);
  auto stub = engine::v1::EngineService::NewStub(running.Channel());
  grpc::ClientContext context;
  engine::v1::InferRequest request;
  request.mutable_item()->set_data(std::string(5000, '\0'));
  engine::v1::InferResponse response;
  EXPECT_EQ(stub->Infer(&context, request, &response).error_code(), grpc::StatusCode::RESOURCE_EXHAUSTED);
}

TEST(Server, ACompressedMessageIsRefused) {
  const Running running("127.0.0.1:0");
  auto stub = engine::v1::EngineService::NewStub(running.Channel());
  grpc::ClientContext context;
  context.set_compression_algorithm(GRPC_COMPRESS_GZIP);
  engine::v1::InferRequest request;
  request.mutable_item()->set_data(std::string(1 << 20, '\0'));
  engine::v1::InferResponse response;
  EXPECT_EQ(stub->Infer(&context, request, &response).error_code(), grpc::StatusCode::UNIMPLEMENTED);
}

constexpr std::chrono::seconds kHealthTimeout{2};

TEST(Server, HealthSaysServing) {
  const Running running("127.0.0.1:0");
  EXPECT_FALSE(CheckHealth(running.server.value()->address(), kHealthTimeout));
}

TEST(Server, HealthSaysNotServingWithoutAUsableModel) {
  const Running running("127.0.0.1:0", 8 << 20, OneBrokenModel());
  const auto error = CheckHealth(running.server.value()->address(), kHealthTimeout);
  ASSERT_TRUE(error);
  EXPECT_THAT(error->message, HasSubstr("holds no usable model"));
}

TEST(Server, HealthWithoutAServerIsAnErrorWithTheAddress) {
  const auto error = CheckHealth("unix:/no/such.sock", kHealthTimeout);
  ASSERT_TRUE(error);
  EXPECT_THAT(error->message, HasSubstr("unix:/no/such.sock"));
}

TEST(Server, AHealthWatchDoesNotDelayADrain) {
  Running running("127.0.0.1:0");
  grpc::GenericStub stub(running.Channel());
  grpc::ClientContext context;
  grpc::CompletionQueue queue;
  auto watch = stub.PrepareCall(&context, "/grpc.health.v1.Health/Watch", &queue);
  void* tag = nullptr;
  bool ok = false;
  watch->StartCall(nullptr);
  queue.Next(&tag, &ok);
  const grpc::Slice nothing("");
  watch->WriteLast(grpc::ByteBuffer(&nothing, 1), {}, nullptr);
  queue.Next(&tag, &ok);
  grpc::ByteBuffer first;
  watch->Read(&first, nullptr);
  queue.Next(&tag, &ok);
  ASSERT_TRUE(ok);
  const auto start = std::chrono::steady_clock::now();
  EXPECT_TRUE(running.server.value()->Drain(std::chrono::seconds(60)));
  EXPECT_LT(std::chrono::steady_clock::now() - start, std::chrono::seconds(30));
  running.server = Error{};
  context.TryCancel();
  grpc::Status status;
  watch->Finish(&status, nullptr);
  queue.Next(&tag, &ok);
  queue.Shutdown();
  while (queue.Next(&tag, &ok)) {
  }
}

}  // namespace
}  // namespace tandem
