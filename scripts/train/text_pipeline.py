"""The path of `supersense-text` on one page: tokens, embedding, network, export, measurement."""

from __future__ import annotations

import dataclasses
import time
from pathlib import Path

import numpy as np
import xxhash
from scipy.sparse import csr_array

from data import SEED
from download import encoder_folder
from fit import Recipe, infer, train
from gloss_encodings import stratified_order
from metrics import accuracy, expected_calibration_error, fit_temperature, macro_f1, softmax
from network import Parameters, Shape
from pipeline import HELDOUT, readout_of, say
from simulator import Model
from text_card import write_text_card
from text_data import TextData, load_text, write_texts
from text_embedding import DIMENSIONS, EmbeddingRecipe, distil, encode_tokens, quantize, train_embedding
from text_export import write_text_golden, write_text_manifest, write_text_nir
from vectors import write_json

SHAPE = Shape(inputs=DIMENSIONS, steps=32)  # finer counts than 16 give: a third fewer ties at the top
TRAINED = dataclasses.replace(SHAPE, steps=16)  # at half the cost; more steps at the end gain nothing
EMBEDDING = EmbeddingRecipe()
RECIPE = Recipe(epochs=4, input_noise=0.02, dropout=0.2)


def train_text(cache: Path, out: Path) -> None:
    """Everything that ships, written under `out`. The trained embedding is kept in `cache`."""
    begin = time.monotonic()
    folder = out / "deploy/models/supersense-text"

    print("1/5 texts", flush=True)
    data = load_text(cache, folder / "tokenizer.json")
    say(f"{len(data.train.labels)} definitions to train, {len(data.validation.labels)} to validate")

    write_texts(out / "test/data/supersense/glosses.tsv", data)

    print("2/5 embedding", flush=True)
    steps, step = quantize(_embedding(cache, data))

    print("3/5 spiking network", flush=True)
    embedding = steps * np.float32(step)

    def embedded(x: csr_array) -> np.ndarray:
        return np.asarray(x @ embedding, np.float32)

    train_set = embedded(data.train.x), data.train.labels
    validation_set = embedded(data.validation.x), data.validation.labels
    parameters = train(train_set, validation_set, TRAINED, RECIPE, say)

    print("4/5 export and calibration", flush=True)
    write_text_nir(steps, step, parameters, SHAPE, folder / "1/model.nir")
    readout, _ = infer(parameters, validation_set[0], SHAPE)
    temperature = fit_temperature(np.asarray(readout), data.validation.labels)
    write_text_manifest(SHAPE, temperature, folder)
    model = Model.load(folder)
    write_text_golden(folder, model)

    print("5/5 measurement", flush=True)
    measured = {
        "tokens": len(data.chosen),
        "glosses_train": len(data.train.labels),
        "temperature": temperature,
        "test": _measure(parameters, temperature, embedded(data.test.x), data.test.labels),
        "heldout": _measure_file(model, temperature, data),
    }
    write_json(folder / "metrics.json", measured)
    write_text_card(folder / "README.md", measured, SHAPE)
    say(f"test {measured['test']}")
    say(f"held-out {measured['heldout']}")
    say(f"written to {folder} after {(time.monotonic() - begin) / 60:.0f} min")


def _embedding(cache: Path, data: TextData) -> np.ndarray:
    key = xxhash.xxh64(repr((EMBEDDING, data.chosen, len(data.train.labels))).encode()).hexdigest()
    kept = cache / "text" / f"embedding-{key}.npy"
    if not kept.exists():
        encodings = encode_tokens(encoder_folder(cache), data.chosen, cache / "text" / "tokens.npy")
        start = distil(encodings, data.counts, data.train.x)
        np.save(kept, train_embedding(start, data, EMBEDDING, say))
    return np.load(kept)


def _measure(parameters: Parameters, temperature: float, x: np.ndarray, labels: np.ndarray) -> dict:
    """Quality in JAX: a few answers may differ from the engines' by rounding."""
    readout, spikes = infer(parameters, x, SHAPE)
    return _quality(np.asarray(readout), temperature, labels) | {"hidden_spikes": float(spikes.mean())}


def _measure_file(model: Model, temperature: float, data: TextData) -> dict:
    """Quality of the exported file on the shipped held-out set, by the reference simulator."""
    heldout = data.test.rows(stratified_order(data.test.labels, SEED)[:HELDOUT])
    answers = model.run(heldout.x.toarray())
    return _quality(readout_of(model, answers), temperature, heldout.labels) | {
        "spikes": float(answers.total_spikes.mean()),
        "synaptic_operations": float(answers.synaptic_operations.mean()),
    }


def _quality(readout: np.ndarray, temperature: float, labels: np.ndarray) -> dict:
    predicted = readout.argmax(1)
    return {
        "count": len(labels),
        "accuracy": accuracy(predicted, labels),
        "macro_f1": macro_f1(predicted, labels),
        "ece": expected_calibration_error(softmax(readout, temperature), labels),
    }
