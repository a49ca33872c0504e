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
    return run(layers, seed, 8)


def run(layers, seed, *shape):
    net = norse.SequentialState(*layers)
    inputs = random_input(seed, *shape)
    graph = to_nir(net, torch.zeros(1, *shape))
    outputs, state = [], None
    with torch.no_grad():
        for x in inputs:
            out, state = net(torch.from_numpy(x)[None], state)
            outputs.append((out.to_dense() if out.is_sparse else out).numpy()[0])
    return graph, inputs, np.stack(outputs)


def parameters(kind, **given):
    values = {"tau_mem_inv": 100.0, "v_leak": 0.0, "v_th": 0.1, "v_reset": 0.0, **given}
    return kind(**{name: torch.full((SIZE,), value) for name, value in values.items()})


def lif_box(**given):
    return norse.LIFBoxCell(parameters(norse.LIFBoxParameters, **given), dt=0.001)


def lif():
    return norse.LIFCell(parameters(norse.LIFParameters, tau_syn_inv=200.0, v_th=0.3), dt=0.001)


def li_box():
    p = norse.LIBoxParameters(tau_mem_inv=torch.full((SIZE,), 100.0), v_leak=torch.zeros(SIZE))
    return norse.LIBoxCell(p, dt=0.001)


def iaf():
    return norse.IAFCell(norse.IAFParameters(v_th=torch.full((SIZE,), 1.0), v_reset=torch.zeros(SIZE)))


def conv():
    torch.manual_seed(5)
    return run([nn.Conv2d(2, 4, 3), norse.LIFBoxCell(norse.LIFBoxParameters(), dt=0.001)], 5, 2, 8, 8)


def lif_then_li():
    torch.manual_seed(6)
    layers = [nn.Linear(8, SIZE), lif(), nn.Linear(SIZE, SIZE), li_box()]
    layers[0].weight.data *= 4
    return run(layers, 6, 8)


NETWORKS = {
    "lifbox": lambda: record(lif_box, 1, gain=3.0),
    "lif": lambda: record(lif, 2, gain=3.0),
    "libox": lambda: record(li_box, 3),
    "iaf": lambda: record(iaf, 4, gain=2.0),
    "conv": conv,
    "lif-then-li": lif_then_li,
    "lifbox-leak": lambda: record(lambda: lif_box(v_leak=0.05), 7, gain=3.0),
    "lifbox-reset": lambda: record(lambda: lif_box(v_reset=-0.05), 8, gain=3.0),
}

CAUSES = {
    "conv": "the exporter leaves the input_shape of a convolution out, and nir 1.0.8 cannot write it so",
    "lifbox-reset": "the exporter leaves v_reset out",
}
