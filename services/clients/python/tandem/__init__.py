"""Client of Tandem. Messages and stubs of every service are in `tandem.v1`."""

from tandem.aio import AsyncTandem
from tandem.arrays import digest_hex, raster, readout_per_step, scores, tensor_of
from tandem.client import Tandem
from tandem.errors import FieldViolation, TandemError
from tandem.streams import StreamAnswer
from tandem.v1.reasoning_pb2 import ReasonRequest, ReasonResponse, ReasonStreamRequest

__all__ = [
    "AsyncTandem",
    "FieldViolation",
    "ReasonRequest",
    "ReasonResponse",
    "ReasonStreamRequest",
    "StreamAnswer",
    "Tandem",
    "TandemError",
    "digest_hex",
    "raster",
    "readout_per_step",
    "scores",
    "tensor_of",
]
