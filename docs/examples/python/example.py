"""One Reason, one stream, one error. See README.md beside this folder."""

import base64
import json
import sys

import grpc
from google.rpc import error_details_pb2
from grpc_status import rpc_status

protos, services = grpc.protos_and_services("tandem/v1/reasoning.proto")


def sample(name: str) -> bytes:
    """768 numbers of the shipped samples, little-endian binary32."""
    with open("deploy/models/supersense/samples.json") as file:
        samples = json.load(file)["samples"]
    return next(base64.b64decode(each["encoding_f32_base64"]) for each in samples if each["name"] == name)


def request(name: str) -> "protos.ReasonRequest":
    return protos.ReasonRequest(request_id=name, tensor=protos.Tensor(shape=[768], dtype="FP32", data=sample(name)))


address = sys.argv[1] if len(sys.argv) > 1 else "127.0.0.1:50051"
with grpc.insecure_channel(address) as channel:
    client = services.ReasoningServiceStub(channel)

    answer = client.Reason(request("dog"), timeout=2)
    print(f"reason: {answer.label} {answer.state_digest:016x}")

    names = ["dog", "bread", "piano"]
    inputs = (protos.ReasonStreamRequest(request=request(name)) for name in names)
    answers = {each.request_id: each.result.label for each in client.ReasonStream(inputs, timeout=5)}
    print("stream:", " ".join(f"{name}={answers[name]}" for name in names))

    try:
        client.Reason(protos.ReasonRequest(encoding=[1, 2, 3]), timeout=2)
    except grpc.RpcError as error:
        info = error_details_pb2.ErrorInfo()
        details = rpc_status.from_call(error).details
        next(each for each in details if each.Is(info.DESCRIPTOR)).Unpack(info)
        print(f"error: {info.reason}: {error.details()}")
