"""numpy in, numpy out."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from tandem.v1 import reasoning_pb2

_DTYPES = {"float32": "FP32", "float16": "FP16", "int8": "INT8", "uint8": "UINT8", "bool": "BOOL"}


def tensor_of(values: ArrayLike) -> reasoning_pb2.Tensor:
    """An input: shape [n] is constant, [steps, …] is a series. float16, int8, uint8 and bool keep their type; all others are sent as float32."""
    array = np.asarray(values)
    if array.dtype.name not in _DTYPES:
        array = array.astype(np.float32)
    data = np.ascontiguousarray(array, array.dtype.newbyteorder("<")).tobytes()
    return reasoning_pb2.Tensor(shape=array.shape, dtype=_DTYPES[array.dtype.name], data=data)


def scores(answer: reasoning_pb2.ReasonResponse) -> NDArray[np.float32]:
    """One score for each label, in their order."""
    return np.array(answer.scores, np.float32)


def readout_per_step(answer: reasoning_pb2.ReasonResponse) -> NDArray[np.float32]:
    """The output of the output neurons, [steps, outputs]; needs DETAIL_READOUT."""
    values = np.array(answer.readout_per_step, np.float32)
    return values.reshape(-1, len(answer.spike_counts)) if values.size else np.empty((0, len(answer.spike_counts)), np.float32)


def raster(layer: reasoning_pb2.LayerActivity) -> NDArray[np.bool_]:
    """The spikes, [steps, neurons]; needs DETAIL_RASTER."""
    fired = np.zeros((len(layer.spikes_per_step), layer.neurons), bool)
    fired[np.array(layer.event_steps, np.intp), np.array(layer.event_neurons, np.intp)] = True
    return fired


def digest_hex(digest: int) -> str:
    """A 64-bit digest as 16 hexadecimal digits, as the command line prints it."""
    return f"{digest:016x}"
