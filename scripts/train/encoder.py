"""all-mpnet-base-v2: a sentence to a 768-dimensional unit vector, in JAX on the CPU.

Architecture: MPNet (Song et al. 2020, arXiv:2004.09297), a 12-layer post-norm transformer whose
attention adds a learned bias for each bucket of relative distance (Raffel et al. 2020,
arXiv:1910.10683, section 2.1). The sentence vector is the mean over tokens, scaled to length 1
(Reimers and Gurevych 2019, arXiv:1908.10084).
"""

from __future__ import annotations

import json
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
from tokenizers import Tokenizer

LAYERS = 12
HEADS = 12
WIDTH = 768
NORM_EPSILON = 1e-5
PAD_ID = 1
MAX_TOKENS = 384


class Encoder:
    """The encoder of one folder with `model.safetensors` and `tokenizer.json`."""

    def __init__(self, folder: Path) -> None:
        weights = read_safetensors(folder / "model.safetensors")
        self._words = weights["embeddings.word_embeddings.weight"]
        self._places = weights["embeddings.position_embeddings.weight"]
        self._norm = _pick(weights, "embeddings.LayerNorm.")
        self._distances = weights["encoder.relative_attention_bias.weight"]
        self._layers = [_pick(weights, f"encoder.layer.{i}.") for i in range(LAYERS)]
        self._tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
        self._tokenizer.no_padding()
        self._tokenizer.enable_truncation(MAX_TOKENS)

    def token_ids(self, texts: list[str]) -> list[list[int]]:
        """Token ids of each text, with `<s>` before and `</s>` after."""
        return [e.ids for e in self._tokenizer.encode_batch(texts)]

    def encode_ids(self, rows: list[list[int]]) -> np.ndarray:
        """One batch of token ids to unit vectors, float32 (len(rows), 768)."""
        length = max(map(len, rows))
        ids = np.full((len(rows), length), PAD_ID, np.int32)
        for i, row in enumerate(rows):
            ids[i, : len(row)] = row
        mask = ids != PAD_ID
        # Positions count from 2, as in RoBERTa. Those of padding tokens do not matter: they are masked.
        x = _layer_norm(self._words[ids] + self._places[2 : 2 + length], self._norm, "")
        bias = self._distances[relative_bucket(length)].transpose(2, 0, 1)
        bias = np.where(mask[:, None, None, :], bias, np.float32(-1e9))
        for weights in self._layers:
            x = _layer(x, bias, weights)
        return np.asarray(_pool(x, mask))

    def encode(self, texts: list[str]) -> np.ndarray:
        """Texts to unit vectors, float32 (len(texts), 768)."""
        return self.encode_ids(self.token_ids(texts))


def read_safetensors(path: Path) -> dict[str, jax.Array]:
    """Every float32 tensor of a safetensors file (8-byte header length, JSON header, data)."""
    raw = np.memmap(path, np.uint8, "r")
    header_end = 8 + int(raw[:8].view("<u8")[0])
    header = json.loads(raw[8:header_end].tobytes())
    header.pop("__metadata__", None)
    tensors = {}
    for name, entry in header.items():
        if entry["dtype"] == "F32":
            start, end = (header_end + offset for offset in entry["data_offsets"])
            tensors[name] = jnp.array(raw[start:end].view("<f4").reshape(entry["shape"]))
    return tensors


def relative_bucket(length: int) -> np.ndarray:
    """Bucket 0 to 31 of key position minus query position, (length, length).

    16 buckets a side: 8 exact distances, then 8 logarithmic ones up to 128.
    """
    place = np.arange(length)
    back = place[:, None] - place[None, :]
    distance = np.abs(back)
    far = 8 + (np.log(np.maximum(distance, 1) / 8) / np.log(128 / 8) * 8).astype(int)
    return (back < 0) * 16 + np.where(distance < 8, distance, np.minimum(far, 15))


def _pick(weights: dict[str, jax.Array], prefix: str) -> dict[str, jax.Array]:
    return {k.removeprefix(prefix): v for k, v in weights.items() if k.startswith(prefix)}


def _affine(x: jax.Array, weights: dict[str, jax.Array], name: str) -> jax.Array:
    return x @ weights[f"{name}.weight"].T + weights[f"{name}.bias"]


def _layer_norm(x: jax.Array, weights: dict[str, jax.Array], name: str) -> jax.Array:
    centred = x - x.mean(-1, keepdims=True)
    scaled = centred * jax.lax.rsqrt((centred**2).mean(-1, keepdims=True) + NORM_EPSILON)
    return scaled * weights[f"{name}weight"] + weights[f"{name}bias"]


@jax.jit
def _layer(x: jax.Array, bias: jax.Array, weights: dict[str, jax.Array]) -> jax.Array:
    """One transformer layer: x (batch, length, 768), bias (batch, heads, query, key)."""
    batch, length, _ = x.shape

    def heads(name: str) -> jax.Array:
        projected = _affine(x, weights, f"attention.attn.{name}")
        return projected.reshape(batch, length, HEADS, WIDTH // HEADS).transpose(0, 2, 1, 3)

    scores = heads("q") @ heads("k").transpose(0, 1, 3, 2) / np.sqrt(WIDTH // HEADS) + bias
    mixed = jax.nn.softmax(scores) @ heads("v")
    mixed = mixed.transpose(0, 2, 1, 3).reshape(batch, length, WIDTH)
    attended = _affine(mixed, weights, "attention.attn.o")
    x = _layer_norm(attended + x, weights, "attention.LayerNorm.")
    wide = jax.nn.gelu(_affine(x, weights, "intermediate.dense"), approximate=False)
    return _layer_norm(_affine(wide, weights, "output.dense") + x, weights, "output.LayerNorm.")


@jax.jit
def _pool(x: jax.Array, mask: jax.Array) -> jax.Array:
    """Mean over the real tokens, scaled to length 1: (batch, 768)."""
    total = (x * mask[:, :, None]).sum(1)
    return total / jnp.linalg.norm(total, axis=1, keepdims=True)
