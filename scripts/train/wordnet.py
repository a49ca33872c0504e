"""WordNet 3.1 synsets: the definition is the text, the lexicographer file the label.

File formats: wndb(5WN) and lexnames(5WN), https://wordnet.princeton.edu/documentation.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

# lexnames(5WN): position in this list is the lex_filenum of a data line.
LABELS = """
adj.all adj.pert adv.all noun.Tops noun.act noun.animal noun.artifact noun.attribute noun.body
noun.cognition noun.communication noun.event noun.feeling noun.food noun.group noun.location
noun.motive noun.object noun.person noun.phenomenon noun.plant noun.possession noun.process
noun.quantity noun.relation noun.shape noun.state noun.substance noun.time verb.body verb.change
verb.cognition verb.communication verb.competition verb.consumption verb.contact verb.creation
verb.emotion verb.motion verb.perception verb.possession verb.social verb.stative verb.weather
adj.ppl
""".split()

PARTS_OF_SPEECH = ("adj", "adv", "noun", "verb")


@dataclass(frozen=True)
class Synset:
    """One meaning: `name` like `dog.n.01`, `text` its definition, `label` 0 to 44."""

    name: str
    text: str
    label: int


def read_synsets(dict_folder: Path) -> list[Synset]:
    """Every synset with a definition, one for each different definition, in file order.

    Glosses shared by several synsets are kept once (the first), so that no text can be
    in both the training and the test set.
    """
    seen: set[str] = set()
    synsets = []
    for part in PARTS_OF_SPEECH:
        senses = _sense_numbers(dict_folder / f"index.{part}")
        for line in _lines(dict_folder / f"data.{part}"):
            synset = _parse(line, senses)
            if synset.text and synset.text.lower() not in seen:
                seen.add(synset.text.lower())
                synsets.append(synset)
    return synsets


def _lines(path: Path) -> list[str]:
    """Lines after the licence header, whose lines start with two spaces."""
    return [x for x in path.read_text("utf-8").splitlines() if x and not x.startswith("  ")]


def _sense_numbers(index: Path) -> dict[tuple[str, str], int]:
    """(lemma, synset offset) → sense number from 1, by WordNet's frequency order."""
    numbers = {}
    for line in _lines(index):
        fields = line.split()
        count = int(fields[2])
        for number, offset in enumerate(fields[-count:], 1):
            numbers[fields[0], offset] = number
    return numbers


def _parse(line: str, senses: dict[tuple[str, str], int]) -> Synset:
    data, _, gloss = line.partition(" | ")
    offset, lex_filenum, kind, _, word = data.split()[:5]
    lemma = re.sub(r"\((a|p|ip)\)$", "", word).lower()
    slug = re.sub(r"[^a-z0-9_-]+", "-", lemma).strip("-") or "x"
    name = f"{slug}.{kind}.{senses[lemma, offset]:02d}"
    return Synset(name, definition(gloss), int(lex_filenum))


def definition(gloss: str) -> str:
    """The definition of a gloss, without the quoted example sentences after it."""
    return re.split(r';\s*"', gloss, maxsplit=1)[0].strip().rstrip(";").strip()


def synset_words(dict_folder: Path) -> dict[str, list[str]]:
    """Definition, in lower case → the words of the first synset that has it. Example: `dog`, `domestic dog`."""
    words: dict[str, list[str]] = {}
    for part in PARTS_OF_SPEECH:
        for line in _lines(dict_folder / f"data.{part}"):
            data, _, gloss = line.partition(" | ")
            fields = data.split()
            found = fields[4 : 4 + 2 * int(fields[3], 16) : 2]
            bare = [re.sub(r"\((a|p|ip)\)$", "", word).replace("_", " ") for word in found]
            words.setdefault(definition(gloss).lower(), bare)
    return words
