"""SpikingJelly: https://spikingjelly.readthedocs.io. Its neurons fire at their threshold."""

import numpy as np
import torch
from record import random_input
from spikingjelly.activation_based import functional, layer, neuron
from spikingjelly.activation_based.nir_exchange.to_nir import export_to_nir
from torch import nn

SIZE = 12


def record(make, seed, gain=1.0):
    torch.manual_seed(seed)
    layers = [layer.Linear(8, SIZE), make(), layer.Linear(SIZE, SIZE), make()]
    for one in layers[::2]:
        one.weight.data *= gain
    net = nn.Sequential(*layers)
    inputs = random_input(seed, 8)
    graph = export_to_nir(net, torch.zeros(1, 8))
    functional.reset_net(net)
    with torch.no_grad():
        outputs = [net(torch.from_numpy(x)[None]).numpy()[0] for x in inputs]
    return graph, inputs, np.stack(outputs)


def exact():
    """Weights and inputs of small whole numbers: potentials meet their thresholds."""
    net = nn.Sequential(layer.Linear(4, 4, bias=False), neuron.IFNode(v_threshold=2.0))
    net[0].weight.data = torch.tensor([[1.0, 0, 0, 0], [1, 1, 0, 0], [1, 1, 1, 0], [2, 0, 0, 1]])
    inputs = (np.random.default_rng(3).random((100, 4)) < 0.4).astype(np.float32)
    graph = export_to_nir(net, torch.zeros(1, 4))
    functional.reset_net(net)
    with torch.no_grad():
        outputs = [net(torch.from_numpy(x)[None]).numpy()[0] for x in inputs]
    return graph, inputs, np.stack(outputs)


NETWORKS = {
    "if": lambda: record(neuron.IFNode, 1, gain=2.0),
    "if-exact": exact,
    "lif": lambda: record(lambda: neuron.LIFNode(tau=4.0, v_threshold=0.3), 2, gain=4.0),
    "lif-no-input-decay": lambda: record(lambda: neuron.LIFNode(tau=4.0, decay_input=False), 3, gain=2.0),
    "cubalif": lambda: record(lambda: neuron.CUBALIFNode(c_decay=0.5, v_decay=0.8, v_threshold=1.0), 4, gain=2.0),
}
