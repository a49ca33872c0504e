"""`supersense-text` as files: the NIR graph with the embedding in front, the manifest, known answers."""

from __future__ import annotations

import base64
import tempfile
from pathlib import Path

import h5py
import nir
import numpy as np

from export import spiking_nodes, write_chain
from network import DT, Parameters, Shape
from simulator import Model
from text_vocabulary import TOKENS, bags
from vectors import write_json
from wordnet import LABELS

MANIFEST = """\
# Written by scripts/train/train_text.py.
name: supersense-text
dt: {dt:g}
steps: {steps}
reset: {reset}
if_gain: dt
input: {{shape: [{inputs}], kind: constant}}
readout: {{node: output, from: {readout}}}
labels: labels.txt
temperature: {temperature:g}
golden: golden.json
tokenizer: tokenizer.json
"""

GOLDEN_TEXTS = (
    "a small furry animal",
    "move through water by means of fins",
    "a building in which money is kept",
    "of or relating to the moon",
    "the the the the the the the",
    "Zürich, 東京 and Σίσυφος!",
)


def write_text_nir(steps: np.ndarray, step: float, parameters: Parameters, shape: Shape, path: Path) -> None:
    """Embedding (int8 steps × a power of two, exact in binary32) → the spiking network.

    Bytes of equal place lie together (HDF5's shuffle) before they are packed: a third of the size.
    """
    embedding = steps.astype(np.float32).T * np.float32(step)
    inputs = nir.Input(input_type=np.array([TOKENS]))
    nodes = {"input": inputs, "embedding": nir.Linear(weight=embedding)}
    path.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as scratch:
        write_chain(nodes | spiking_nodes(parameters, shape), Path(scratch) / "plain.nir")
        with h5py.File(Path(scratch) / "plain.nir") as plain, h5py.File(path, "w") as packed:
            _copy(plain, packed)


def _copy(source: h5py.Group, target: h5py.Group) -> None:
    for name, item in source.items():
        if isinstance(item, h5py.Group):
            _copy(item, target.create_group(name))
        elif item.dtype.kind == "f" and item.size > 1:
            target.create_dataset(name, data=item[()], shuffle=True, compression="gzip", compression_opts=9)
        else:
            source.copy(name, target)


def write_text_manifest(shape: Shape, temperature: float, folder: Path) -> None:
    """`model.yaml` and `labels.txt`."""
    text = MANIFEST.format(
        dt=DT, steps=shape.steps, reset=shape.reset, inputs=TOKENS, readout=shape.readout, temperature=temperature
    )
    (folder / "model.yaml").write_text(text)
    (folder / "labels.txt").write_text("\n".join(LABELS) + "\n")


def write_text_golden(folder: Path, model: Model) -> None:
    """Some texts as the model's inputs, with their exact answers, and one input that no text gives."""
    inputs = bags(folder / "tokenizer.json", list(GOLDEN_TEXTS)).toarray()
    names = [*GOLDEN_TEXTS, "zeros"]
    cases = []
    for name, x in zip(names, [*inputs, np.zeros(TOKENS, np.float32)], strict=True):
        answers = model.run(x[None])
        cases.append(
            {
                "name": name,
                "encoding_f32_base64": base64.b64encode(x.astype("<f4").tobytes()).decode(),
                "steps": answers.steps,
                "spike_counts": answers.spike_counts[0].tolist(),
                "total_spikes": int(answers.total_spikes[0]),
                "synaptic_operations": int(answers.synaptic_operations[0]),
                "state_digest": answers.state_digests[0],
                "readout_digest": answers.readout_digest(0),
            }
        )
    write_json(folder / "golden.json", {"format": 1, "model_version": 1, "cases": cases})
