"""Both clients against a small server on a real port."""

import asyncio
import unittest
from concurrent import futures

import grpc
from google.protobuf import any_pb2, duration_pb2
from google.rpc import error_details_pb2, status_pb2
from tandem import AsyncTandem, ReasonRequest, Tandem, TandemError
from tandem.v1 import models_pb2, models_pb2_grpc, reasoning_pb2, reasoning_pb2_grpc


class Refusal(grpc.Status):
    def __init__(self, code, retry_after=None):
        self.code, self.details = code, "no"
        parts = [error_details_pb2.ErrorInfo(reason="INPUT_LENGTH", domain="tandem", metadata={"limit": "768"})]
        parts.append(error_details_pb2.BadRequest())
        parts[-1].field_violations.add(field="encoding", description="too short")
        if retry_after is not None:
            delay = duration_pb2.Duration(nanos=int(retry_after * 1e9))
            parts.append(error_details_pb2.RetryInfo(retry_delay=delay))
        status = status_pb2.Status(code=code.value[0])
        for part in parts:
            packed = any_pb2.Any()
            packed.Pack(part)
            status.details.append(packed)
        self.trailing_metadata = (("grpc-status-details-bin", status.SerializeToString()),)


class Reasoning(reasoning_pb2_grpc.ReasoningServiceServicer):
    """Answers each Reason with the next of `outcomes`."""

    def __init__(self):
        self.outcomes, self.calls, self.tokens = [], 0, []

    def Reason(self, request, context):
        self.calls += 1
        self.tokens.append(dict(context.invocation_metadata()).get("authorization"))
        outcome = self.outcomes.pop(0) if self.outcomes else None
        if isinstance(outcome, grpc.StatusCode):
            context.abort(outcome, "lost")
        if outcome is not None:
            context.abort_with_status(outcome)
        return reasoning_pb2.ReasonResponse(label="noun.animal", state_digest=2**64 - 1)

    def ReasonStream(self, requests, context):
        for each in requests:
            answer = reasoning_pb2.ReasonStreamResponse(request_id=each.request.request_id)
            if each.request.text:
                answer.result.label = each.request.text
            else:
                answer.error.MergeFrom(reasoning_pb2.ReasonError(code=3, reason="TEXT_EMPTY", field="text"))
            yield answer


class Models(models_pb2_grpc.ModelServiceServicer):
    def ListModels(self, request, context):
        return models_pb2.ListModelsResponse(processing_time_ms=1)


class ClientTest(unittest.TestCase):
    def setUp(self):
        self.service = Reasoning()
        self.server = grpc.server(futures.ThreadPoolExecutor(2))
        reasoning_pb2_grpc.add_ReasoningServiceServicer_to_server(self.service, self.server)
        models_pb2_grpc.add_ModelServiceServicer_to_server(Models(), self.server)
        self.address = f"127.0.0.1:{self.server.add_insecure_port('127.0.0.1:0')}"
        self.server.start()

    def tearDown(self):
        self.server.stop(None).wait()

    def reason(self, request):
        with Tandem(self.address, token="secret") as tandem:
            return tandem.reason(request)

    def refused(self, request):
        with self.assertRaises(TandemError) as caught:
            self.reason(request)
        return caught.exception

    def test_an_answer_and_its_digest_unsigned(self):
        answer = self.reason(ReasonRequest(text="dog"))
        self.assertEqual((answer.label, answer.state_digest), ("noun.animal", 2**64 - 1))
        self.assertEqual(self.service.tokens, ["Bearer secret"])

    def test_an_error_has_reason_metadata_and_field(self):
        self.service.outcomes = [Refusal(grpc.StatusCode.INVALID_ARGUMENT)]
        error = self.refused(ReasonRequest(encoding=[1]))
        self.assertEqual((error.code, error.reason), (grpc.StatusCode.INVALID_ARGUMENT, "INPUT_LENGTH"))
        self.assertEqual((error.metadata, error.fields[0].field), ({"limit": "768"}, "encoding"))
        self.assertEqual(self.service.calls, 1)

    def test_a_call_is_sent_again_when_the_router_says_when(self):
        self.service.outcomes = [Refusal(grpc.StatusCode.RESOURCE_EXHAUSTED, 0.001)]
        self.assertEqual(self.reason(ReasonRequest(text="dog")).label, "noun.animal")
        self.assertEqual(self.service.calls, 2)

    def test_a_full_router_without_a_delay_is_not_asked_again(self):
        self.service.outcomes = [Refusal(grpc.StatusCode.RESOURCE_EXHAUSTED)]
        self.assertIsNone(self.refused(ReasonRequest(text="dog")).retry_after)
        self.assertEqual(self.service.calls, 1)

    def test_a_message_of_a_session_is_not_sent_twice(self):
        self.service.outcomes = [grpc.StatusCode.UNAVAILABLE]
        self.refused(ReasonRequest(session=reasoning_pb2.Session(id="robot-7")))
        self.assertEqual(self.service.calls, 1)

    def test_a_stream_gives_each_request_its_answer_or_error(self):
        with Tandem(self.address) as tandem:
            requests = [ReasonRequest(request_id="a", text="dog"), ReasonRequest(request_id="b")]
            answers = {each.request_id: each for each in tandem.reason_stream(requests)}
        self.assertEqual(answers["a"].result.label, "dog")
        self.assertEqual(answers["b"].error.reason, "TEXT_EMPTY")

    def test_a_stream_ends_with_the_error_of_its_requests(self):
        with Tandem(self.address) as tandem, self.assertRaisesRegex(ValueError, "the file has ended"):
            list(tandem.reason_stream(broken()))

    def test_another_service_is_called_over_the_same_connection(self):
        with Tandem(self.address) as tandem:
            stub = models_pb2_grpc.ModelServiceStub(tandem.channel)
            self.assertEqual(tandem.call(stub.ListModels, models_pb2.ListModelsRequest()).processing_time_ms, 1)


class AsyncClientTest(ClientTest):
    """The same tests with AsyncTandem."""

    @classmethod
    def setUpClass(cls):
        cls.loop = asyncio.new_event_loop()

    @classmethod
    def tearDownClass(cls):
        cls.loop.close()

    def reason(self, request):
        async def call():
            async with AsyncTandem(self.address, token="secret") as tandem:
                return await tandem.reason(request)

        return self.loop.run_until_complete(call())

    async def read(self, requests):
        async with AsyncTandem(self.address) as tandem:
            return {each.request_id: each async for each in tandem.reason_stream(requests)}

    def test_a_stream_gives_each_request_its_answer_or_error(self):
        answers = self.loop.run_until_complete(self.read([ReasonRequest(request_id="a", text="dog"), ReasonRequest(request_id="b")]))
        self.assertEqual((answers["a"].result.label, answers["b"].error.reason), ("dog", "TEXT_EMPTY"))

    def test_a_stream_ends_with_the_error_of_its_requests(self):
        with self.assertRaisesRegex(ValueError, "the file has ended"):
            self.loop.run_until_complete(self.read(broken()))

    def test_another_service_is_called_over_the_same_connection(self):
        async def call():
            async with AsyncTandem(self.address) as tandem:
                stub = models_pb2_grpc.ModelServiceStub(tandem.channel)
                return await tandem.call(stub.ListModels, models_pb2.ListModelsRequest())

        self.assertEqual(self.loop.run_until_complete(call()).processing_time_ms, 1)


def broken():
    yield ReasonRequest(text="dog")
    raise ValueError("the file has ended")
