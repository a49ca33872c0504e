"""The network as plain PyTorch under torch.compile, its constant first layer computed once.

`by_step` is the loop of the tutorials; `by_layer` runs each layer through all steps, so that the layers after the first
are one matrix product for all steps, as SpikingJelly does it.
"""

from __future__ import annotations

import torch
import torch._inductor.config as inductor
from torch import Tensor

from network import Layer
from torch_layers import Currents, TorchPeer, version

# What PyTorch's pages advise for inference on a CPU: weights as constants, no Python between the kernels.
inductor.freezing = True
inductor.cpp_wrapper = True
inductor.cpp.threads = 1


def _step(decay: float, v: Tensor | float, x: Tensor) -> tuple[Tensor, Tensor]:
    v = decay * v + x
    spikes = (v > 1).to(x.dtype)
    return spikes, v - spikes


def by_step(layers: list[Layer], steps: int, series: bool) -> TorchPeer:
    currents = [Currents(layer).eval() for layer in layers]
    decays = [layer.decay for layer in layers]

    def run(x: Tensor) -> Tensor:
        first = currents[0].of_steps(x) if series else currents[0](x)
        potentials: list[Tensor | float] = [0.0] * len(layers)
        counts: Tensor | float = 0.0
        for step in range(steps):
            x = first[step] if series else first
            for k, decay in enumerate(decays):
                spikes, potentials[k] = _step(decay, potentials[k], currents[k](spikes) if k > 0 else x)
            counts = counts + spikes
        return counts

    return TorchPeer(version(), torch.compile(run, dynamic=False), series)


def by_layer(layers: list[Layer], steps: int, series: bool) -> TorchPeer:
    currents = [Currents(layer).eval() for layer in layers]

    def run(x: Tensor) -> Tensor:
        first = currents[0].of_steps(x) if series else currents[0](x)
        spikes: list[Tensor] = []
        for k, layer in enumerate(layers):
            xs = currents[k].of_steps(torch.stack(spikes)) if k > 0 else first
            v: Tensor | float = 0.0
            spikes = []
            for step in range(steps):
                s, v = _step(layer.decay, v, xs if k == 0 and not series else xs[step])
                spikes.append(s)
        return torch.stack(spikes).sum(0)

    return TorchPeer(version(), torch.compile(run, dynamic=False), series)
