"""The same for asyncio."""

from __future__ import annotations

import asyncio
from types import TracebackType
from typing import Any, AsyncIterable, AsyncIterator, Awaitable, Callable, Iterable, TypeVar

import grpc

from tandem.connection import DEFAULT_ADDRESS, DEFAULT_TIMEOUT, OPTIONS, metadata_of
from tandem.errors import TandemError
from tandem.retry import Attempts, is_repeatable
from tandem.streams import StreamAnswer
from tandem.v1 import reasoning_pb2 as messages
from tandem.v1 import reasoning_pb2_grpc as services

T = TypeVar("T")
Requests = Iterable[messages.ReasonRequest] | AsyncIterable[messages.ReasonRequest]


class AsyncTandem:
    """Tandem with coroutines. Create it in the event loop that uses it."""

    def __init__(
        self,
        address: str = DEFAULT_ADDRESS,
        *,
        credentials: grpc.ChannelCredentials | None = None,
        token: str | None = None,
        timeout: float = DEFAULT_TIMEOUT,
    ) -> None:
        # For the stubs of other services. Call their methods with `call`.
        self.channel = (
            grpc.aio.insecure_channel(address, OPTIONS)
            if credentials is None
            else grpc.aio.secure_channel(address, credentials, OPTIONS)
        )
        self._metadata = metadata_of(token)
        self._timeout = timeout
        self._reasoning = services.ReasoningServiceStub(self.channel)

    async def ping(self, *, timeout: float | None = None) -> messages.PingResponse:
        return await self._unary(self._reasoning.Ping, messages.PingRequest(), timeout, True)

    async def reason(self, request: messages.ReasonRequest, *, timeout: float | None = None) -> messages.ReasonResponse:
        """One input to one conclusion."""
        return await self._unary(self._reasoning.Reason, request, timeout, is_repeatable(request))

    async def reason_batch(
        self, requests: Iterable[messages.ReasonRequest], *, timeout: float | None = None
    ) -> messages.ReasonBatchResponse:
        """Many inputs; each has its own result or error, in the order of the requests."""
        batch = messages.ReasonBatchRequest(requests=requests)
        return await self._unary(self._reasoning.ReasonBatch, batch, timeout, all(map(is_repeatable, batch.requests)))

    async def reason_stream(self, requests: Requests, *, timeout: float | None = None) -> AsyncIterator[StreamAnswer]:
        """Gives the answers as they come, in any order. Reads `requests` no faster than the router takes them.

        Ending the loop early cancels the stream. An error in `requests` is raised here.
        """
        call = self._reasoning.ReasonStream(timeout=timeout, metadata=self._metadata)
        sending = asyncio.ensure_future(_send(call, requests))
        try:
            async for message in call:
                yield StreamAnswer.of(message)
        except (grpc.aio.AioRpcError, asyncio.CancelledError) as error:
            if sending.done() and not sending.cancelled() and sending.exception() is not None:
                raise sending.exception() from None  # type: ignore[misc]
            if isinstance(error, asyncio.CancelledError):
                raise
            raise TandemError.of_call(error) from error
        finally:
            sending.cancel()
            call.cancel()

    async def call(self, method: Callable[..., Awaitable[T]], request: Any, *, timeout: float | None = None) -> T:
        """A method of another service, with deadline, token and typed error. Retried only if nothing was done."""
        return await self._unary(method, request, timeout, False)

    async def close(self) -> None:
        await self.channel.close()

    async def __aenter__(self) -> AsyncTandem:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    async def _unary(self, method: Callable[..., Any], request: Any, timeout: float | None, repeatable: bool) -> Any:
        attempts = Attempts(self._timeout if timeout is None else timeout, repeatable)
        while True:
            try:
                return await method(request, timeout=attempts.remaining, metadata=self._metadata)
            except grpc.aio.AioRpcError as cause:
                error = TandemError.of_call(cause)
                error.__cause__ = cause
                delay = attempts.delay_after(error)
            await asyncio.sleep(delay)


async def _send(call: Any, requests: Requests) -> None:
    try:
        if isinstance(requests, AsyncIterable):
            async for each in requests:
                await call.write(messages.ReasonStreamRequest(request=each))
        else:
            for each in requests:
                await call.write(messages.ReasonStreamRequest(request=each))
        await call.done_writing()
    except (asyncio.InvalidStateError, grpc.aio.AioRpcError):
        pass  # the stream has ended, and its reader learns why
    except Exception:
        call.cancel()
        raise
