"""One Reason, one stream, one error.

From the repository's folder, in a virtual environment, beside a running router:
pip install grpcio-tools grpcio-status; PYTHONPATH=proto python docs/examples/python/example.py
"""

import sys

import grpc
from google.rpc import error_details_pb2
from grpc_status import rpc_status

protos, services = grpc.protos_and_services("tandem/v1/reasoning.proto")
address = sys.argv[1] if len(sys.argv) > 1 else "127.0.0.1:50051"

with grpc.insecure_channel(address) as channel:
    client = services.ReasoningServiceStub(channel)

    answer = client.Reason(protos.ReasonRequest(text="a small furry animal"), timeout=5)
    print(f"reason: {answer.label}, digest {answer.state_digest:016x}")

    texts = ["a small furry animal", "a musical instrument with strings", "to run very fast"]
    requests = (protos.ReasonStreamRequest(request={"request_id": text, "text": text}) for text in texts)
    labels = {each.request_id: each.result.label for each in client.ReasonStream(requests, timeout=5)}
    for text in texts:
        print(f"stream: {text}: {labels[text]}")

    try:
        client.Reason(protos.ReasonRequest(encoding=[1, 2, 3]), timeout=5)
    except grpc.RpcError as error:
        info = error_details_pb2.ErrorInfo()
        next(each for each in rpc_status.from_call(error).details if each.Is(info.DESCRIPTOR)).Unpack(info)
        print(f"error: {info.reason}: {error.details()}")
