"""The shipped model in snnTorch on PyTorch's CPU, one thread: the peer of `npm run bench`.

Prints one JSON line with the microseconds per input, one at a time and 64 at a time, as the snnTorch tutorials write
the loop (`loop`), and with the first layer computed once because the input is constant (`hoisted`).

Usage: python snntorch_peer.py MODEL.nir ENCODINGS.f16
"""

import json
import sys
import time

import h5py
import numpy as np
import snntorch as snn
import torch

STEPS = 16
DT = 1e-3
SECONDS = 1.5


class Layer(torch.nn.Module):
    """An affine layer and its LIF neurons; dt/tau·r goes into the weights, as snnTorch's own NIR import does."""

    def __init__(self, affine: h5py.Group, lif: h5py.Group) -> None:
        super().__init__()
        a = DT / float(np.ravel(lif["tau"])[0])
        gain = a * float(np.ravel(lif["r"])[0])
        weight, bias = np.array(affine["weight"]), np.array(affine["bias"])
        self.fc = torch.nn.Linear(weight.shape[1], weight.shape[0])
        self.fc.weight.data = torch.tensor(weight * gain, dtype=torch.float32)
        self.fc.bias.data = torch.tensor(bias * gain, dtype=torch.float32)
        threshold = torch.tensor(np.ravel(lif["v_threshold"]), dtype=torch.float32)
        self.lif = snn.Leaky(beta=1 - a, threshold=threshold, reset_mechanism="subtract", reset_delay=False)


def read(path: str) -> tuple[Layer, Layer]:
    """The two layers of a NIR file that is Input → Affine → LIF → Affine → LIF → Output."""
    nodes = h5py.File(path)["node/nodes"]
    edges = {a.decode(): b.decode() for a, b in h5py.File(path)["node/edges"]}
    order, name = [], "input"
    while name in edges:
        name = edges[name]
        order.append(name)
    affine1, lif1, affine2, lif2 = order[:4]
    return Layer(nodes[affine1], nodes[lif1]), Layer(nodes[affine2], nodes[lif2])


def run(layers: tuple[Layer, Layer], x: torch.Tensor, hoisted: bool) -> torch.Tensor:
    """Spike counts of the output neurons. x: [batch, 768]; returns [batch, 45]."""
    first, second = layers
    mem1, mem2 = first.lif.init_leaky(), second.lif.init_leaky()
    current = first.fc(x)
    counts = 0
    for _ in range(STEPS):
        spikes, mem1 = first.lif(current if hoisted else first.fc(x), mem1)
        out, mem2 = second.lif(second.fc(spikes), mem2)
        counts = counts + out
    return counts


def microseconds(layers: tuple[Layer, Layer], data: torch.Tensor, batch: int, hoisted: bool) -> float:
    """Median microseconds per input."""
    times, end, at = [], time.perf_counter() + SECONDS, 0
    while time.perf_counter() < end:
        x = data[at : at + batch]
        at = (at + batch) % (len(data) - batch)
        start = time.perf_counter()
        run(layers, x, hoisted)
        times.append((time.perf_counter() - start) / batch)
    return float(np.median(times)) * 1e6


def main() -> None:
    torch.set_num_threads(1)
    layers = read(sys.argv[1])
    data = torch.tensor(np.fromfile(sys.argv[2], dtype=np.float16).reshape(-1, 768).astype(np.float32))
    with torch.no_grad():
        result = {
            "loop": {str(b): microseconds(layers, data, b, hoisted=False) for b in (1, 64)},
            "hoisted": {str(b): microseconds(layers, data, b, hoisted=True) for b in (1, 64)},
            "argmax": run(layers, data, hoisted=True).argmax(dim=1).tolist(),
            "version": f"snnTorch {snn.__version__}, PyTorch {torch.__version__}",
        }
    print(json.dumps(result))


if __name__ == "__main__":
    main()
