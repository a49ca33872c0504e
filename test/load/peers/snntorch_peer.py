"""snnTorch, its first layer computed once for all steps.

Its own reset by subtraction comes a step late for a potential that is still above the threshold after it, which gives other
spikes than every other library here. So the reset is written out here.
"""

from __future__ import annotations

import snntorch as snn
from torch import Tensor

from network import Layer
from torch_layers import Currents, TorchPeer, version


def hoisted(layers: list[Layer], steps: int, series: bool) -> TorchPeer:
    currents = [Currents(layer).eval() for layer in layers]
    neurons = [snn.Leaky(beta=layer.decay, threshold=1.0, reset_mechanism="none") for layer in layers]

    def step_neurons(k: int, x: Tensor, potential: Tensor) -> tuple[Tensor, Tensor]:
        spikes, potential = neurons[k](x, potential)
        return spikes, potential - spikes

    def run(x: Tensor) -> Tensor:
        first = currents[0].of_steps(x) if series else currents[0](x)
        potentials = [neuron.init_leaky() for neuron in neurons]
        counts: Tensor | int = 0
        for step in range(steps):
            spikes, potentials[0] = step_neurons(0, first[step] if series else first, potentials[0])
            for k in range(1, len(layers)):
                spikes, potentials[k] = step_neurons(k, currents[k](spikes), potentials[k])
            counts = counts + spikes
        return counts

    return TorchPeer(version(f"snnTorch {snn.__version__}"), run, series)
