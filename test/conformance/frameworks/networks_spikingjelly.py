"""SpikingJelly: https://spikingjelly.readthedocs.io. Its neurons fire at their threshold."""

import numpy as np
import torch
from record import random_input
from spikingjelly.activation_based import functional, layer, neuron
from spikingjelly.activation_based.nir_exchange.to_nir import export_to_nir
from torch import nn

SIZE = 12


def record(make, seed, gain=1.0, **options):
    torch.manual_seed(seed)
    layers = [layer.Linear(8, SIZE), make(), layer.Linear(SIZE, SIZE), make()]
    for one in layers[::2]:
        one.weight.data *= gain
    return run(nn.Sequential(*layers), seed, 8, **options)


def run(net, seed, *shape, **options):
    inputs = random_input(seed, *shape)
    graph = export_to_nir(net, torch.zeros(1, *shape), **options)
    functional.reset_net(net)
    with torch.no_grad():
        outputs = [net(torch.from_numpy(x)[None]).numpy()[0] for x in inputs]
    return graph, inputs, np.stack(outputs)


def exact():
    """Weights and inputs of small whole numbers: potentials equal their thresholds."""
    net = nn.Sequential(layer.Linear(4, 4, bias=False), neuron.IFNode(v_threshold=2.0))
    net[0].weight.data = torch.tensor([[1.0, 0, 0, 0], [1, 1, 0, 0], [1, 1, 1, 0], [2, 0, 0, 1]])
    inputs = (np.random.default_rng(3).random((100, 4)) < 0.4).astype(np.float32)
    graph = export_to_nir(net, torch.zeros(1, 4))
    functional.reset_net(net)
    with torch.no_grad():
        outputs = [net(torch.from_numpy(x)[None]).numpy()[0] for x in inputs]
    return graph, inputs, np.stack(outputs)


def conv():
    torch.manual_seed(5)
    first = layer.Conv2d(2, 4, 3, padding=1)
    first.weight.data *= 2
    layers = [neuron.IFNode(), layer.AvgPool2d(2), layer.Flatten(), layer.Linear(64, 10), lif()]
    return run(nn.Sequential(first, *layers), 5, 2, 8, 8)


def conv_same():
    torch.manual_seed(6)
    first = layer.Conv2d(2, 4, 4, padding="same")
    first.weight.data *= 2
    layers = [neuron.IFNode(), layer.AvgPool2d(3, stride=2, padding=1), layer.Flatten(), layer.Linear(64, 5), lif()]
    return run(nn.Sequential(first, *layers), 6, 2, 8, 8)


def conv1d():
    torch.manual_seed(7)
    layers = [layer.Conv1d(2, 4, 3, stride=2), lif(), layer.Flatten(), layer.Linear(28, 5, bias=False), lif()]
    return run(nn.Sequential(*layers), 7, 2, 16)


class Residual(nn.Module):
    def __init__(self):
        super().__init__()
        self.first, self.second, self.third = layer.Linear(8, SIZE), layer.Linear(SIZE, SIZE), layer.Linear(SIZE, 5)
        self.hidden, self.inner, self.last = lif(), lif(), lif()

    def forward(self, x):
        hidden = self.hidden(self.first(x))
        return self.last(self.third(self.inner(self.second(hidden)) + hidden))


def residual():
    torch.manual_seed(8)
    return run(Residual(), 8, 8)


def lif(**options):
    return neuron.LIFNode(v_threshold=0.1, **options)


NETWORKS = {
    "if": lambda: record(neuron.IFNode, 1, gain=2.0),
    "if-exact": exact,
    "lif": lambda: record(lambda: neuron.LIFNode(tau=4.0, v_threshold=0.3), 2, gain=4.0),
    "lif-no-input-decay": lambda: record(lambda: neuron.LIFNode(tau=4.0, decay_input=False), 3, gain=2.0),
    "cubalif": lambda: record(lambda: neuron.CUBALIFNode(c_decay=0.5, v_decay=0.8, v_threshold=1.0), 4, gain=2.0),
    "plif": lambda: record(lambda: neuron.ParametricLIFNode(v_threshold=0.3), 9, gain=4.0),
    "lif-dt-1ms": lambda: record(lambda: neuron.LIFNode(tau=4.0, v_threshold=0.3), 10, gain=4.0, dt=1e-3),
    "conv": conv,
    "conv-same": conv_same,
    "conv1d": conv1d,
    "residual": residual,
    "if-reset": lambda: record(lambda: neuron.IFNode(v_reset=-0.5), 11, gain=2.0),
    "lif-soft-reset": lambda: record(lambda: lif(v_reset=None), 12),
}

CAUSES = {
    "lif-soft-reset": "the exporter refuses it",
}
