"""One answer of a stream."""

from __future__ import annotations

from dataclasses import dataclass

from tandem.errors import TandemError
from tandem.v1 import reasoning_pb2


@dataclass(frozen=True)
class StreamAnswer:
    """Exactly one of `result` and `error` is set."""

    request_id: str
    result: reasoning_pb2.ReasonResponse | None
    error: TandemError | None

    @classmethod
    def of(cls, message: reasoning_pb2.ReasonStreamResponse) -> StreamAnswer:
        if message.WhichOneof("outcome") == "error":
            return cls(message.request_id, None, TandemError.of_item(message.error))
        return cls(message.request_id, message.result, None)
