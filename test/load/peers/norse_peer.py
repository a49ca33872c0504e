"""Norse's LIFBoxCell, its first layer computed once for all steps."""

from __future__ import annotations

from importlib.metadata import version as version_of

import norse.torch as norse
import torch
from norse.torch.functional.lif_box import LIFBoxParameters
from norse.torch.functional.reset import reset_subtract
from torch import Tensor

from network import Layer
from torch_layers import Currents, TorchPeer, version

DT = 1e-3


def hoisted(layers: list[Layer], steps: int, series: bool) -> TorchPeer:
    # Norse multiplies a neuron's input by dt/tau itself.
    currents = [Currents(layer, gain=1 / (1 - layer.decay)).eval() for layer in layers]
    cells = [
        norse.LIFBoxCell(
            LIFBoxParameters(tau_mem_inv=torch.tensor((1 - layer.decay) / DT), reset_method=reset_subtract), dt=DT
        )
        for layer in layers
    ]

    def run(x: Tensor) -> Tensor:
        first = currents[0].of_steps(x) if series else currents[0](x)
        states = [None] * len(layers)
        counts: Tensor | int = 0
        for step in range(steps):
            spikes, states[0] = cells[0](first[step] if series else first, states[0])
            for k in range(1, len(layers)):
                spikes, states[k] = cells[k](currents[k](spikes), states[k])
            counts = counts + spikes
        return counts

    return TorchPeer(version(f"Norse {version_of('norse')}"), run, series)
