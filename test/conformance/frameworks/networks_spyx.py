"""Spyx: https://spyx.readthedocs.io. Its neurons fire one step late, and reset in the same way as snnTorch's."""

import jax
import jax.numpy as jnp
import numpy as np
import spyx.nir
import spyx.nn as snn
from flax import nnx
from record import random_input

SIZE = 12


def record(make, seed, gain=3.0, recurrent=False):
    rngs = nnx.Rngs(seed)
    layers = [nnx.Linear(8, SIZE, rngs=rngs), make(rngs), nnx.Linear(SIZE, SIZE, rngs=rngs), make(rngs)]
    for layer in layers[::2]:
        layer.kernel[...] = layer.kernel[...] * gain
    return run(layers, seed, 8)


def run(layers, seed, *shape, outputs=SIZE):
    net = snn.Sequential(*layers)
    inputs = random_input(seed, *shape)
    channels_last = inputs if len(shape) == 1 else inputs.transpose(0, 2, 3, 1)
    recorded, _ = snn.run(net, jnp.asarray(channels_last)[:, None])
    graph = spyx.nir.to_nir(net, {"input": np.array(shape)}, {"output": np.array([outputs])})
    return graph, inputs, np.asarray(recorded)[:, 0]


def conv(channels_first=False):
    rngs = nnx.Rngs(6)
    first, dense = nnx.Conv(2, 4, (3, 3), padding="VALID", rngs=rngs), nnx.Linear(36, 5, rngs=rngs)
    first.kernel[...] = first.kernel[...] * 2
    dense.kernel[...] = dense.kernel[...] * 2
    pool = snn.SumPool((2, 2), (2, 2), "VALID", channel_axis=-1)
    layers = [first, snn.LIF((6, 6, 4), beta=0.9, rngs=rngs), pool, snn.Flatten(), dense, snn.IF((5,), rngs=rngs)]
    graph, inputs, outputs = run(layers, 6, 2, 8, 8, outputs=5)
    if channels_first:
        weight = graph.nodes["layer_4"].weight
        graph.nodes["layer_4"].weight = weight.reshape(5, 3, 3, 4).transpose(0, 3, 1, 2).reshape(5, 36)
    return graph, inputs, outputs


def mixed():
    rngs = nnx.Rngs(7)
    hidden, last = snn.CuBaLIF((SIZE,), alpha=0.7, beta=0.9, rngs=rngs), snn.LIF((SIZE,), beta=0.9, rngs=rngs)
    return run([nnx.Linear(8, SIZE, rngs=rngs), hidden, nnx.Linear(SIZE, SIZE, rngs=rngs), last], 7, 8)


def leaky_readout():
    rngs = nnx.Rngs(8)
    hidden, last = snn.LIF((SIZE,), beta=0.9, rngs=rngs), snn.LI((SIZE,), rngs=rngs)
    return run([nnx.Linear(8, SIZE, rngs=rngs), hidden, nnx.Linear(SIZE, SIZE, rngs=rngs), last], 8, 8)


NETWORKS = {
    "if": lambda: record(lambda rngs: snn.IF((SIZE,), rngs=rngs), 1, gain=1.5),
    "lif": lambda: record(lambda rngs: snn.LIF((SIZE,), beta=0.9, rngs=rngs), 2),
    "cubalif": lambda: record(lambda rngs: snn.CuBaLIF((SIZE,), alpha=0.7, beta=0.9, rngs=rngs), 3),
    "psu-lif": lambda: record(lambda rngs: snn.PSU_LIF((SIZE,), beta=0.9, rngs=rngs), 4),
    "rlif": lambda: record(lambda rngs: snn.RLIF((SIZE,), beta=0.9, rngs=rngs), 5),
    "conv": conv,
    "conv-reordered": lambda: conv(channels_first=True),
    "mixed": mixed,
    "li": leaky_readout,
}

CAUSES = {
    "rlif": "the exporter leads the input through the recurrent weights",
    "conv": "the exporter leaves the weights behind a Flatten in the order of channels last; conv-reordered has them in NIR's",
    "li": "the exporter leaves LI out",
}
