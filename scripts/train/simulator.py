"""The reference simulator: proto/NUMERICS.md in plain numpy, written from that page alone.

It is slow and simple; the two engines are tested against the vectors it makes. All arithmetic is
binary32 with one rounding an operation, which is what numpy does for float32 arrays.
"""

from __future__ import annotations

import base64
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import xxhash
import yaml

from nir_graph import Graph, ModelError, Node, read_graph
from settings import IF_GAINS, KINDS, READOUTS, RESETS, Settings

F32 = np.float32
FIRING = ("LIF", "IF", "CubaLIF")
WITH_V = ("LIF", "LI", "IF", "CubaLIF", "CubaLI")
WITH_I = ("CubaLIF", "CubaLI")
CONSTANT = ("Linear", "Affine", "Scale", "Threshold", "Flatten", "Input", "Output")


class NonFiniteError(ArithmeticError):
    """A value overflowed or became NaN; the message names the step and the node."""


@dataclass(frozen=True)
class Answers:
    """One row for each run: what NUMERICS.md lists under "What a run returns"."""

    steps: int
    spike_counts: np.ndarray  # uint32 (runs, n)
    potentials: np.ndarray  # float32 (runs, n)
    total_spikes: np.ndarray  # uint64 (runs,)
    synaptic_operations: np.ndarray  # uint64 (runs,)
    state_digests: list[str]  # 16 hex digits each

    def readout_digest(self, row: int) -> str:
        """`readout_digest` of NUMERICS.md, 16 hex digits."""
        digest = xxhash.xxh64(np.array(self.steps, "<u4").tobytes())
        digest.update(self.spike_counts[row].astype("<u4").tobytes())
        digest.update(self.potentials[row].astype("<f4").tobytes())
        digest.update(self.total_spikes[row].astype("<u8").tobytes())
        digest.update(self.synaptic_operations[row].astype("<u8").tobytes())
        return digest.hexdigest()


class Model:
    """A NIR file and its settings, ready to run."""

    def __init__(self, nir: Path, settings: Settings) -> None:
        self.settings = settings
        self.graph: Graph = read_graph(nir)
        self.nodes: list[Node] = [self.graph.nodes[name] for name in self.graph.order]
        self._constants = {node.name: _constants(node, settings) for node in self.nodes}
        self._constant_nodes = self._find_constant_nodes()
        self.readout = self._find_readout()
        self.id = self._model_id(nir)

    @staticmethod
    def load(folder: Path, version: int = 1) -> Model:
        """The model of a repository folder: `model.yaml` and `<version>/model.nir`."""
        manifest = yaml.safe_load((folder / "model.yaml").read_text())
        return Model(folder / str(version) / "model.nir", Settings.from_manifest(manifest))

    def run(self, inputs: np.ndarray) -> Answers:
        """Run each row of `inputs`: (runs, n) if constant, (runs, steps, n) for series."""
        inputs = np.asarray(inputs, F32)
        constant = self.settings.kind == "constant"
        steps = self.settings.steps if constant else inputs.shape[1]
        run = _Run(self, len(inputs))
        for step in range(steps):
            run.step(step, inputs if constant else inputs[:, step])
        return run.answers(steps)

    def _find_constant_nodes(self) -> set[str]:
        """Nodes whose output is the same at every step: they are evaluated and counted once."""
        found: set[str] = set()
        if self.settings.kind == "constant":
            for node in self.nodes:
                fixed = all(s in found for s in node.sources) and not node.delayed
                if node.type in CONSTANT and fixed:
                    found.add(node.name)
        return found

    def _find_readout(self) -> Node:
        node = self.graph.nodes[self.settings.readout_node or self.graph.root_output]
        while node.type in ("Output", "Input", "Flatten") and len(node.sources) == 1:
            if node.delayed:
                break
            node = self.graph.nodes[node.sources[0]]
        return node

    def _model_id(self, nir: Path) -> int:
        settings = self.settings
        choices = (
            RESETS.index(settings.reset),
            IF_GAINS.index(settings.if_gain),
            KINDS.index(settings.kind),
            READOUTS.index(settings.readout_from),
        )
        data = xxhash.xxh64_intdigest(nir.read_bytes()).to_bytes(8, "little")
        data += np.array(settings.dt, "<f8").tobytes() + bytes(choices)
        data += (settings.readout_node or self.graph.root_output).encode()
        return xxhash.xxh64_intdigest(data)


def _constants(node: Node, settings: Settings) -> dict[str, np.ndarray]:
    """Parameters and dt/tau (or the IF gain), computed in binary64, rounded to binary32."""
    values = node.parameters
    made = {key: value.astype(F32) for key, value in values.items()}
    if "tau" in values:
        made["a"] = (settings.dt / values["tau"]).astype(F32)
    if "tau_mem" in values:
        made["a"] = (settings.dt / values["tau_mem"]).astype(F32)
        made["b"] = (settings.dt / values["tau_syn"]).astype(F32)
    if node.type == "IF":
        made["g"] = (values["r"] * (settings.dt if settings.if_gain == "dt" else 1.0)).astype(F32)
    for key, value in made.items():
        if not np.isfinite(value).all():
            raise ModelError(f'node "{node.name}": field "{key}" is not finite in binary32')
    return made


class _Run:
    """The state of `count` runs side by side; no run depends on another."""

    def __init__(self, model: Model, count: int) -> None:
        self.model = model
        self.settings = model.settings

        def zeros(node: Node) -> np.ndarray:
            return np.zeros((count, node.size_out), F32)

        self.out = {node.name: zeros(node) for node in model.nodes}
        self.v = {node.name: zeros(node) for node in model.nodes if node.type in WITH_V}
        self.i = {node.name: zeros(node) for node in model.nodes if node.type in WITH_I}
        self.spike_counts = np.zeros((count, model.readout.size_out), np.uint32)
        self.sum_potential = zeros(model.readout)
        self.total_spikes = np.zeros(count, np.uint64)
        self.synaptic_operations = np.zeros(count, np.uint64)

    def step(self, step: int, inputs: np.ndarray) -> None:
        for node in self.model.nodes:
            if step > 0 and node.name in self.model._constant_nodes:
                continue
            with np.errstate(over="ignore", invalid="ignore"):
                checked = self._evaluate(node, inputs)
            if not all(np.isfinite(values).all() for values in checked):
                raise NonFiniteError(f'NON_FINITE at step {step}, node "{node.name}"')
        readout = self.model.readout
        if readout.type in (*FIRING, "Threshold"):
            self.spike_counts += (self.out[readout.name] == 1).astype(np.uint32)
        self.sum_potential = self.sum_potential + self._potential()

    def _evaluate(self, node: Node, inputs: np.ndarray) -> list[np.ndarray]:
        """One node at one step; returns every value that must be finite."""
        x = inputs if node.name == self.model.graph.root_input else self._input(node)
        c = self.model._constants[node.name]
        if node.type in ("Linear", "Affine"):
            y = self._weigh(node, c, x)
        elif node.type == "Scale":
            y = c["scale"] * x
        elif node.type == "Threshold":
            y = (x > c["threshold"]).astype(F32)
        elif node.type in WITH_V:
            return [x, *self._neuron(node, c, x)]
        else:
            y = x
        self.out[node.name] = y
        return [x, y]

    def _input(self, node: Node) -> np.ndarray:
        """Outputs of the sources, added in canonical order; a delayed one is still last step's."""
        if not node.sources:
            raise ModelError(f'node "{node.name}": nothing enters it')
        total = self.out[node.sources[0]]
        for source in node.sources[1:]:
            total = total + self.out[source]
        return total

    def _weigh(self, node: Node, c: dict[str, np.ndarray], x: np.ndarray) -> np.ndarray:
        weight = c["weight"]
        y = np.zeros((len(x), node.size_out), F32)
        if node.type == "Affine":
            y += c["bias"]
        for j in range(node.size_in):
            rows = x[:, j] != 0
            if rows.all():
                y += x[:, j, None] * weight[:, j]
            elif rows.any():
                y[rows] += x[rows, j, None] * weight[:, j]
        self.synaptic_operations += (x != 0).sum(1).astype(np.uint64) * np.uint64(node.size_out)
        return y

    def _neuron(self, node: Node, c: dict[str, np.ndarray], x: np.ndarray) -> list[np.ndarray]:
        name, checked = node.name, []
        v = self.v[name]
        if node.type in WITH_I:
            x = self.i[name] + c["b"] * ((c["w_in"] * x) - self.i[name])
            self.i[name] = x
            checked.append(x)
        if node.type == "IF":
            v = v + c["g"] * x
        else:
            v = v + c["a"] * ((c["v_leak"] - v) + (c["r"] * x))
        checked.append(v)
        if node.type in FIRING:
            fired = v > c["v_threshold"]
            by_value = self.settings.reset == "value"
            v = np.where(fired, c["v_reset"] if by_value else v - c["v_threshold"], v)
            self.out[name] = fired.astype(F32)
            self.total_spikes += fired.sum(1).astype(np.uint64)
        else:
            self.out[name] = v
        self.v[name] = v
        return [*checked, v]

    def _potential(self) -> np.ndarray:
        name = self.model.readout.name
        return self.v.get(name, self.out[name])

    def answers(self, steps: int) -> Answers:
        potentials = self._potential()
        if self.settings.readout_from == "mean_potential":
            if not np.isfinite(self.sum_potential).all():
                name = self.model.readout.name
                raise NonFiniteError(f'NON_FINITE at step {steps - 1}, node "{name}"')
            potentials = self.sum_potential / F32(steps)
        return Answers(
            steps,
            self.spike_counts,
            potentials,
            self.total_spikes,
            self.synaptic_operations,
            [self._digest(row, steps, potentials) for row in range(len(potentials))],
        )

    def _digest(self, row: int, steps: int, potentials: np.ndarray) -> str:
        digest = xxhash.xxh64(self.model.id.to_bytes(8, "little"))
        digest.update(np.array(steps, "<u4").tobytes())
        digest.update(self.spike_counts[row].astype("<u4").tobytes())
        digest.update(potentials[row].astype("<f4").tobytes())
        remembered = set().union(*(node.delayed for node in self.model.nodes))
        for name in sorted(self.out, key=str.encode):
            kept = [self.i.get(name), self.v.get(name)]
            kept.append(self.out[name] if name in remembered else None)
            for values in kept:
                if values is not None:
                    digest.update(values[row].astype("<f4").tobytes())
        return digest.hexdigest()


def decode_encoding(text: str) -> np.ndarray:
    """Little-endian float32 bytes in base64 to a vector."""
    return np.frombuffer(base64.b64decode(text), "<f4")


def check_golden(model: Model, golden: dict) -> list[str]:
    """One line for each field of each golden case that differs."""
    wrong = []
    for case in golden["cases"]:
        got = model.run(decode_encoding(case["encoding_f32_base64"])[None])
        for key, value in as_json(got, 0).items():
            if key in case and case[key] != value:
                wrong.append(f"{case['name']}: {key} is {value}, golden has {case[key]}")
    return wrong


def as_json(answers: Answers, row: int) -> dict:
    """One run's answer, with the keys of golden.json."""
    return {
        "steps": answers.steps,
        "spike_counts": answers.spike_counts[row].tolist(),
        "potentials": answers.potentials[row].tolist(),
        "total_spikes": int(answers.total_spikes[row]),
        "synaptic_operations": int(answers.synaptic_operations[row]),
        "state_digest": answers.state_digests[row],
        "readout_digest": answers.readout_digest(row),
    }
