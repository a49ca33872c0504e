"""SpikingJelly in its multi-step mode: each layer runs through all steps; its first layer is computed once."""

from __future__ import annotations

from importlib.metadata import version as version_of

from spikingjelly.activation_based import functional, neuron
from torch import Tensor

from network import Layer
from torch_layers import Currents, TorchPeer, version


def multi_step(layers: list[Layer], steps: int, series: bool) -> TorchPeer:
    currents = [Currents(layer).eval() for layer in layers]
    neurons = [
        neuron.LIFNode(tau=1 / (1 - layer.decay), decay_input=False, v_threshold=1.0, v_reset=None, step_mode="m").eval()
        for layer in layers
    ]

    def run(x: Tensor) -> Tensor:
        for node in neurons:
            functional.reset_net(node)
        first = currents[0].of_steps(x) if series else currents[0](x)
        spikes = neurons[0](first if series else first.expand(steps, *first.shape))
        for k in range(1, len(layers)):
            spikes = neurons[k](currents[k].of_steps(spikes))
        return spikes.sum(0)

    return TorchPeer(version(f"SpikingJelly {version_of('spikingjelly')}"), run, series)
