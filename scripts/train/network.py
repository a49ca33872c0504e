"""The spiking network in JAX: the dynamics of proto/NUMERICS.md with a surrogate gradient.

    x[768] → Affine → LIF[hidden] → Affine → LIF[45] (or LI[45]) → readout

The input is constant, so the first affine is evaluated once. The forward pass is exactly the
engines' Euler step; only the derivative of the spike is replaced, by that of a fast sigmoid
(Zenke and Ganguli 2018, "SuperSpike", arXiv:1705.11146; Neftci et al. 2019, arXiv:1901.09948).
"""

from __future__ import annotations

from dataclasses import dataclass

import jax
import jax.numpy as jnp
import numpy as np

DT = 1e-3  # seconds
SURROGATE_SLOPE = 4.0  # of the fast sigmoid, per unit of v - v_threshold
READOUTS = ("spike_count", "mean_potential", "last_potential")

Parameters = dict[str, jax.Array]


@dataclass(frozen=True)
class Shape:
    """What is fixed before training. Times in seconds; thresholds are 1, v_leak and v_reset 0."""

    inputs: int = 768
    hidden: int = 384
    classes: int = 45
    steps: int = 16
    tau_hidden: float = 4e-3
    tau_output: float = 2e-3
    reset: str = "subtract"  # value | subtract
    readout: str = "spike_count"

    @property
    def input_gain(self) -> float:
        """Encodings have length 1; this brings their elements to a spread of 1."""
        return self.inputs**0.5

    @property
    def output_spikes(self) -> bool:
        """Spike counts need LIF outputs; potentials are read from LI outputs."""
        return self.readout == "spike_count"


def initial_parameters(shape: Shape, key: jax.Array) -> Parameters:
    """Random weights (out, in), with currents that let about a third of the neurons spike.

    `weight1` is in units of `input_gain`, so that Adam's step size fits.
    """
    first, second = jax.random.split(key)
    return {
        "weight1": jax.random.normal(first, (shape.hidden, shape.inputs)) / shape.inputs**0.5,
        "bias1": jnp.full(shape.hidden, 0.5),
        "weight2": jax.random.normal(second, (shape.classes, shape.hidden)) / shape.hidden**0.5,
        "bias2": jnp.full(shape.classes, 0.5),
    }


@jax.custom_jvp
def spike(above: jax.Array) -> jax.Array:
    """1 where `above` = v - v_threshold > 0, strictly; else 0."""
    return (above > 0).astype(jnp.float32)


@spike.defjvp
def _spike_jvp(primals: tuple, tangents: tuple) -> tuple[jax.Array, jax.Array]:
    (above,), (change,) = primals, tangents
    return spike(above), change / (1 + SURROGATE_SLOPE * jnp.abs(above)) ** 2


def lif(v: jax.Array, x: jax.Array, a: np.float32, reset: str) -> tuple[jax.Array, jax.Array]:
    """One Euler step of LIF with v_leak 0, r 1, threshold 1: the new v and the spikes.

    The reset itself carries no gradient (Zenke and Vogels 2021, doi:10.1162/neco_a_01367).
    """
    v = v + a * (-v + x)
    spikes = spike(v - 1)
    fired = jax.lax.stop_gradient(spikes)
    return (v * (1 - fired) if reset == "value" else v - fired), spikes


def forward(p: Parameters, x: jax.Array, shape: Shape, keep: jax.Array) -> tuple[jax.Array, ...]:
    """Readout (batch, classes) and hidden spikes in a run (batch,) of encodings (batch, inputs).

    `keep` (batch, hidden) scales the hidden spikes: ones to infer, a dropout mask to train.
    """
    a_hidden, a_output = np.float32(DT / shape.tau_hidden), np.float32(DT / shape.tau_output)
    current = x @ (p["weight1"].T * shape.input_gain) + p["bias1"]

    def step(state: tuple, _: None) -> tuple[tuple, None]:
        hidden_v, output_v, readout, hidden_spikes = state
        hidden_v, spikes = lif(hidden_v, current, a_hidden, shape.reset)
        drive = (spikes * keep) @ p["weight2"].T + p["bias2"]
        if shape.output_spikes:
            output_v, out = lif(output_v, drive, a_output, shape.reset)
        else:
            out = output_v = output_v + a_output * (-output_v + drive)
        readout = out if shape.readout == "last_potential" else readout + out
        return (hidden_v, output_v, readout, hidden_spikes + spikes.sum(1)), None

    batch = len(x)
    zeros = jnp.zeros((batch, shape.classes))
    start = (jnp.zeros((batch, shape.hidden)), zeros, zeros, jnp.zeros(batch))
    (_, _, readout, hidden_spikes), _ = jax.lax.scan(step, start, None, shape.steps)
    if shape.readout == "mean_potential":
        readout = readout / shape.steps
    return readout, hidden_spikes
