"""sinabs: https://sinabs.readthedocs.io. Decays exponentially, in time constants of steps, and fires several spikes a step."""

import numpy as np
import sinabs.activation as sa
import sinabs.layers as sl
import torch
from record import STEPS, random_input
from sinabs.from_torch import from_model
from sinabs.nir import to_nir
from torch import nn

SIZE = 12


def record(make, seed, gain=1.0):
    torch.manual_seed(seed)
    layers = [nn.Linear(8, SIZE), make(), nn.Linear(SIZE, SIZE), make()]
    for layer in layers[::2]:
        layer.weight.data *= gain
    return run(nn.Sequential(*layers), seed, 8)


def run(net, seed, *shape):
    inputs = random_input(seed, *shape)
    with torch.no_grad():
        outputs = net(torch.from_numpy(inputs)).numpy()
        for layer in net.modules():
            if hasattr(layer, "reset_states"):
                layer.reset_states()
        graph = to_nir(net, torch.zeros(STEPS, *shape))
    graph.infer_types()  # or nir 1.0.8 cannot write a convolution
    return graph, inputs, outputs


def squeeze(kind, **options):
    return lambda: kind(batch_size=1, num_timesteps=STEPS, **options)


def tau():
    return torch.full((SIZE,), 8.0)


def threshold(value):
    return torch.full((SIZE,), value)


def conv():
    torch.manual_seed(8)
    first, second = nn.Conv2d(2, 4, 3, padding=1, stride=2), nn.Conv2d(4, 8, 3, groups=2, padding=1)
    layers = [first, iaf(), second, iaf(), sl.SumPool2d((2, 1), stride=1), nn.Flatten(), nn.Linear(96, 5), iaf()]
    for layer in (first, second):
        layer.weight.data *= 2
    return run(nn.Sequential(*layers), 8, 2, 8, 8)


def conv1d():
    torch.manual_seed(9)
    layers = [nn.Conv1d(2, 4, 3, padding=1), iaf(), nn.Flatten(), nn.Linear(64, 5), iaf()]
    layers[0].weight.data *= 2
    return run(nn.Sequential(*layers), 9, 2, 16)


def converted(**options):
    """A convolutional network of ReLU, converted by sinabs."""
    torch.manual_seed(10)
    layers = [nn.Conv2d(2, 4, 3, bias=False), nn.ReLU(), sl.SumPool2d(2), nn.Flatten(), nn.Linear(36, 5), nn.ReLU()]
    layers[0].weight.data *= 2
    net = from_model(nn.Sequential(*layers), batch_size=1, num_timesteps=STEPS, synops=False, **options)
    return run(net.spiking_model, 10, 2, 8, 8)


def lif_then_leak(**options):
    torch.manual_seed(11)
    layers = [nn.Linear(8, SIZE), lif(), nn.Linear(SIZE, SIZE), squeeze(sl.ExpLeakSqueeze, tau_mem=tau(), **options)()]
    layers[0].weight.data *= 4
    return run(nn.Sequential(*layers), 11, 8)


iaf = squeeze(sl.IAFSqueeze)
lif = squeeze(sl.LIFSqueeze, tau_mem=tau(), spike_threshold=threshold(0.2))

NETWORKS = {
    "iaf": lambda: record(squeeze(sl.IAFSqueeze), 1, gain=2.0),
    "iaf-single": lambda: record(squeeze(sl.IAFSqueeze, spike_fn=sa.SingleSpike), 2, gain=2.0),
    "iaf-reset": lambda: record(squeeze(sl.IAFSqueeze, reset_fn=sa.MembraneReset()), 3, gain=2.0),
    "lif": lambda: record(lif, 4, gain=4.0),
    "lif-not-normalised": lambda: record(squeeze(sl.LIFSqueeze, tau_mem=tau(), spike_threshold=threshold(1.0), norm_input=False), 5, gain=2.0),
    "exp-leak": lambda: record(squeeze(sl.ExpLeakSqueeze, tau_mem=tau()), 6),
    "lif-synapse": lambda: record(squeeze(sl.LIFSqueeze, tau_mem=tau(), tau_syn=tau() / 2, spike_threshold=threshold(0.2)), 7, gain=4.0),
    "conv": conv,
    "conv1d": conv1d,
    "converted": lambda: converted(min_v_mem=None),
    "converted-floor": converted,
    "lif-then-leak": lif_then_leak,
    "lif-then-leak-alike": lambda: lif_then_leak(norm_input=True),
}

CAUSES = {
    "lif-synapse": "the exporter leaves tau_syn out",
}
