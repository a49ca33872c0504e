"""The baseline: multinomial logistic regression on the same encodings and the same split."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import jax
import jax.numpy as jnp
import numpy as np
from scipy.optimize import minimize

from metrics import accuracy

PENALTIES = (5e-4, 1e-3, 2e-3, 4e-3)  # L2, for inputs scaled to a spread of 1
ITERATIONS = 200


@dataclass(frozen=True)
class LinearClassifier:
    """`weight` (classes, inputs) and `bias` (classes,), float32."""

    weight: np.ndarray
    bias: np.ndarray

    def predict(self, x: np.ndarray) -> np.ndarray:
        """Class index of each encoding."""
        return (x @ self.weight.T + self.bias).argmax(1)


def fit_linear(
    train_set: tuple[np.ndarray, np.ndarray],
    validation_set: tuple[np.ndarray, np.ndarray],
    classes: int,
    report: Callable[[str], None],
) -> LinearClassifier:
    """The penalty of the best validation accuracy, each fitted by L-BFGS from zero."""
    best, best_accuracy = None, -1.0
    for penalty in PENALTIES:
        model = _fit(*train_set, classes, penalty)
        value = accuracy(model.predict(validation_set[0]), validation_set[1])
        report(f"linear, L2 {penalty:g}: validation {value:.4f}")
        if value > best_accuracy:
            best, best_accuracy = model, value
    return best


def _fit(x: np.ndarray, labels: np.ndarray, classes: int, penalty: float) -> LinearClassifier:
    inputs = x.shape[1]
    gain = inputs**0.5
    scaled = jnp.asarray(x) * gain
    target = jnp.asarray(labels)

    @jax.jit
    def loss(flat: jax.Array) -> jax.Array:
        weight, bias = flat[:-classes].reshape(classes, inputs), flat[-classes:]
        scores = jax.nn.log_softmax(scaled @ weight.T + bias)
        return -scores[jnp.arange(len(target)), target].mean() + penalty * (weight**2).sum()

    slope = jax.jit(jax.value_and_grad(loss))

    def both(flat: np.ndarray) -> tuple[float, np.ndarray]:
        value, gradient = slope(jnp.asarray(flat, jnp.float32))
        return float(value), np.asarray(gradient, float)

    start = np.zeros(classes * (inputs + 1))
    found = minimize(both, start, jac=True, method="L-BFGS-B", options={"maxiter": ITERATIONS}).x
    weight = found[:-classes].reshape(classes, inputs) * gain
    return LinearClassifier(weight.astype(np.float32), found[-classes:].astype(np.float32))
