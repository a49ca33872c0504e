"""Norse: https://norse.github.io. Its exporter writes time constants multiplied by dt once too often."""

import norse.torch as norse
import numpy as np
import torch
from norse.torch.utils.export_nir import to_nir
from record import random_input
from torch import nn

SIZE = 12


def record(make, seed, gain=1.0):
    torch.manual_seed(seed)
    layers = [nn.Linear(8, SIZE), make(), nn.Linear(SIZE, SIZE), make()]
    for layer in layers[::2]:
        layer.weight.data *= gain
    net = norse.SequentialState(*layers)
    inputs = random_input(seed, 8)
    graph = to_nir(net, torch.zeros(1, 8))
    outputs, state = [], None
    with torch.no_grad():
        for x in inputs:
            out, state = net(torch.from_numpy(x)[None], state)
            outputs.append((out.to_dense() if out.is_sparse else out).numpy()[0])
    return graph, inputs, np.stack(outputs)


def parameters(kind, **given):
    values = {"tau_mem_inv": 100.0, "v_leak": 0.0, "v_th": 0.1, "v_reset": 0.0, **given}
    return kind(**{name: torch.full((SIZE,), value) for name, value in values.items()})


def lif_box():
    return norse.LIFBoxCell(parameters(norse.LIFBoxParameters), dt=0.001)


def lif():
    return norse.LIFCell(parameters(norse.LIFParameters, tau_syn_inv=200.0, v_th=0.3), dt=0.001)


def li_box():
    p = norse.LIBoxParameters(tau_mem_inv=torch.full((SIZE,), 100.0), v_leak=torch.zeros(SIZE))
    return norse.LIBoxCell(p, dt=0.001)


def iaf():
    return norse.IAFCell(norse.IAFParameters(v_th=torch.full((SIZE,), 1.0), v_reset=torch.zeros(SIZE)))


NETWORKS = {
    "lifbox": lambda: record(lif_box, 1, gain=3.0),
    "lif": lambda: record(lif, 2, gain=3.0),
    "libox": lambda: record(li_box, 3),
    "iaf": lambda: record(iaf, 4, gain=2.0),
}
