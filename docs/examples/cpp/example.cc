// One Reason, one stream, one error. See README.md beside this folder.
#include <grpcpp/grpcpp.h>

#include <chrono>
#include <cstdio>
#include <fstream>
#include <map>
#include <string>
#include <vector>

#include "google/rpc/error_details.pb.h"
#include "google/rpc/status.pb.h"
#include "tandem/v1/reasoning.grpc.pb.h"

using namespace tandem::v1;

// 768 numbers, the same for all: little-endian binary32, as on every machine that runs this.
ReasonRequest Request(const std::string& name, float value) {
  ReasonRequest request;
  request.set_request_id(name);
  const std::vector<float> numbers(768, value);
  request.mutable_tensor()->add_shape(768);
  request.mutable_tensor()->set_dtype("FP32");
  request.mutable_tensor()->set_data(numbers.data(), numbers.size() * sizeof(float));
  return request;
}
