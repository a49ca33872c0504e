"""snnTorch: https://snntorch.readthedocs.io. Its neurons fire above the threshold, and by default reset in the next step."""

import numpy as np
import snntorch as snn
import torch
from record import STEPS, random_input
from snntorch.export_nir import export_to_nir
from torch import nn

SIZE = 12


def vector(value):
    return torch.full((SIZE,), value)


def record(make, seed, gain=1.0):
    torch.manual_seed(seed)
    first = nn.Linear(8, SIZE)
    first.weight.data *= gain
    return run(nn.Sequential(first, make(), nn.Linear(SIZE, SIZE), make()), seed, 8)


def run(net, seed, *shape):
    inputs = random_input(seed, *shape)
    graph = export_to_nir(net, torch.zeros(1, *shape), ignore_dims=[0])
    for module in net.modules():
        if hasattr(module, "reset_mem"):
            module.reset_mem()
    with torch.no_grad():
        outputs = [net(torch.from_numpy(x)[None]).numpy()[0] for x in inputs]
    return graph, inputs, np.stack(outputs)


def leaky(**options):
    return lambda: snn.Leaky(beta=vector(0.9), threshold=vector(0.3), init_hidden=True, **options)


def synaptic(**options):
    return lambda: snn.Synaptic(
        alpha=vector(0.8), beta=vector(0.9), threshold=vector(0.8), init_hidden=True, **options
    )


def rleaky(**options):
    return lambda: snn.RLeaky(
        beta=vector(0.9), linear_features=SIZE, threshold=vector(0.3), init_hidden=True, **options
    )


def rsynaptic(**options):
    return lambda: snn.RSynaptic(
        alpha=vector(0.7), beta=vector(0.9), linear_features=SIZE, threshold=vector(0.8), init_hidden=True, **options
    )


def lif(*shape, threshold=0.1, **options):
    beta, threshold = torch.full(shape, 0.9), torch.full(shape, threshold)
    return snn.Leaky(beta=beta, threshold=threshold, init_hidden=True, **options)


def conv():
    torch.manual_seed(10)
    layers = [nn.Conv2d(2, 4, 3, padding=1), lif(4, 8, 8), nn.AvgPool2d(2), nn.Flatten(), nn.Linear(64, 10), lif(10)]
    return run(nn.Sequential(*layers), 10, 2, 8, 8)


def conv_strided():
    torch.manual_seed(11)
    first, second = nn.Conv2d(2, 4, 3, stride=2, bias=False), nn.Conv2d(4, 4, 3, padding="same", groups=2)
    layers = [first, lif(4, 4, 4), second, lif(4, 4, 4), nn.Flatten(), nn.Linear(64, 10), lif(10)]
    return run(nn.Sequential(*layers), 11, 2, 9, 9)


def learned():
    """A decay and a threshold for each neuron, as after training."""
    torch.manual_seed(12)

    def neurons(size):
        beta, threshold = torch.rand(size) * 0.5 + 0.45, torch.rand(size) * 0.3 + 0.1
        return snn.Leaky(beta=beta, threshold=threshold, init_hidden=True, learn_beta=True, learn_threshold=True)

    return run(nn.Sequential(nn.Linear(8, 12), neurons(12), nn.Linear(12, 5), neurons(5)), 12, 8)


def rleaky_diagonal():
    torch.manual_seed(13)
    weights = torch.rand(SIZE) - 0.5
    hidden = snn.RLeaky(beta=vector(0.9), V=weights, all_to_all=False, threshold=vector(0.3), init_hidden=True)
    return run(nn.Sequential(nn.Linear(8, SIZE), hidden, nn.Linear(SIZE, 5), lif(5)), 13, 8)


def last(seed, gain, threshold, **options):
    """The last layer resets in another way. No single reset for both layers gives the same spikes."""
    torch.manual_seed(seed)
    layers = [nn.Linear(8, SIZE), lif(SIZE), nn.Linear(SIZE, 5), lif(5, threshold=threshold, **options)]
    layers[2].weight.data *= gain
    return run(nn.Sequential(*layers), seed, 8)


class Residual(nn.Module):
    def __init__(self):
        super().__init__()
        self.first, self.second = nn.Linear(8, SIZE), nn.Linear(SIZE, SIZE)
        self.hidden, self.last = lif(SIZE), lif(SIZE)

    def forward(self, x):
        hidden = self.hidden(self.first(x))
        return self.last(self.second(hidden) + hidden)


def residual():
    torch.manual_seed(15)
    return run(Residual(), 15, 8)


NETWORKS = {
    "leaky": lambda: record(leaky(), 1),
    "leaky-strong": lambda: record(leaky(), 2, gain=5.0),
    "leaky-zero": lambda: record(leaky(reset_mechanism="zero"), 3),
    "leaky-subtract-now": lambda: record(leaky(reset_delay=False), 4),
    "synaptic": lambda: record(synaptic(), 5),
    "synaptic-zero": lambda: record(synaptic(reset_mechanism="zero"), 6),
    "rleaky": lambda: record(rleaky(), 7),
    "rleaky-zero": lambda: record(rleaky(reset_mechanism="zero"), 8),
    "rsynaptic": lambda: record(rsynaptic(), 9),
    "conv": conv,
    "conv-strided": conv_strided,
    "learned": learned,
    "rleaky-diagonal": rleaky_diagonal,
    "mixed-resets": lambda: last(14, 3, 0.5, reset_mechanism="zero"),
    "last-without-reset": lambda: last(16, 2, 1.5, reset_mechanism="none"),
    "residual": residual,
}

CAUSES = {
    "leaky-subtract-now": "reset_delay=False resets twice where a potential holds its threshold after a reset",
    "residual": "the export loses the addition and what follows it",
}
