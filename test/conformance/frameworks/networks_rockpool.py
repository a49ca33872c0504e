"""Rockpool: https://rockpool.ai. Decays exponentially; the current decays with its input; fires at the threshold, several times."""

import torch
from nirtorch import extract_nir_graph
from record import random_input
from rockpool.nn.combinators import Sequential
from rockpool.nn.modules import ExpSynTorch, LIFNeuronTorch, LIFTorch, LinearTorch
from rockpool.nn.modules.torch.nir import _extract_rockpool_module

SIZE = 12


def record(make, seed, gain=1.0):
    torch.manual_seed(seed)
    net = Sequential(
        LinearTorch((8, SIZE), has_bias=False), make(), LinearTorch((SIZE, SIZE), has_bias=False), make()
    )
    for name, parameter in net.named_parameters():
        if name.endswith("weight"):
            parameter.data *= gain
        parameter.requires_grad_(False)  # or nir cannot write the tau of an ExpSyn
    inputs = random_input(seed, 8)
    # Rockpool's to_nir keeps batch and time in the Input's shape, which nir 1.0.8 refuses; the rest is to_nir's own.
    graph = extract_nir_graph(net, _extract_rockpool_module, torch.zeros(1, 1, 8), ignore_dims=[0, 1])
    net.reset_state()
    with torch.no_grad():
        outputs, _, _ = net(torch.from_numpy(inputs)[None])
    return graph, inputs, outputs.numpy()[0]


NETWORKS = {
    "lif": lambda: record(lambda: LIFTorch(SIZE, tau_mem=0.01, tau_syn=0.005, dt=0.001), 1),
    "lif-neuron": lambda: record(lambda: LIFNeuronTorch(SIZE, tau_mem=0.01, dt=0.001), 2, gain=2.0),
    "exp-syn": lambda: record(lambda: ExpSynTorch(SIZE, tau=0.01, dt=0.001), 3),
    "lif-bias": lambda: record(lambda: LIFTorch(SIZE, bias=torch.full((SIZE,), 0.1), dt=0.001), 4),
    "lif-recurrent": lambda: record(lambda: LIFTorch(SIZE, has_rec=True, dt=0.001), 5),
}

CAUSES = {
    "lif-bias": "the exporter leaves biases out",
    "lif-recurrent": "the exporter leaves recurrent weights out",
}
