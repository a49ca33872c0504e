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
    net = nn.Sequential(first, make(), nn.Linear(SIZE, SIZE), make())
    inputs = random_input(seed, 8)
    graph = export_to_nir(net, torch.zeros(1, 8), ignore_dims=[0])
    for module in net:
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
}
