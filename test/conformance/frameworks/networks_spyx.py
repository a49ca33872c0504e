"""Spyx: https://spyx.readthedocs.io. Its neurons fire a step late, and reset as snnTorch's."""

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
    net = snn.Sequential(*layers)
    inputs = random_input(seed, 8)
    outputs, _ = snn.run(net, jnp.asarray(inputs)[:, None])
    graph = spyx.nir.to_nir(net, {"input": np.array([8])}, {"output": np.array([SIZE])})
    return graph, inputs, np.asarray(outputs)[:, 0]


NETWORKS = {
    "if": lambda: record(lambda rngs: snn.IF((SIZE,), rngs=rngs), 1, gain=1.5),
    "lif": lambda: record(lambda rngs: snn.LIF((SIZE,), beta=0.9, rngs=rngs), 2),
    "cubalif": lambda: record(lambda rngs: snn.CuBaLIF((SIZE,), alpha=0.7, beta=0.9, rngs=rngs), 3),
    "psu-lif": lambda: record(lambda rngs: snn.PSU_LIF((SIZE,), beta=0.9, rngs=rngs), 4),
    "rlif": lambda: record(lambda rngs: snn.RLIF((SIZE,), beta=0.9, rngs=rngs), 5),
}
