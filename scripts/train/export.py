"""The trained parameters as a NIR file and a manifest."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import nir
import numpy as np

from network import DT, Parameters, Shape
from wordnet import LABELS

MANIFEST = """\
# Written by scripts/train/train.py.
name: supersense
dt: {dt:g}
steps: {steps}
reset: {reset}
if_gain: dt
input: {{shape: [{inputs}], kind: constant}}
readout: {{node: output, from: {readout}}}
labels: labels.txt
temperature: {temperature:g}
golden: golden.json
"""


def write_nir(parameters: Parameters, shape: Shape, path: Path) -> None:
    """The network alone, behind an input of `shape.inputs` numbers."""
    inputs = {"input": nir.Input(input_type=np.array([shape.inputs]))}
    write_chain(inputs | spiking_nodes(parameters, shape), path)


def write_chain(nodes: dict[str, nir.NIRNode], path: Path) -> None:
    """A NIR file of nodes one behind the other."""
    path.parent.mkdir(parents=True, exist_ok=True)
    nir.write(path, nir.NIRGraph(nodes, list(pairwise(nodes))))


def spiking_nodes(parameters: Parameters, shape: Shape) -> dict[str, nir.NIRNode]:
    """Affine → LIF → Affine → LIF (or LI) → output, float32, the input's gain folded into the first."""

    def f32(values: np.ndarray) -> np.ndarray:
        return np.asarray(values, np.float32)

    def leaky(size: int, tau: float) -> dict[str, np.ndarray]:
        return {
            "tau": np.full(size, tau, np.float32),
            "r": np.ones(size, np.float32),
            "v_leak": np.zeros(size, np.float32),
        }

    def lif(size: int, tau: float) -> nir.LIF:
        ends = {"v_threshold": np.ones(size, np.float32), "v_reset": np.zeros(size, np.float32)}
        return nir.LIF(**leaky(size, tau), **ends)

    weight1 = f32(parameters["weight1"] * shape.input_gain)
    last = lif if shape.output_spikes else lambda size, tau: nir.LI(**leaky(size, tau))
    return {
        "affine1": nir.Affine(weight=weight1, bias=f32(parameters["bias1"])),
        "hidden": lif(shape.hidden, shape.tau_hidden),
        "affine2": nir.Affine(weight=f32(parameters["weight2"]), bias=f32(parameters["bias2"])),
        "classes": last(shape.classes, shape.tau_output),
        "output": nir.Output(output_type=np.array([shape.classes])),
    }


def write_manifest(shape: Shape, temperature: float, folder: Path) -> None:
    """`model.yaml` and `labels.txt`."""
    text = MANIFEST.format(
        dt=DT,
        steps=shape.steps,
        reset=shape.reset,
        inputs=shape.inputs,
        readout=shape.readout,
        temperature=temperature,
    )
    (folder / "model.yaml").write_text(text)
    (folder / "labels.txt").write_text("\n".join(LABELS) + "\n")
