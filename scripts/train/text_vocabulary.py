"""The tokens of `supersense-text`: the encoder's own WordPieces, as many as pay, and texts as bags of them."""

from __future__ import annotations

import json
import unicodedata
from collections import Counter
from pathlib import Path

import numpy as np
from scipy.sparse import csr_array
from tokenizers import Tokenizer

TOKENS = 16_384  # elements of the model's input: 64 KiB a request; rarer tokens cost more than they tell
UNKNOWN = "[UNK]"
LAST_LETTER = 0x250  # Latin with its accents: a word of these letters is always spelt in tokens


def choose_tokens(encoder: Path, texts: list[str]) -> tuple[list[int], np.ndarray]:
    """Ids in the encoder's vocabulary, ascending, and how often each occurs in `texts`.

    First the unknown token and the letters, then what occurs, most often first, then English words
    in the order of the encoder's vocabulary, whose ids ascend with rarity.
    """
    tokenizer = _plain(Tokenizer.from_file(str(encoder / "tokenizer.json")))
    counts: Counter[int] = Counter()
    for encoding in tokenizer.encode_batch(texts, add_special_tokens=False):
        counts.update(encoding.ids)
    names = {i: name for name, i in tokenizer.get_vocab().items()}
    letters = [i for i, name in names.items() if name == UNKNOWN or _is_letter(name)]
    words = [i for i in sorted(names) if names[i].isascii() and names[i].isalpha()]
    ordered = dict.fromkeys([*sorted(letters), *(i for i, _ in counts.most_common()), *words])
    chosen = sorted(list(ordered)[:TOKENS])
    return chosen, np.array([counts[i] for i in chosen], float)


def write_tokenizer(encoder: Path, chosen: list[int], path: Path) -> None:
    """A tokenizer.json with the chosen tokens only, as proto/NUMERICS.md ("Text") wants it."""
    file = json.loads((encoder / "tokenizer.json").read_text("utf-8"))
    names = {i: name for name, i in file["model"]["vocab"].items()}
    file["model"]["vocab"] = {names[i]: place for place, i in enumerate(chosen)}
    file |= {"truncation": None, "padding": None, "added_tokens": [], "post_processor": None}
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(file, ensure_ascii=False, separators=(",", ":")) + "\n", "utf-8")


def bags(tokenizer: Path, texts: list[str]) -> csr_array:
    """The share of each token in each text, float32 (texts, TOKENS). A text without tokens is all 0."""
    plain = _plain(Tokenizer.from_file(str(tokenizer)))
    normal = [unicodedata.normalize("NFKC", text) for text in texts]
    rows = [e.ids for e in plain.encode_batch(normal, add_special_tokens=False)]
    lengths = np.array([len(row) for row in rows])
    ends = np.concatenate([[0], np.cumsum(lengths)])
    ids = np.concatenate([np.asarray(row, np.int32) for row in rows])
    # The share of a token is its count divided once: equal entries are counted, then divided.
    counts = csr_array((np.ones(len(ids), np.float32), ids, ends), (len(rows), plain.get_vocab_size()))
    counts.sum_duplicates()
    of_row = np.repeat(np.maximum(lengths, 1), np.diff(counts.indptr)).astype(np.float32)
    counts.data = counts.data / of_row
    return counts


def _plain(tokenizer: Tokenizer) -> Tokenizer:
    tokenizer.no_padding()
    tokenizer.no_truncation()
    return tokenizer


def _is_letter(name: str) -> bool:
    letter = name.removeprefix("##")
    return len(letter) == 1 and ord(letter) < LAST_LETTER
