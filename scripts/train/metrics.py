"""What the reports state: accuracy, macro-F1, calibration."""

from __future__ import annotations

import numpy as np

ECE_BINS = 15


def accuracy(predicted: np.ndarray, labels: np.ndarray) -> float:
    """Share of right answers."""
    return float((predicted == labels).mean())


def macro_f1(predicted: np.ndarray, labels: np.ndarray) -> float:
    """Mean F1 over the classes that occur in `labels`; each class has the same weight."""
    scores = []
    for label in np.unique(labels):
        right = ((predicted == label) & (labels == label)).sum()
        scores.append(2 * right / ((predicted == label).sum() + (labels == label).sum()))
    return float(np.mean(scores))


def softmax(readout: np.ndarray, temperature: float) -> np.ndarray:
    """Scores (n, classes) as the router makes them, in binary64."""
    scaled = readout.astype(np.float64) / temperature
    weights = np.exp(scaled - scaled.max(1, keepdims=True))
    return weights / weights.sum(1, keepdims=True)


def negative_log_likelihood(scores: np.ndarray, labels: np.ndarray) -> float:
    """Mean -ln(score of the right class)."""
    return float(-np.log(scores[np.arange(len(labels)), labels] + 1e-300).mean())


def expected_calibration_error(scores: np.ndarray, labels: np.ndarray) -> float:
    """Mean gap between confidence and accuracy over 15 equal-width bins, weighted by size.

    Guo et al. 2017, "On calibration of modern neural networks", arXiv:1706.04599.
    """
    confidence, right = scores.max(1), scores.argmax(1) == labels
    bins = np.minimum((confidence * ECE_BINS).astype(int), ECE_BINS - 1)
    gaps = [
        abs(confidence[bins == b].mean() - right[bins == b].mean()) * (bins == b).mean()
        for b in np.unique(bins)
    ]
    return float(sum(gaps))


def fit_temperature(readout: np.ndarray, labels: np.ndarray) -> float:
    """The temperature of least negative log-likelihood, to three digits (Guo et al. 2017)."""
    candidates = np.geomspace(0.02, 50, 1200)
    losses = [negative_log_likelihood(softmax(readout, t), labels) for t in candidates]
    return float(f"{candidates[int(np.argmin(losses))]:.3g}")
