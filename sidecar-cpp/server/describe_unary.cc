#include "server/describe_unary.h"

#include <string>

#include "server/errors.h"
#include "server/instance_id.h"
#include "server/message_checksum.h"
#include "server/unary_call.h"

namespace tandem {
namespace {

class DescribeCall final : public UnaryCall {
 public:
  using UnaryCall::UnaryCall;

  void Start(grpc::ByteBuffer& request, std::uint64_t max_message_bytes) {
    request.Clear();  // the request has no content
    FinishOnBadAlloc([&] {
      engine::v1::DescribeResponse description;
      core().Describe(description);
      description.set_instance_id(InstanceId());
      description.set_max_message_bytes(max_message_bytes);
      description.set_checksums(true);
      description.set_session_states(true);
      const std::string bytes = description.SerializeAsString();
      if (!account().Take(bytes.size())) return Finish(ToGrpcStatus(EngineCore::MemoryError(account().budget())));
      Answer(WithChecksum({&bytes, 1}, 0));
    });
  }

 private:
  void Release() override { delete this; }
};

}  // namespace

grpc::ServerUnaryReactor* StartDescribe(const IncomingCall& incoming, std::uint64_t max_message_bytes) {
  auto* const call = new DescribeCall(incoming);  // deletes itself
  call->Start(incoming.request, max_message_bytes);
  return call;
}

}  // namespace tandem
