"""What ships beside the model: known answers, the held-out set, samples for the command line."""

from __future__ import annotations

import base64
import json
from pathlib import Path

import numpy as np

from data import SAMPLE_CANDIDATES, Part
from linear import LinearClassifier
from metrics import softmax
from simulator import Model
from wordnet import LABELS

SAMPLES = 8


def write_json(path: Path, value: dict) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(value, indent=1, ensure_ascii=False) + "\n", "utf-8")


def _base64(encoding: np.ndarray) -> str:
    return base64.b64encode(encoding.astype("<f4").tobytes()).decode()


def write_golden(path: Path, model: Model, samples: Part, heldout: Part) -> None:
    """Sixteen inputs and their exact answers: real encodings, then extreme values that no text gives."""
    n = samples.x.shape[1]
    real = {name: samples.x[i] for i, name in enumerate(list(SAMPLE_CANDIDATES)[:6])}
    real |= {heldout.synsets[i].name: heldout.x[i] for i in range(4)}
    dog = samples.x[0]
    corners = {
        "zeros": np.zeros(n),
        "negative-zeros": np.full(n, -0.0),
        "one-hot": np.eye(n)[7],
        "dog-sparse": np.where(np.arange(n) % 8 == 0, dog, 0),
        "dog-negated": -dog,
        "dog-times-16": 16 * dog,
    }
    cases = []
    for name, encoding in (real | corners).items():
        encoding = encoding.astype(np.float32)
        answers = model.run(encoding[None])
        cases.append(
            {
                "name": name,
                "encoding_f32_base64": _base64(encoding),
                "steps": answers.steps,
                "spike_counts": answers.spike_counts[0].tolist(),
                "total_spikes": int(answers.total_spikes[0]),
                "synaptic_operations": int(answers.synaptic_operations[0]),
                "state_digest": answers.state_digests[0],
                "readout_digest": answers.readout_digest(0),
            }
        )
    write_json(path, {"format": 1, "model_version": 1, "cases": cases})


def write_heldout(folder: Path, heldout: Part, linear: LinearClassifier) -> None:
    """`heldout.f16`, a little-endian float16 matrix, and `heldout.json`, its rows' meaning."""
    predicted = linear.predict(heldout.x)
    items = [
        {
            "name": synset.name,
            "text": synset.text,
            "label": LABELS[synset.label],
            "label_index": synset.label,
            "linear_label": LABELS[predicted[i]],
            "linear_label_index": int(predicted[i]),
        }
        for i, synset in enumerate(heldout.synsets)
    ]
    head = {"dim": heldout.x.shape[1], "dtype": "float16", "count": len(items)}
    head["linear_accuracy"] = float((predicted == heldout.labels).mean())
    write_json(folder / "heldout.json", head | {"items": items})
    (folder / "heldout.f16").write_bytes(heldout.x.astype("<f2").tobytes())


def write_samples(path: Path, samples: Part, readout: np.ndarray, temperature: float) -> None:
    """Up to eight right answers of different labels: the first seven, and the least certain of the others.

    `readout` is (candidates, classes); answers decided by a tie are left out.
    """
    scores = softmax(readout, temperature)
    second, top = np.sort(readout, 1)[:, -2:].T
    right = np.flatnonzero((scores.argmax(1) == samples.labels) & (top > second))
    _, first_of_label = np.unique(samples.labels[right], return_index=True)
    right = right[np.sort(first_of_label)]
    others = sorted(right[SAMPLES - 1 :], key=lambda i: scores[i].max())
    names = list(SAMPLE_CANDIDATES)
    chosen = [
        {
            "name": names[i],
            "text": samples.synsets[i].text,
            "label": LABELS[samples.labels[i]],
            "encoding_f32_base64": _base64(samples.x[i]),
        }
        for i in [*right[: SAMPLES - 1], *others[:1]]
    ]
    write_json(path, {"samples": chosen})
