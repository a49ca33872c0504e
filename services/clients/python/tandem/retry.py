"""The one retry policy, equal in every language: docs/clients.md, "Retries"."""

from __future__ import annotations

import random
import time

import grpc

from tandem.errors import TandemError
from tandem.v1 import reasoning_pb2

_MAX_ATTEMPTS = 4
_FIRST_DELAY = 0.1


def retry_delay(error: TandemError, attempt: int, repeatable: bool) -> float | None:
    """Seconds to wait before the next attempt. None: do not retry."""
    if attempt >= _MAX_ATTEMPTS or error.code not in (grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.RESOURCE_EXHAUSTED):
        return None
    # With a delay the router has refused the call, so nothing was done.
    if error.retry_after is not None:
        return error.retry_after
    if error.code is grpc.StatusCode.RESOURCE_EXHAUSTED or not repeatable:
        return None
    return _FIRST_DELAY * 2 ** (attempt - 1) * random.uniform(0.5, 1.5)


class Attempts:
    """The attempts of one call, within one deadline."""

    def __init__(self, timeout: float, repeatable: bool) -> None:
        self._deadline = time.monotonic() + timeout
        self._repeatable = repeatable
        self._failed = 0

    @property
    def remaining(self) -> float:
        """Seconds until the deadline."""
        return self._deadline - time.monotonic()

    def delay_after(self, error: TandemError) -> float:
        """Seconds to wait before the next attempt. Raises `error` when there is none."""
        self._failed += 1
        delay = retry_delay(error, self._failed, self._repeatable)
        if delay is None or delay >= self.remaining:
            raise error
        return delay


def is_repeatable(request: reasoning_pb2.ReasonRequest) -> bool:
    """A message of a session changes the session, unless it sets expected_step."""
    return not request.HasField("session") or request.session.HasField("expected_step")
