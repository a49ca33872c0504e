"""Writes the networks of `npm run bench` that are not shipped, each as a model repository's folder with its inputs.

Usage: python make_networks.py FOLDER

`deep` is 768-512-512-48 LIF neurons on a constant input of 32 steps; each of its layers is active at 5 to 12 %. `events`
is a small convolutional network of the kind that classifies N-MNIST: 2x34x34 pixels of a moving stroke, 16 steps. All of
it follows from one seed.
"""

from __future__ import annotations

import sys
from pathlib import Path

import h5py
import numpy as np

SEED = 14
ITEMS = 64
DT = 1e-3
TAU = 4e-3
ACTIVITY = 0.08  # the target in each layer


def lif(size: tuple[int, ...]) -> dict:
    fields = {"tau": TAU, "r": 1.0, "v_leak": 0.0, "v_threshold": 1.0, "v_reset": 0.0}
    return {"type": "LIF", **{key: np.full(size, value, dtype=np.float32) for key, value in fields.items()}}


def spikes_of(currents: np.ndarray) -> np.ndarray:
    """LIF neurons on currents [steps, …]."""
    v, spikes = np.zeros_like(currents[0]), np.empty_like(currents)
    for step, x in enumerate(currents):
        v = v + DT / TAU * (x - v)
        spikes[step] = v > 1
        v -= spikes[step]
    return spikes


def scaled(currents: np.ndarray) -> tuple[float, np.ndarray]:
    """The gain at which neurons with these currents are as active as the target, and their spikes."""
    low, high = 0.0, 1.0
    while spikes_of(currents * high).mean() < ACTIVITY:
        high *= 2
    for _ in range(12):
        middle = (low + high) / 2
        low, high = (middle, high) if spikes_of(currents * middle).mean() < ACTIVITY else (low, middle)
    return high, spikes_of(currents * high)


def write(folder: Path, nodes: list[tuple[str, dict]], settings: str, inputs: np.ndarray) -> None:
    """A chain of nodes, its model.yaml and inputs.f32."""
    (folder / "1").mkdir(parents=True, exist_ok=True)
    (folder / "model.yaml").write_text(settings)
    inputs.astype("<f4").tofile(folder / "inputs.f32")
    with h5py.File(folder / "1/model.nir", "w") as file:
        file["version"] = "1.0.6"
        file["node/type"] = "NIRGraph"
        names = [name for name, _ in nodes]
        file["node/edges"] = np.array(list(zip(names, names[1:], strict=False)), dtype="S")
        for name, fields in nodes:
            for key, value in fields.items():
                file[f"node/nodes/{name}/{key}"] = value


def deep(random: np.random.Generator, folder: Path) -> None:
    sizes = (768, 512, 512, 48)
    inputs = random.normal(size=(ITEMS, sizes[0])).astype(np.float32)
    inputs /= np.linalg.norm(inputs, axis=1, keepdims=True)
    nodes: list[tuple[str, dict]] = [("input", {"type": "Input", "shape": np.array([sizes[0]])})]
    x = np.broadcast_to(inputs, (32, *inputs.shape))
    for k, (before, size) in enumerate(zip(sizes, sizes[1:], strict=False), start=1):
        weight = random.normal(size=(size, before)) / np.sqrt(before)
        bias = random.normal(size=size) * 0.02
        gain, spikes = scaled(x @ weight.T + bias)
        affine = {"type": "Affine", "weight": (weight * gain).astype(np.float32), "bias": (bias * gain).astype(np.float32)}
        nodes += [(f"affine{k}", affine), (f"lif{k}", lif((size,)))]
        print(f"deep: layer {k} is active at {spikes.mean():.1%}", file=sys.stderr)
        x = spikes
    nodes.append(("output", {"type": "Output", "shape": np.array([sizes[-1]])}))
    settings = f"dt: {DT}\nsteps: 32\nreset: subtract\ninput: {{shape: [768], kind: constant}}\n"
    write(folder / "deep", nodes, settings, inputs)


def moving_strokes(random: np.random.Generator, steps: int, side: int) -> np.ndarray:
    """Events [items, steps, polarity, y, x]: the edges of a stroke that moves, and a little noise."""
    events = random.random((ITEMS, steps, 2, side, side)) < 0.002
    for item in events:
        corners = random.uniform(8, side - 8, size=(5, 2))
        stroke = np.concatenate([np.linspace(a, b, 24) for a, b in zip(corners, corners[1:], strict=False)])
        angle = random.uniform(0, 2 * np.pi)
        for step, frame in enumerate(item):
            towards = angle + (2 * np.pi / 3) * (3 * step // steps)
            direction = np.array([np.sin(towards), np.cos(towards)])
            at = stroke + direction * (step % (steps // 3 + 1))
            for polarity, shift in enumerate((1.0, -1.0)):
                y, x = np.clip(np.rint(at + direction * shift), 0, side - 1).astype(int).T
                seen = random.random(len(y)) < 0.7
                frame[polarity, y[seen], x[seen]] = True
    return events.astype(np.float32)


def convolved(x: np.ndarray, weight: np.ndarray) -> np.ndarray:
    windows = np.lib.stride_tricks.sliding_window_view(x, weight.shape[2:], axis=(-2, -1))
    return np.einsum("...cyxij,ocij->...oyx", windows, weight, optimize=True)


def pooled(x: np.ndarray) -> np.ndarray:
    y, x2 = x.shape[-2] // 2 * 2, x.shape[-1] // 2 * 2
    return sum(x[..., i:y:2, j:x2:2] for i in (0, 1) for j in (0, 1))


def events(random: np.random.Generator, folder: Path) -> None:
    steps, side, kernel = 16, 34, 5
    inputs = moving_strokes(random, steps, side)
    nodes: list[tuple[str, dict]] = [("input", {"type": "Input", "shape": np.array([2, side, side])})]
    x = inputs[:16].swapaxes(0, 1)
    for k, (before, size) in enumerate(((2, 12), (12, 32)), start=1):
        weight = random.normal(size=(size, before, kernel, kernel)) / np.sqrt(before * kernel * kernel)
        gain, spikes = scaled(convolved(x, weight))
        convolution = {
            "type": "Conv2d",
            "weight": (weight * gain).astype(np.float32),
            "bias": np.zeros(size, dtype=np.float32),
            "input_shape": np.array(x.shape[-2:]),
            "stride": np.array([1, 1]),
            "padding": np.array([0, 0]),
            "dilation": np.array([1, 1]),
            "groups": 1,
        }
        pair = np.array([2, 2])
        pool = {"type": "SumPool2d", "kernel_size": pair, "stride": pair, "padding": np.array([0, 0])}
        nodes += [(f"conv{k}", convolution), (f"lif{k}", lif(spikes.shape[2:])), (f"pool{k}", pool)]
        print(f"events: layer {k} is active at {spikes.mean():.1%}", file=sys.stderr)
        x = pooled(spikes)
    flatten = {"type": "Flatten", "start_dim": 0, "end_dim": -1, "input_type": np.array(x.shape[2:])}
    x = x.reshape(*x.shape[:2], -1)
    weight = random.normal(size=(10, x.shape[-1])) / np.sqrt(x.shape[-1])
    gain, spikes = scaled(x @ weight.T)
    affine = {"type": "Affine", "weight": (weight * gain).astype(np.float32), "bias": np.zeros(10, dtype=np.float32)}
    nodes += [("flatten", flatten), ("affine3", affine), ("lif3", lif((10,)))]
    nodes.append(("output", {"type": "Output", "shape": np.array([10])}))
    print(f"events: layer 3 is active at {spikes.mean():.1%}, inputs at {inputs.mean():.1%}", file=sys.stderr)
    settings = f"dt: {DT}\nsteps: {steps}\nreset: subtract\ninput: {{shape: [2, {side}, {side}], kind: series}}\n"
    write(folder / "events", nodes, settings, inputs)


if __name__ == "__main__":
    deep(np.random.default_rng(SEED), Path(sys.argv[1]))
    events(np.random.default_rng(SEED), Path(sys.argv[1]))
