"""The card of `supersense-text`, from `text_card.md` and what was measured."""

from __future__ import annotations

from pathlib import Path

from network import Shape
from wordnet import LABELS

TEMPLATE = Path(__file__).with_name("text_card.md")


def write_text_card(path: Path, measured: dict, shape: Shape) -> None:
    """The model card."""
    flat = {f"test_{key}": value for key, value in measured["test"].items()}
    flat |= {f"heldout_{key}": value for key, value in measured["heldout"].items()}
    text = TEMPLATE.read_text("utf-8").format(
        classes=len(LABELS),
        shape=shape,
        tokens=measured["tokens"],
        glosses_train=measured["glosses_train"],
        temperature=measured["temperature"],
        **flat,
    )
    path.write_text(text, "utf-8")
