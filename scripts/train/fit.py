"""Training: AdamW, backpropagation through the 16 steps, the best epoch by validation."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
import optax

from network import Parameters, Shape, forward, initial_parameters

# The loss sees softmax(readout × sharpness). For counts it is small on purpose: classes must then
# differ by several spikes, which leaves fewer ties at the top.
SHARPNESS = {"spike_count": 0.5, "mean_potential": 4.0, "last_potential": 4.0}


@dataclass(frozen=True)
class Recipe:
    """How to train. Loss = cross-entropy + `spike_cost` × mean hidden spikes per neuron and run."""

    epochs: int = 16
    batch: int = 256
    learning_rate: float = 2e-3
    weight_decay: float = 1e-2
    dropout: float = 0.3
    input_noise: float = 0.01  # standard deviation added to each input while training
    label_smoothing: float = 0.05
    spike_cost: float = 0.05
    seed: int = 2026


def train(
    train_set: tuple[np.ndarray, np.ndarray],
    validation_set: tuple[np.ndarray, np.ndarray],
    shape: Shape,
    recipe: Recipe,
    report: Callable[[str], None],
) -> Parameters:
    """Parameters of the epoch with the best validation accuracy.

    Each set is (encodings float32 (n, inputs), labels int (n,)).
    """
    x, labels = train_set
    key = jax.random.key(recipe.seed)
    rng = np.random.default_rng(recipe.seed)
    parameters = initial_parameters(shape, key)
    batches = len(x) // recipe.batch
    schedule = optax.cosine_onecycle_schedule(recipe.epochs * batches, recipe.learning_rate, 0.1)
    optimizer = optax.adamw(schedule, weight_decay=recipe.weight_decay)
    state = optimizer.init(parameters)
    best, best_accuracy = parameters, -1.0
    for epoch in range(1, recipe.epochs + 1):
        order = rng.permutation(len(x))[: batches * recipe.batch].reshape(batches, recipe.batch)
        losses = []
        for rows in order:
            key, used = jax.random.split(key)
            parameters, state, loss = _update(
                parameters, state, x[rows], labels[rows], used, optimizer.update, shape, recipe
            )
            losses.append(loss)
        accuracy, spikes = evaluate(parameters, *validation_set, shape)
        report(
            f"epoch {epoch:2d}/{recipe.epochs}  loss {np.mean(losses):.3f}"
            f"  validation {accuracy:.4f}  hidden spikes {spikes:.0f}"
        )
        if accuracy > best_accuracy:
            best, best_accuracy = parameters, accuracy
    return best


def evaluate(
    parameters: Parameters, x: np.ndarray, labels: np.ndarray, shape: Shape
) -> tuple[float, float]:
    """Accuracy and mean hidden spikes per run."""
    readout, spikes = infer(parameters, x, shape)
    return float((readout.argmax(1) == labels).mean()), float(spikes.mean())


def infer(parameters: Parameters, x: np.ndarray, shape: Shape) -> tuple[np.ndarray, np.ndarray]:
    """Readout (n, classes) and hidden spikes (n,), a thousand rows at a time."""
    parts = [_infer(parameters, x[i : i + 1000], shape) for i in range(0, len(x), 1000)]
    readouts, spikes = zip(*parts, strict=True)
    return np.concatenate(readouts), np.concatenate(spikes)


@partial(jax.jit, static_argnames="shape")
def _infer(parameters: Parameters, x: jax.Array, shape: Shape) -> tuple[jax.Array, jax.Array]:
    return forward(parameters, x, shape, jnp.ones((len(x), shape.hidden)))


def _loss(
    parameters: Parameters,
    x: jax.Array,
    labels: jax.Array,
    key: jax.Array,
    shape: Shape,
    recipe: Recipe,
) -> jax.Array:
    drop_key, noise_key = jax.random.split(key)
    kept = 1 - recipe.dropout
    keep = jax.random.bernoulli(drop_key, kept, (len(x), shape.hidden)) / kept
    x = x + recipe.input_noise * jax.random.normal(noise_key, x.shape)
    readout, spikes = forward(parameters, x, shape, keep)
    target = optax.smooth_labels(jax.nn.one_hot(labels, shape.classes), recipe.label_smoothing)
    error = optax.softmax_cross_entropy(readout * SHARPNESS[shape.readout], target).mean()
    return error + recipe.spike_cost * spikes.mean() / shape.hidden


@partial(jax.jit, static_argnames=("update", "shape", "recipe"))
def _update(
    parameters: Parameters,
    state: optax.OptState,
    x: jax.Array,
    labels: jax.Array,
    key: jax.Array,
    update: Callable,
    shape: Shape,
    recipe: Recipe,
) -> tuple[Parameters, optax.OptState, jax.Array]:
    loss, slope = jax.value_and_grad(_loss)(parameters, x, labels, key, shape, recipe)
    change, state = update(slope, state, parameters)
    return optax.apply_updates(parameters, change), state, loss
