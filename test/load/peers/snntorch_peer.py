"""snnTorch, its first layer computed once for all steps."""

from __future__ import annotations

import snntorch as snn
from torch import Tensor

from network import Layer
from torch_layers import Currents, TorchPeer, version


def hoisted(layers: list[Layer], steps: int, series: bool) -> TorchPeer:
    currents = [Currents(layer).eval() for layer in layers]
    neurons = [
        snn.Leaky(beta=layer.decay, threshold=1.0, reset_mechanism="subtract", reset_delay=False) for layer in layers
    ]

    def run(x: Tensor) -> Tensor:
        first = currents[0].of_steps(x) if series else currents[0](x)
        potentials = [neuron.init_leaky() for neuron in neurons]
        counts: Tensor | int = 0
        for step in range(steps):
            spikes, potentials[0] = neurons[0](first[step] if series else first, potentials[0])
            for k in range(1, len(layers)):
                spikes, potentials[k] = neurons[k](currents[k](spikes), potentials[k])
            counts = counts + spikes
        return counts

    return TorchPeer(version(f"snnTorch {snn.__version__}"), run, series)
