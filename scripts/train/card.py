"""The two texts with measured numbers in them: the model card and the comparison table."""

from __future__ import annotations

from pathlib import Path

from network import Shape
from wordnet import LABELS

TEMPLATE = Path(__file__).with_name("card.md")
MARKS = ("<!-- comparison: written by train.py --compare -->", "<!-- end of comparison -->")


def write_card(path: Path, measured: dict, shape: Shape) -> None:
    """The model card, from `card.md` and what was measured."""
    glosses = measured["glosses"]
    flat = {f"test_{key}": value for key, value in measured["test"].items()}
    flat |= {f"heldout_{key}": value for key, value in measured["heldout"].items()}
    flat |= {f"glosses_{key}": value for key, value in glosses.items()}
    text = TEMPLATE.read_text("utf-8").format(
        glosses_used=glosses["train"] + glosses["validation"] + glosses["test"],
        temperature=measured["temperature"],
        epochs=measured["epochs"],
        classes=len(LABELS),
        shape=shape,
        tau_hidden_ms=shape.tau_hidden * 1e3,
        tau_output_ms=shape.tau_output * 1e3,
        **flat,
    )
    path.write_text(text, "utf-8")


def write_comparison(readme: Path, rows: list[tuple], train_count: int, epochs: int) -> None:
    """The table between the two marks of `readme`: (name, accuracy, macro-F1, hidden spikes)."""
    table = [
        f"Trained on {train_count} glosses for {epochs} epochs each; measured on validation.",
        "",
        "| network | accuracy | macro-F1 | hidden spikes a run |",
        "|---|---|---|---|",
    ]
    table += [f"| {name} | {a:.4f} | {f1:.4f} | {spikes:.0f} |" for name, a, f1, spikes in rows]
    before, _, rest = readme.read_text("utf-8").partition(MARKS[0])
    _, _, after = rest.partition(MARKS[1])
    readme.write_text("\n".join([before + MARKS[0], *table, MARKS[1] + after]), "utf-8")
