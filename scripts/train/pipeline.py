"""The whole path on one page: data, baseline, network, export, measurement, what ships."""

from __future__ import annotations

import dataclasses
import time
from pathlib import Path

import numpy as np

from card import write_card, write_comparison
from data import SEED, Part, load
from export import write_manifest, write_nir
from fit import Recipe, infer, train
from gloss_encodings import stratified_order
from linear import fit_linear
from metrics import accuracy, expected_calibration_error, fit_temperature, macro_f1, softmax
from network import Shape
from simulator import Answers, Model
from vectors import write_golden, write_heldout, write_json, write_samples
from wordnet import LABELS

GLOSSES = 47_104  # of 116,919: as many as two busy cores encoded in half an hour
HELDOUT = 500
SHAPE = Shape()
RECIPE = Recipe()

VARIANTS = {
    "shipped": {},
    "reset: value": {"reset": "value"},
    "LI, mean_potential": {"readout": "mean_potential"},
    "LI, last_potential": {"readout": "last_potential"},
    "hidden 256": {"hidden": 256},
    "hidden 512": {"hidden": 512},
}


def say(text: str) -> None:
    print(f"  {text}", flush=True)


def train_and_export(cache: Path, glosses: int | None, epochs: int | None, out: Path) -> None:
    """Everything that ships, written under `out`."""
    begin = time.monotonic()
    recipe = dataclasses.replace(RECIPE, epochs=epochs or RECIPE.epochs)
    deploy, test_data = out / "deploy/models/supersense", out / "test/data/supersense"

    print("1/5 data", flush=True)
    data = load(cache, glosses or GLOSSES)
    counts = [len(part.labels) for part in (data.train, data.validation, data.test)]
    say(f"{sum(counts)} of {data.available} glosses: {counts} to train, validate, test")

    print("2/5 linear baseline", flush=True)
    linear = fit_linear(_set(data.train), _set(data.validation), len(LABELS), say)

    print("3/5 spiking network", flush=True)
    parameters = train(_set(data.train), _set(data.validation), SHAPE, recipe, say)

    print("4/5 export and calibration", flush=True)
    write_nir(parameters, SHAPE, deploy / "1/model.nir")
    write_manifest(SHAPE, 1.0, deploy)
    model = Model.load(deploy)
    validation = readout_of(model, model.run(data.validation.x))
    temperature = fit_temperature(validation, data.validation.labels)
    write_manifest(SHAPE, temperature, deploy)
    heldout = data.test.rows(stratified_order(data.test.labels, SEED)[:HELDOUT])
    write_golden(deploy / "golden.json", model, data.samples, heldout)
    write_heldout(test_data, heldout, linear)
    samples = readout_of(model, model.run(data.samples.x))
    write_samples(deploy / "samples.json", data.samples, samples, temperature)

    print("5/5 measurement, by the reference simulator on the exported file", flush=True)
    measured = {
        "glosses": {
            "available": data.available,
            "train": counts[0],
            "validation": counts[1],
            "test": counts[2],
        },
        "hidden": SHAPE.hidden,
        "epochs": recipe.epochs,
        "temperature": temperature,
        "test": measure(model, temperature, data.test, linear.predict(data.test.x)),
        "heldout": measure(model, temperature, heldout, linear.predict(heldout.x)),
    }
    write_json(deploy / "metrics.json", measured)
    write_card(deploy / "README.md", measured, SHAPE)
    for name in ("test", "heldout"):
        for key, value in measured[name].items():
            say(f"{name}: {key} {value:g}")
    say(f"done in {(time.monotonic() - begin) / 60:.1f} min")


def compare(cache: Path, glosses: int | None, epochs: int | None, readme: Path) -> None:
    """Train every variant in the same way; write the table of validation results into `readme`."""
    data = load(cache, glosses or GLOSSES)
    recipe = dataclasses.replace(RECIPE, epochs=epochs or RECIPE.epochs)
    linear = fit_linear(_set(data.train), _set(data.validation), len(LABELS), say)
    labels = data.validation.labels
    predicted = linear.predict(data.validation.x)
    rows = [("linear", accuracy(predicted, labels), macro_f1(predicted, labels), 0.0)]
    for name, changes in VARIANTS.items():
        say(name)
        shape = dataclasses.replace(SHAPE, **changes)
        parameters = train(_set(data.train), _set(data.validation), shape, recipe, say)
        readout, spikes = infer(parameters, data.validation.x, shape)
        predicted = readout.argmax(1)
        rows.append((name, accuracy(predicted, labels), macro_f1(predicted, labels), spikes.mean()))
    write_comparison(readme, rows, len(data.train.labels), recipe.epochs)


def _set(part: Part) -> tuple[np.ndarray, np.ndarray]:
    return part.x, part.labels


def readout_of(model: Model, answers: Answers) -> np.ndarray:
    """What the manifest's `readout.from` names, float (runs, classes)."""
    counted = model.settings.readout_from == "spike_count"
    return (answers.spike_counts if counted else answers.potentials).astype(np.float64)


def measure(model: Model, temperature: float, part: Part, linear: np.ndarray) -> dict:
    """Quality and cost on one part, the network beside the linear baseline."""
    answers = model.run(part.x)
    readout = readout_of(model, answers)
    predicted = readout.argmax(1)
    return {
        "count": len(part.labels),
        "accuracy": accuracy(predicted, part.labels),
        "linear_accuracy": accuracy(linear, part.labels),
        "macro_f1": macro_f1(predicted, part.labels),
        "linear_macro_f1": macro_f1(linear, part.labels),
        "ece_temperature_1": expected_calibration_error(softmax(readout, 1.0), part.labels),
        "ece": expected_calibration_error(softmax(readout, temperature), part.labels),
        "spikes": float(answers.total_spikes.mean()),
        "synaptic_operations": float(answers.synaptic_operations.mean()),
    }
