"""A connection to a router."""

from __future__ import annotations

import time
from types import TracebackType
from typing import Any, Callable, Iterable, Iterator, TypeVar

import grpc

from tandem.connection import DEFAULT_ADDRESS, DEFAULT_TIMEOUT, OPTIONS, metadata_of
from tandem.errors import TandemError
from tandem.retry import Attempts, is_repeatable
from tandem.streams import StreamAnswer
from tandem.v1 import reasoning_pb2 as messages
from tandem.v1 import reasoning_pb2_grpc as services

T = TypeVar("T")


class Tandem:
    """Thread-safe. Calls raise TandemError. `timeout` is in seconds, over all attempts of a call."""

    def __init__(
        self,
        address: str = DEFAULT_ADDRESS,
        *,
        credentials: grpc.ChannelCredentials | None = None,
        token: str | None = None,
        timeout: float = DEFAULT_TIMEOUT,
    ) -> None:
        """Plaintext without `credentials`; `token` is for routers with callers in setting `auth`."""
        # For the stubs of other services: `ModelServiceStub(tandem.channel)`. Call their methods with `call`.
        self.channel = (
            grpc.insecure_channel(address, OPTIONS)
            if credentials is None
            else grpc.secure_channel(address, credentials, OPTIONS)
        )
        self._metadata = metadata_of(token)
        self._timeout = timeout
        self._reasoning = services.ReasoningServiceStub(self.channel)

    def ping(self, *, timeout: float | None = None) -> messages.PingResponse:
        return self._unary(self._reasoning.Ping, messages.PingRequest(), timeout, True)

    def reason(self, request: messages.ReasonRequest, *, timeout: float | None = None) -> messages.ReasonResponse:
        """One input to one conclusion."""
        return self._unary(self._reasoning.Reason, request, timeout, is_repeatable(request))

    def reason_batch(
        self, requests: Iterable[messages.ReasonRequest], *, timeout: float | None = None
    ) -> messages.ReasonBatchResponse:
        """Many inputs; each has its own result or error, in the order of the requests."""
        batch = messages.ReasonBatchRequest(requests=requests)
        return self._unary(self._reasoning.ReasonBatch, batch, timeout, all(map(is_repeatable, batch.requests)))

    def reason_stream(
        self, requests: Iterable[messages.ReasonRequest], *, timeout: float | None = None
    ) -> Iterator[StreamAnswer]:
        """Gives the answers as they come, in any order. A thread reads `requests`. Without `timeout` there is no deadline.

        Ending the loop early cancels the stream. An error in `requests` is raised here.
        """
        failures: list[Exception] = []

        def wrapped() -> Iterator[messages.ReasonStreamRequest]:
            try:
                for each in requests:
                    yield messages.ReasonStreamRequest(request=each)
            except Exception as error:
                failures.append(error)
                raise

        call = self._reasoning.ReasonStream(wrapped(), timeout=timeout, metadata=self._metadata)
        try:
            for message in call:
                yield StreamAnswer.of(message)
        except grpc.RpcError as error:
            if failures:
                raise failures[0]
            raise TandemError.of_call(error) from error
        finally:
            call.cancel()

    def call(self, method: Callable[..., T], request: Any, *, timeout: float | None = None) -> T:
        """A method of another service, with deadline, token and typed error. Retried only if nothing was done."""
        return self._unary(method, request, timeout, False)

    def close(self) -> None:
        self.channel.close()

    def __enter__(self) -> Tandem:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _unary(self, method: Callable[..., Any], request: Any, timeout: float | None, repeatable: bool) -> Any:
        attempts = Attempts(self._timeout if timeout is None else timeout, repeatable)
        while True:
            try:
                return method(request, timeout=attempts.remaining, metadata=self._metadata)
            except grpc.RpcError as cause:
                error = TandemError.of_call(cause)
                error.__cause__ = cause
                delay = attempts.delay_after(error)
            time.sleep(delay)
