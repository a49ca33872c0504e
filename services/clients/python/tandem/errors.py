"""Every failed call as one typed error."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Mapping

import grpc
from google.protobuf.message import DecodeError
from google.rpc import error_details_pb2, status_pb2

from tandem.v1 import reasoning_pb2

_CODES = {code.value[0]: code for code in grpc.StatusCode}


@dataclass(frozen=True)
class FieldViolation:
    """A field that is wrong. Example of `field`: "encoding[17]"."""

    field: str
    description: str


class TandemError(Exception):
    """A call that failed, or one input of a batch or a stream."""

    def __init__(self, message: str, code: grpc.StatusCode) -> None:
        super().__init__(message)
        self.message = message
        # The gRPC status.
        self.code = code
        # `reason` of google.rpc.ErrorInfo. Example: "INPUT_LENGTH". Empty: the router did not answer.
        self.reason = ""
        # `metadata` of google.rpc.ErrorInfo.
        self.metadata: Mapping[str, str] = {}
        self.fields: tuple[FieldViolation, ...] = ()
        # Seconds. None: the router does not say when to try again.
        self.retry_after: float | None = None

    def __str__(self) -> str:
        reason = f" ({self.reason})" if self.reason else ""
        return f"{self.code.name}{reason}: {self.message}"

    @classmethod
    def of_call(cls, error: Any) -> TandemError:
        """The error of a grpc.RpcError: grpc.Call, or grpc.aio.AioRpcError."""
        result = cls(error.details() or "", error.code())
        for key, value in error.trailing_metadata() or ():
            if key == "grpc-status-details-bin":
                result._read(value)
        return result

    @classmethod
    def of_item(cls, error: reasoning_pb2.ReasonError) -> TandemError:
        """The error of one input of a batch or a stream."""
        result = cls(error.message, _CODES.get(error.code, grpc.StatusCode.UNKNOWN))
        result.reason = error.reason
        if error.field:
            result.fields = (FieldViolation(error.field, error.message),)
        if error.retry_after_ms:
            result.retry_after = error.retry_after_ms / 1e3
        return result

    def _read(self, details: bytes) -> None:
        info = error_details_pb2.ErrorInfo()
        request = error_details_pb2.BadRequest()
        retry = error_details_pb2.RetryInfo()
        try:
            for each in status_pb2.Status.FromString(details).details:
                if each.Unpack(info):
                    self.reason, self.metadata = info.reason, dict(info.metadata)
                elif each.Unpack(request):
                    self.fields = tuple(FieldViolation(v.field, v.description) for v in request.field_violations)
                elif each.Unpack(retry):
                    self.retry_after = retry.retry_delay.seconds + retry.retry_delay.nanos / 1e9
        except DecodeError:
            pass  # from a proxy, in another form
