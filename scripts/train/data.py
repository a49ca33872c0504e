"""The labelled encodings and their split into training, validation and test."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from download import encoder_folder, wordnet_folder
from gloss_encodings import encode_first, stratified_order
from wordnet import Synset, read_synsets

SEED = 2026

# Everyday words for the command line's samples, chosen before any training and kept out of it.
SAMPLE_CANDIDATES = {
    "dog": "dog.n.01",
    "bread": "bread.n.01",
    "piano": "piano.n.01",
    "oak": "oak.n.02",
    "teacher": "teacher.n.01",
    "rain": "rain.v.01",
    "joy": "joy.n.01",
    "gold": "gold.n.03",
    "triangle": "triangle.n.01",
    "monday": "monday.n.01",
    "swim": "swim.v.01",
    "knee": "knee.n.01",
    "london": "london.n.01",
    "whisper": "whisper.v.01",
    "volcano": "volcano.n.02",
    "money": "money.n.01",
    "family": "family.n.02",
    "sing": "sing.v.02",
}


@dataclass(frozen=True)
class Part:
    """Synsets with their encodings, float32 (n, 768), and labels, int (n,)."""

    synsets: list[Synset]
    x: np.ndarray
    labels: np.ndarray

    def rows(self, rows: np.ndarray) -> Part:
        """Some of the rows, in the order given."""
        return Part([self.synsets[i] for i in rows], self.x[rows], self.labels[rows])


@dataclass(frozen=True)
class Data:
    """`samples` holds the candidates, in the order of SAMPLE_CANDIDATES."""

    available: int
    train: Part
    validation: Part
    test: Part
    samples: Part


def load(cache: Path, count: int) -> Data:
    """Download, encode what is not yet encoded, split 80/10/10 within each class."""
    synsets = read_synsets(wordnet_folder(cache))
    encoder = encoder_folder(cache)
    order = stratified_order(np.array([s.label for s in synsets]), SEED)
    ordered = [synsets[i] for i in order]
    count = min(count, len(ordered))
    named = {s.name: s for s in synsets}
    candidates = [named[name] for name in SAMPLE_CANDIDATES.values()]
    kept = cache / "encodings"
    samples = _part(candidates, encode_first(candidates, len(candidates), encoder, kept))
    used = _part(ordered[:count], encode_first(ordered, count, encoder, kept))
    kept_out = set(candidates)
    used = used.rows(np.array([i for i, s in enumerate(used.synsets) if s not in kept_out]))
    tenth = _tenths(used.labels)
    return Data(
        available=len(synsets),
        train=used.rows(np.flatnonzero(tenth >= 2)),
        validation=used.rows(np.flatnonzero(tenth == 1)),
        test=used.rows(np.flatnonzero(tenth == 0)),
        samples=samples,
    )


def _part(synsets: list[Synset], encodings: np.ndarray) -> Part:
    return Part(synsets, encodings.astype(np.float32), np.array([s.label for s in synsets]))


def _tenths(labels: np.ndarray) -> np.ndarray:
    """0 to 9 in turn within each class; the rows are in seeded random order already."""
    tenth = np.empty(len(labels), int)
    for label in np.unique(labels):
        members = np.flatnonzero(labels == label)
        tenth[members] = np.arange(len(members)) % 10
    return tenth
