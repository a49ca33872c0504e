"""JAX, one jitted function around jax.lax.scan: the way Spyx runs a network; its constant first layer is computed once.

`by_step` scans once over the steps of the whole network, as Spyx does; `by_layer` scans each layer on its own, so that
the layers after the first are one matrix product for all steps.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array, lax

from network import Layer, Operation


@dataclass
class JaxPeer:
    """`run` takes what `prepare` makes from a batch and returns the spike counts [batch, outputs]."""

    run: Callable[[Array], Array]
    series: bool

    @property
    def version(self) -> str:
        return f"JAX {jax.__version__}"

    def prepare(self, batch: np.ndarray) -> Array:
        if self.series:  # [steps, batch, y, x, channel]: the order in which XLA's convolutions on CPUs are fast
            batch = np.moveaxis(batch.swapaxes(0, 1), 2, -1)
        return jax.block_until_ready(jnp.asarray(np.ascontiguousarray(batch)))

    def counts(self, result: Array) -> list[list[int]]:
        return np.rint(np.asarray(result)).astype(int).tolist()


def _currents(layer: Layer) -> Callable[[Array], Array]:
    """The layer's linear operations, on [batch, …]."""
    constants = [
        (None, None) if op.weight is None else (jnp.asarray(_laid_out(op)), jnp.asarray(op.bias, dtype=jnp.float32))
        for op in layer.operations
    ]

    def run(x: Array) -> Array:
        for op, (weight, bias) in zip(layer.operations, constants, strict=True):
            if op.type == "Flatten":  # the weights after it need channels first
                x = jnp.moveaxis(x, -1, 1).reshape(x.shape[0], -1)
            elif op.type == "SumPool2d":
                x = lax.reduce_window(x, 0.0, lax.add, (1, *op.kernel, 1), (1, *op.stride, 1), "VALID")
            elif op.type == "Conv2d":
                sides = [(side, side) for side in op.padding]
                x = lax.conv_general_dilated(x, weight, op.stride, sides, dimension_numbers=("NHWC", "HWIO", "NHWC"))
                x = x + bias
            else:
                x = x @ weight + bias
        return x

    return run


def _laid_out(op: Operation) -> np.ndarray:
    axes = (2, 3, 1, 0) if op.type == "Conv2d" else (1, 0)
    return np.ascontiguousarray(op.weight.transpose(axes)).astype(np.float32)


def _step(decay: float, v: Array, x: Array) -> tuple[Array, Array]:
    v = decay * v + x
    spikes = (v > 1).astype(x.dtype)
    return v - spikes, spikes


def _of_steps(currents: Callable[[Array], Array], x: Array) -> Array:
    y = currents(x.reshape(-1, *x.shape[2:]))
    return y.reshape(*x.shape[:2], *y.shape[1:])


def by_step(layers: list[Layer], steps: int, series: bool) -> JaxPeer:
    currents = [_currents(layer) for layer in layers]

    @jax.jit
    def run(x: Array) -> Array:
        first = _of_steps(currents[0], x) if series else currents[0](x)

        def through(x: Array) -> list[Array]:
            inputs = [x]
            for current in currents[1:]:
                inputs.append(current(inputs[-1]))
            return inputs

        shapes = jax.eval_shape(through, first[0] if series else first)
        zeros = [jnp.zeros(shape.shape, shape.dtype) for shape in shapes]

        def step(state: tuple, x: Array | None) -> tuple[tuple, None]:
            potentials, counts = state
            spikes, after = (first if x is None else x), []
            for k, layer in enumerate(layers):
                v, spikes = _step(layer.decay, potentials[k], currents[k](spikes) if k > 0 else spikes)
                after.append(v)
            return (after, counts + spikes), None

        (_, counts), _ = lax.scan(step, (zeros, zeros[-1]), first if series else None, length=steps)
        return counts

    return JaxPeer(run, series)


def by_layer(layers: list[Layer], steps: int, series: bool) -> JaxPeer:
    currents = [_currents(layer) for layer in layers]

    @jax.jit
    def run(x: Array) -> Array:
        constant = None if series else currents[0](x)
        xs = _of_steps(currents[0], x) if series else None
        for k, layer in enumerate(layers):
            if k > 0:
                xs, constant = _of_steps(currents[k], xs), None
            zero = jnp.zeros_like(xs[0] if constant is None else constant)

            def step(v: Array, x: Array | None, constant: Array | None = constant, decay: float = layer.decay):
                return _step(decay, v, constant if x is None else x)

            _, xs = lax.scan(step, zero, xs if constant is None else None, length=steps)
        return xs.sum(0)

    return JaxPeer(run, series)
