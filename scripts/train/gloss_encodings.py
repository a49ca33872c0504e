"""Glosses to encodings, shard by shard, kept on disk so that an interrupted run resumes."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import xxhash

from wordnet import Synset

SHARD = 2048
TOKENS_PER_BATCH = 448  # 256 to 1024 are equally fast; XLA compiles once for each (batch, length)


def stratified_order(labels: np.ndarray, seed: int) -> np.ndarray:
    """A permutation of which every prefix holds each class in proportion (±1 a class)."""
    rng = np.random.default_rng(seed)
    place = np.empty(len(labels))
    for label in np.unique(labels):
        members = rng.permutation(np.flatnonzero(labels == label))
        place[members] = (np.arange(len(members)) + rng.random()) / len(members)
    return np.argsort(place, kind="stable")


def encode_first(synsets: list[Synset], count: int, encoder: Path, cache: Path) -> np.ndarray:
    """Encodings of the first `count` synsets, float16 (count, 768).

    Kept in a folder of `cache` that is named after the texts, so another list never finds these.
    Float16 is what the held-out set ships, so everything is trained and measured on it.
    """
    texts = "\n".join(s.text for s in synsets).encode()
    cache /= xxhash.xxh64(texts).hexdigest()
    cache.mkdir(parents=True, exist_ok=True)
    starts = range(0, count, SHARD)
    missing = [s for s in starts if not _shard(cache, s).exists()]
    if missing:
        _fill(synsets, encoder, cache, missing)
    return np.concatenate([np.load(_shard(cache, s)) for s in starts])[:count]


def _shard(cache: Path, start: int) -> Path:
    return cache / f"shard-{start:06d}.npy"


def _fill(synsets: list[Synset], folder: Path, cache: Path, missing: list[int]) -> None:
    from encoder import Encoder  # loads 440 MB of weights: only when needed

    encoder = Encoder(folder)
    begin = time.monotonic()
    for done, start in enumerate(missing, 1):
        rows = encoder.token_ids([s.text for s in synsets[start : start + SHARD]])
        vectors = _encode_sorted(rows, encoder.encode_ids).astype(np.float16)
        part = cache / "part.npy"
        np.save(part, vectors)
        part.rename(_shard(cache, start))
        left = (time.monotonic() - begin) / done * (len(missing) - done) / 60
        print(f"  encoded {done} of {len(missing)} shards, {left:.0f} min left", flush=True)


def _encode_sorted(
    rows: list[list[int]], encode: Callable[[list[list[int]]], np.ndarray]
) -> np.ndarray:
    """Encode longest first, so that a batch holds little padding and few shapes occur."""
    vectors = np.empty((len(rows), 768), np.float32)
    order = sorted(range(len(rows)), key=lambda i: -len(rows[i]))
    while order:
        size = max(1, TOKENS_PER_BATCH // len(rows[order[0]]))
        batch, order = order[:size], order[size:]
        filled = [rows[i] for i in batch] + [rows[batch[-1]]] * (size - len(batch))
        vectors[batch] = encode(filled)[: len(batch)]
    return vectors
