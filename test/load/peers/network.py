"""A chain of layers from a NIR file, in numpy. Every peer is built from it.

A layer is some linear operations and the LIF neurons after them. Everything that can be computed before a run is in its
weights: with the gain a·r and the threshold folded in, a step is v = decay·v + x, spike if v > 1, then v - 1. That is the
model in real numbers; only its rounding differs from proto/NUMERICS.md.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import h5py
import numpy as np


@dataclass
class Operation:
    """Affine (weight [out, in]), Conv2d (weight [out, in, y, x]), SumPool2d or Flatten."""

    type: str
    weight: np.ndarray | None = None
    bias: np.ndarray | None = None
    stride: tuple[int, int] = (1, 1)
    padding: tuple[int, int] = (0, 0)
    kernel: tuple[int, int] = (1, 1)


@dataclass
class Layer:
    """What one layer computes. `decay` is 1 - dt/tau."""

    operations: list[Operation]
    decay: float


def read_layers(path: Path, dt: float) -> list[Layer]:
    """The layers of a file that is a chain from Input to Output."""
    with h5py.File(path, "r") as file:
        nodes = {name: _node(item) for name, item in file["node/nodes"].items()}
        edges = {a.decode(): b.decode() for a, b in file["node/edges"]}
    name = next(name for name, node in nodes.items() if node["type"] == "Input")
    layers: list[Layer] = []
    operations: list[Operation] = []
    while (name := edges.get(name)) is not None:
        node = nodes[name]
        if node["type"] == "LIF":
            layers.append(_layer(operations, node, dt))
            operations = []
        elif node["type"] != "Output":
            operations.append(_operation(name, node))
    return layers


def _node(item: h5py.Group) -> dict:
    node = {key: value[()] for key, value in item.items()}
    return {**node, "type": node["type"].decode()}


def _operation(name: str, node: dict) -> Operation:
    kind = node["type"]
    if kind in ("Affine", "Conv2d"):
        weight = np.asarray(node["weight"], dtype=np.float64)
        bias = np.asarray(node.get("bias", np.zeros(len(weight))), dtype=np.float64)
        if kind == "Affine":
            return Operation(kind, weight, bias)
        return Operation(kind, weight, bias, _pair(node["stride"]), _pair(node["padding"]), weight.shape[2:])
    if kind == "SumPool2d":
        return Operation(kind, kernel=_pair(node["kernel_size"]), stride=_pair(node["stride"]))
    if kind == "Flatten":
        return Operation(kind)
    raise SystemExit(f'node "{name}": the peers have no {kind}')


def _pair(value: np.ndarray) -> tuple[int, int]:
    both = np.broadcast_to(np.ravel(value), (2,))
    return int(both[0]), int(both[1])


def _layer(operations: list[Operation], node: dict, dt: float) -> Layer:
    tau, r, threshold = (_one(node, key) for key in ("tau", "r", "v_threshold"))
    if _one(node, "v_leak") != 0:
        raise SystemExit("the peers have no v_leak")
    gain = dt / tau * r / threshold
    weighted = next(op for op in reversed(operations) if op.weight is not None)
    weighted.weight, weighted.bias = weighted.weight * gain, weighted.bias * gain
    return Layer(operations, 1 - dt / tau)


def _one(node: dict, key: str) -> float:
    values = np.unique(node[key])
    if len(values) != 1:
        raise SystemExit(f"the peers take one {key} for all neurons of a layer")
    return float(values[0])


def read_inputs(path: Path, steps: int, shape: tuple[int, ...], series: bool) -> np.ndarray:
    """[items, *shape], or of a series [items, steps, *shape]."""
    values = np.fromfile(path, dtype="<f4")
    return values.reshape((-1, steps, *shape) if series else (-1, *shape))
