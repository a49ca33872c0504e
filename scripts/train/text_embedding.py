"""A static embedding: one vector for each token, and a text is the mean of its tokens' vectors.

It starts as Model2Vec distils one (Tulkens and van Dongen 2024, github.com/MinishLab/model2vec): each
token goes through the sentence encoder alone, principal components, and a weight that falls with the
token's frequency (Arora et al. 2017, "A simple but tough-to-beat baseline for sentence embeddings").
Then it is trained on two tasks at once: the class of a definition, and which definition belongs to
which words, among those of the batch (van den Oord et al. 2018, arXiv:1807.03748).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
import optax
from scipy.sparse import csr_array, diags_array

from text_data import TextData, TextPart
from wordnet import LABELS

DIMENSIONS = 256
FREQUENCY = 1e-3  # a token with this share of all tokens has half of its weight
TOKENS_A_BATCH = 150
LARGEST = 127  # of a weight, in steps


@dataclass(frozen=True)
class EmbeddingRecipe:
    """How to train it. `words_weight` and `pairs_weight` are shares of the loss beside 1."""

    epochs: int = 5
    batch: int = 512
    learning_rate: float = 2e-3
    token_rate: float = 4e-3
    token_dropout: float = 0.15
    hidden: int = 384
    dropout: float = 0.3
    words_weight: float = 0.3
    pairs_weight: float = 0.3
    temperature: float = 0.07
    seed: int = 2026


def encode_tokens(encoder: Path, chosen: list[int], kept: Path) -> np.ndarray:
    """Each token through the encoder alone, float16 (tokens, 768); kept in the file `kept`."""
    if kept.exists():
        return np.load(kept)
    from encoder import Encoder  # loads 440 MB of weights: only when needed

    model = Encoder(encoder)
    rows = [[0, i, 2] for i in chosen]  # <s> token </s>
    vectors = []
    for start in range(0, len(rows), TOKENS_A_BATCH):
        part = rows[start : start + TOKENS_A_BATCH]
        filled = part + [part[-1]] * (TOKENS_A_BATCH - len(part))
        vectors.append(model.encode_ids(filled)[: len(part)])
    kept.parent.mkdir(parents=True, exist_ok=True)
    np.save(kept, np.concatenate(vectors).astype(np.float16))
    return np.load(kept)


def distil(encodings: np.ndarray, counts: np.ndarray, texts: csr_array) -> np.ndarray:
    """The embedding to start from, float32 (tokens, DIMENSIONS); texts have a mean length of 1."""
    centred = encodings.astype(np.float32) - encodings.astype(np.float32).mean(0)
    _, _, directions = np.linalg.svd(centred, full_matrices=False)
    share = (counts + 0.5) / counts.sum()
    embedding = (centred @ directions[:DIMENSIONS].T) * (FREQUENCY / (FREQUENCY + share))[:, None]
    length = np.linalg.norm(texts[:5000] @ embedding, axis=1).mean()
    return (embedding / length).astype(np.float32)


def train_embedding(
    embedding: np.ndarray, data: TextData, recipe: EmbeddingRecipe, report: Callable[[str], None]
) -> np.ndarray:
    """The embedding after the last epoch."""
    rng = np.random.default_rng(recipe.seed)
    key = jax.random.key(recipe.seed)
    head = _initial_head(recipe, key)
    part = data.train
    batches = len(part.labels) // recipe.batch
    shape = optax.cosine_onecycle_schedule(recipe.epochs * batches, 1.0, 0.1)
    optimizer = optax.adamw(lambda t: shape(t) * recipe.learning_rate, weight_decay=1e-2)
    state = optimizer.init(head)
    tokens = TokenOptimizer(embedding.copy())
    step = 0
    for epoch in range(1, recipe.epochs + 1):
        losses = []
        order = rng.permutation(len(part.labels))[: batches * recipe.batch]
        for rows in order.reshape(batches, recipe.batch):
            key, used = jax.random.split(key)
            x, words = _drop(part.x[rows], recipe.token_dropout, rng), part.words[rows]
            head, state, loss, slopes = _update(
                head, state, x @ tokens.values, words @ tokens.values, part.labels[rows], used, optimizer.update, recipe
            )
            rate = float(shape(step)) * recipe.token_rate
            tokens.update([x, words], [np.asarray(s) * recipe.batch for s in slopes], rate)
            losses.append(loss)
            step += 1
        accuracy = _accuracy(head, tokens.values, data.validation)
        report(f"epoch {epoch:2d}/{recipe.epochs}  loss {np.mean(losses):.3f}  validation {accuracy:.4f}")
    return tokens.values


class TokenOptimizer:
    """Adam (Kingma and Ba 2015) on the rows that a batch uses; the others do not change."""

    def __init__(self, values: np.ndarray) -> None:
        self.values = values
        self._mean, self._square = np.zeros_like(values), np.zeros_like(values)

    def update(self, inputs: list[csr_array], slopes: list[np.ndarray], rate: float) -> None:
        """`slopes`: of the loss by each of `inputs` @ values."""
        rows = np.unique(np.concatenate([x.indices for x in inputs]))
        slope = sum((x.T.tocsr()[rows] @ s for x, s in zip(inputs, slopes, strict=True)))
        self._mean[rows] = 0.9 * self._mean[rows] + 0.1 * slope
        self._square[rows] = 0.99 * self._square[rows] + 0.01 * slope**2
        self.values[rows] -= rate * self._mean[rows] / (np.sqrt(self._square[rows]) + 1e-4)


def quantize(embedding: np.ndarray) -> tuple[np.ndarray, float]:
    """The embedding in whole steps, int8, and the step, a power of two: their product is exact in binary32.

    One value in a thousand is beyond the largest and is clipped.
    """
    step = 2.0 ** np.ceil(np.log2(np.quantile(np.abs(embedding), 0.999) / LARGEST))
    steps = np.clip(np.round(embedding / step), -LARGEST, LARGEST)
    return steps.astype(np.int8), float(step)


def _drop(x: csr_array, share: float, rng: np.random.Generator) -> csr_array:
    """Without some of the tokens; the sum of the others is 1 again."""
    kept = csr_array((x.data * (rng.random(x.nnz) >= share), x.indices, x.indptr), x.shape)
    return (diags_array(1 / np.maximum(kept.sum(1), 1e-3)) @ kept).tocsr().astype(np.float32)


def _initial_head(recipe: EmbeddingRecipe, key: jax.Array) -> dict[str, jax.Array]:
    first, second = jax.random.split(key)
    return {
        "weight1": jax.random.normal(first, (DIMENSIONS, recipe.hidden)) / 8,
        "bias1": jnp.zeros(recipe.hidden),
        "weight2": jax.random.normal(second, (recipe.hidden, len(LABELS))) / recipe.hidden**0.5,
        "bias2": jnp.zeros(len(LABELS)),
    }


def _scores(head: dict[str, jax.Array], x: jax.Array, keep: jax.Array | float) -> jax.Array:
    hidden = jax.nn.relu(x @ (head["weight1"] * DIMENSIONS**0.5 / 2) + head["bias1"]) * keep
    return hidden @ head["weight2"] + head["bias2"]


def _accuracy(head: dict[str, jax.Array], embedding: np.ndarray, part: TextPart) -> float:
    return float((np.asarray(_scores(head, part.x @ embedding, 1.0)).argmax(1) == part.labels).mean())


def _loss(
    head: dict[str, jax.Array], x: jax.Array, words: jax.Array, labels: jax.Array, key: jax.Array, recipe: EmbeddingRecipe
) -> jax.Array:
    kept = 1 - recipe.dropout
    keep = jax.random.bernoulli(key, kept, (2, len(x), recipe.hidden)) / kept
    target = optax.smooth_labels(jax.nn.one_hot(labels, len(LABELS)), 0.05)
    by_text = optax.softmax_cross_entropy(_scores(head, x, keep[0]), target).mean()
    by_words = optax.softmax_cross_entropy(_scores(head, words, keep[1]), target).mean()

    def unit(values: jax.Array) -> jax.Array:
        return values / (jnp.linalg.norm(values, axis=1, keepdims=True) + 1e-6)

    likeness = unit(words) @ unit(x).T / recipe.temperature
    own = jnp.arange(len(x))
    pairs = optax.softmax_cross_entropy_with_integer_labels(likeness, own).mean()
    return by_text + recipe.words_weight * by_words + recipe.pairs_weight * pairs


@partial(jax.jit, static_argnames=("update", "recipe"))
def _update(
    head: dict[str, jax.Array],
    state: optax.OptState,
    x: jax.Array,
    words: jax.Array,
    labels: jax.Array,
    key: jax.Array,
    update: Callable,
    recipe: EmbeddingRecipe,
) -> tuple[dict[str, jax.Array], optax.OptState, jax.Array, tuple[jax.Array, jax.Array]]:
    loss, (slope, *inputs) = jax.value_and_grad(_loss, (0, 1, 2))(head, x, words, labels, key, recipe)
    change, state = update(slope, state, head)
    return optax.apply_updates(head, change), state, loss, tuple(inputs)
