"""Definitions and words of WordNet as bags of tokens. Validation and test are those of `supersense`."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from scipy.sparse import csr_array

from data import SAMPLE_CANDIDATES, SEED, _tenths
from download import encoder_folder, wordnet_folder
from gloss_encodings import stratified_order
from pipeline import GLOSSES
from text_vocabulary import bags, choose_tokens, write_tokenizer
from wordnet import LABELS, Synset, read_synsets, synset_words


@dataclass(frozen=True)
class TextPart:
    """Synsets, the bags of their definitions and of their words, labels, int (n,), and the words."""

    synsets: list[Synset]
    x: csr_array
    words: csr_array
    labels: np.ndarray
    word_texts: list[str]

    def rows(self, rows: np.ndarray) -> TextPart:
        """Some of the rows, in the order given."""
        synsets, texts = [self.synsets[i] for i in rows], [self.word_texts[i] for i in rows]
        return TextPart(synsets, self.x[rows], self.words[rows], self.labels[rows], texts)


@dataclass(frozen=True)
class TextData:
    """`chosen` and `counts`: the tokens' ids in the encoder, and how often they occur in training."""

    train: TextPart
    validation: TextPart
    test: TextPart
    chosen: list[int]
    counts: np.ndarray


def split_synsets(cache: Path) -> tuple[list[Synset], list[Synset], list[Synset]]:
    """Training, validation and test. What `supersense` neither validates nor tests on is for training."""
    synsets = read_synsets(wordnet_folder(cache))
    order = stratified_order(np.array([s.label for s in synsets]), SEED)
    named = {s.name: s for s in synsets}
    kept_out = {named[name] for name in SAMPLE_CANDIDATES.values()}
    ordered = [synsets[i] for i in order]
    used = [s for s in ordered[:GLOSSES] if s not in kept_out]
    rest = [s for s in ordered[GLOSSES:] if s not in kept_out]
    tenth = _tenths(np.array([s.label for s in used]))

    def of(tenths: tuple[int, ...]) -> list[Synset]:
        return [s for s, t in zip(used, tenth, strict=True) if t in tenths]

    return of(tuple(range(2, 10))) + rest, of((1,)), of((0,))


def load_text(cache: Path, tokenizer: Path) -> TextData:
    """Choose the tokens from the training definitions, write `tokenizer`, and make the bags."""
    parts = split_synsets(cache)
    encoder = encoder_folder(cache)
    chosen, counts = choose_tokens(encoder, [s.text for s in parts[0]])
    write_tokenizer(encoder, chosen, tokenizer)
    words = synset_words(wordnet_folder(cache))

    def part(synsets: list[Synset]) -> TextPart:
        word_texts = [" ".join(words[s.text.lower()]) for s in synsets]
        return TextPart(
            synsets,
            bags(tokenizer, [s.text for s in synsets]),
            bags(tokenizer, word_texts),
            np.array([s.label for s in synsets]),
            word_texts,
        )

    return TextData(*map(part, parts), chosen, counts)


def write_texts(path: Path, data: TextData) -> None:
    """The definitions that are not for training, a line each: split, name, label, words, definition."""
    parts = {"validation": data.validation, "test": data.test}
    lines = [
        "\t".join((split, synset.name, LABELS[synset.label], words, synset.text))
        for split, part in parts.items()
        for synset, words in zip(part.synsets, part.word_texts, strict=True)
    ]
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("\n".join(lines) + "\n", "utf-8")
