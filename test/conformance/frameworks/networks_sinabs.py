"""sinabs: https://sinabs.readthedocs.io. Decays exponentially, in time constants of steps, and fires several spikes a step."""

import numpy as np
import sinabs.activation as sa
import sinabs.layers as sl
import torch
from record import STEPS, random_input
from sinabs.nir import to_nir
from torch import nn

SIZE = 12


class Bare(nn.Module):
    """The layers one after the other; input [batch, time, elements]."""

    def __init__(self, layers):
        super().__init__()
        self.layers = nn.Sequential(*layers)

    def forward(self, x):
        return self.layers(x)


def record(make, seed, gain=1.0, batch=1):
    torch.manual_seed(seed)
    layers = [nn.Linear(8, SIZE), make(), nn.Linear(SIZE, SIZE), make()]
    for layer in layers[::2]:
        layer.weight.data *= gain
    net = nn.Sequential(*layers)
    inputs = random_input(seed, 8)
    with torch.no_grad():
        outputs = net(torch.from_numpy(inputs)).numpy()
        for layer in layers[1::2]:
            layer.reset_states()
        graph = to_nir(net, torch.zeros(STEPS, 8))
    return graph, inputs, outputs


def squeeze(kind, **options):
    return lambda: kind(batch_size=1, num_timesteps=STEPS, **options)


def tau():
    return torch.full((SIZE,), 8.0)


def threshold(value):
    return torch.full((SIZE,), value)


NETWORKS = {
    "iaf": lambda: record(squeeze(sl.IAFSqueeze), 1, gain=2.0),
    "iaf-single": lambda: record(squeeze(sl.IAFSqueeze, spike_fn=sa.SingleSpike), 2, gain=2.0),
    "iaf-reset": lambda: record(squeeze(sl.IAFSqueeze, reset_fn=sa.MembraneReset()), 3, gain=2.0),
    "lif": lambda: record(squeeze(sl.LIFSqueeze, tau_mem=tau(), spike_threshold=threshold(0.2)), 4, gain=4.0),
    "lif-not-normalised": lambda: record(squeeze(sl.LIFSqueeze, tau_mem=tau(), spike_threshold=threshold(1.0), norm_input=False), 5, gain=2.0),
    "exp-leak": lambda: record(squeeze(sl.ExpLeakSqueeze, tau_mem=tau()), 6),
    "lif-synapse": lambda: record(squeeze(sl.LIFSqueeze, tau_mem=tau(), tau_syn=tau() / 2, spike_threshold=threshold(0.2)), 7, gain=4.0),
}
