"""A NIR file as a flat graph in evaluation order, as proto/NUMERICS.md ("Model") says.

NIR: Pedersen et al., "Neuromorphic intermediate representation", Nature Communications 15, 2024.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

import h5py
import numpy as np

WEIGHTED = ("Affine", "Linear")
PASSING = ("Input", "Output", "Flatten")
PARAMETERS = {
    "Input": (),
    "Output": (),
    "Flatten": (),
    "Linear": ("weight",),
    "Affine": ("weight", "bias"),
    "Scale": ("scale",),
    "Threshold": ("threshold",),
    "LIF": ("tau", "r", "v_leak", "v_threshold", "v_reset"),
    "LI": ("tau", "r", "v_leak"),
    "IF": ("r", "v_threshold", "v_reset"),
    "CubaLIF": ("tau_syn", "tau_mem", "r", "w_in", "v_leak", "v_threshold", "v_reset"),
    "CubaLI": ("tau_syn", "tau_mem", "r", "w_in", "v_leak"),
}
DEFAULTS = {"v_reset": 0.0, "w_in": 1.0}


class ModelError(ValueError):
    """A file or setting that cannot be run; the message names the node and the field."""


@dataclass
class Node:
    """One node: parameters in binary64, flat but for `weight` [out, in]."""

    name: str
    type: str
    parameters: dict[str, np.ndarray]
    shape: tuple[int, ...] | None = None
    size_in: int | None = None
    size_out: int | None = None
    sources: list[str] = field(default_factory=list)  # canonical order, no duplicates
    delayed: set[str] = field(default_factory=set)  # the sources whose edge is delayed


@dataclass
class Graph:
    """Flat nodes by name, the root's two ends, and the order of evaluation."""

    nodes: dict[str, Node]
    root_input: str
    root_output: str
    order: list[str]


def read_graph(path: Path) -> Graph:
    """The graph of one NIR file."""
    nodes: dict[str, Node] = {}
    edges: set[tuple[str, str]] = set()
    with h5py.File(path, "r") as file:
        if "node" not in file or "version" not in file:
            raise ModelError(f'{path}: no "version" and "node": this is not a NIR file')
        root_input, root_output = _flatten(file["node"], "", nodes, edges)
    for source, target in sorted(edges, key=lambda edge: edge[0].encode()):
        nodes[target].sources.append(source)
    _infer_sizes(nodes)
    return Graph(nodes, root_input, root_output, _evaluation_order(nodes, root_output))


def _text(value: bytes | str) -> str:
    return value.decode() if isinstance(value, bytes) else str(value)


def _flatten(
    group: h5py.Group, prefix: str, nodes: dict[str, Node], edges: set[tuple[str, str]]
) -> tuple[str, str]:
    """Add a graph's nodes and edges under `prefix`; return its Input's and Output's names."""
    inlet: dict[str, str] = {}  # a name in this graph → the flat node its incoming edges go to
    outlet: dict[str, str] = {}
    ends: dict[str, list[str]] = {"Input": [], "Output": []}
    for name, item in group["nodes"].items():
        kind = _text(item["type"][()])
        if kind == "NIRGraph":
            inlet[name], outlet[name] = _flatten(item, f"{prefix}{name}/", nodes, edges)
            continue
        inlet[name] = outlet[name] = prefix + name
        nodes[prefix + name] = _read_node(prefix + name, kind, item)
        if kind in ends:
            ends[kind].append(prefix + name)
    for source, target in (map(_text, edge) for edge in group["edges"][()]):
        if source not in outlet or target not in inlet:
            raise ModelError(f'edge "{prefix}{source}" → "{prefix}{target}" names no node')
        edges.add((outlet[source], inlet[target]))
    if len(ends["Input"]) != 1 or len(ends["Output"]) != 1:
        raise ModelError(f'graph "{prefix}": exactly one Input and one Output are needed')
    return ends["Input"][0], ends["Output"][0]


def _read_node(name: str, kind: str, item: h5py.Group) -> Node:
    if kind not in PARAMETERS:
        raise ModelError(f'node "{name}": type "{kind}" is not supported')
    values = {}
    for key in PARAMETERS[kind]:
        if key not in item and key not in DEFAULTS:
            raise ModelError(f'node "{name}": field "{key}" is missing')
        value = np.asarray(item[key][()] if key in item else DEFAULTS[key])
        if value.dtype.kind != "f" or not np.isfinite(value.astype(np.float32)).all():
            raise ModelError(f'node "{name}": field "{key}" must hold finite floats')
        if key.startswith("tau") and (value <= 0).any():
            raise ModelError(f'node "{name}": field "{key}" must be > 0')
        values[key] = value.astype(np.float64) if key == "weight" else value.ravel().astype(float)
    node = Node(name, kind, values)
    shape_key = "input_type" if kind == "Flatten" else "shape"
    if kind in PASSING and shape_key in item:
        node.shape = tuple(int(n) for n in np.ravel(item[shape_key][()]))
    return node


def _own_sizes(node: Node) -> tuple[int | None, int | None]:
    if node.type in WEIGHTED:
        out, inputs = node.parameters["weight"].shape
        return inputs, out
    if node.shape is not None:
        size = int(np.prod(node.shape))
        return size, size
    size = max((len(v) for v in node.parameters.values()), default=1)
    return (size, size) if size > 1 else (None, None)


def _infer_sizes(nodes: dict[str, Node]) -> None:
    """Sizes from parameters, then across edges until nothing changes."""
    for node in nodes.values():
        node.size_in, node.size_out = _own_sizes(node)
    changed = True
    while changed:
        changed = False
        for node in nodes.values():
            for source in (nodes[name] for name in node.sources):
                size = source.size_out if source.size_out is not None else node.size_in
                if size is None or (source.size_out == node.size_in):
                    continue
                for end in (source, node):
                    changed |= _set_size(end, "out" if end is source else "in", size)
    for node in nodes.values():
        if node.size_in is None:
            raise ModelError(f'node "{node.name}": its size is unknown; give it array parameters')


def _set_size(node: Node, side: str, size: int) -> bool:
    known = node.size_in if side == "in" else node.size_out
    if known is not None and known != size:
        raise ModelError(f'node "{node.name}": {known} elements here, {size} across an edge')
    if known == size:
        return False
    # Only nodes with as many outputs as inputs can be of unknown size.
    node.size_in = node.size_out = size
    return True


def _evaluation_order(nodes: dict[str, Node], root_output: str) -> list[str]:
    """Post-order of the walk back from the Output; an edge to an open node is delayed."""
    order: list[str] = []
    begun = {root_output}
    done: set[str] = set()
    stack = [(root_output, iter(nodes[root_output].sources))]
    while stack:
        name, sources = stack[-1]
        for source in sources:
            if source not in begun:
                begun.add(source)
                stack.append((source, iter(nodes[source].sources)))
                break
            if source not in done:
                nodes[name].delayed.add(source)
        else:
            stack.pop()
            done.add(name)
            order.append(name)
    return order
