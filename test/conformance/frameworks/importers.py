"""Has the frameworks import the conformance cases and run them: `python importers.py CASES`.

Prints a line of JSON for each case and importer: `agrees`, `differs` (first step), or `refused` (why).
"""

import json
import sys
import warnings
from pathlib import Path

import nir
import numpy as np

warnings.filterwarnings("ignore")
TOLERANCE = 1e-3


def read_only(_graph, _inputs, _settings):
    return None


def stepped(net, inputs):
    """A network that stores its state, or gets it as an argument and returns it."""
    import torch

    outputs, state = [], None
    with torch.no_grad():
        for x in inputs:
            row = torch.from_numpy(x)[None]
            try:
                out = net(row, state) if state is not None else net(row)
            except TypeError:
                out = net(row)
            if isinstance(out, tuple):
                out, state = out[0], out[1]
            out = out.to_dense() if out.is_sparse else out
            outputs.append(out.numpy().reshape(-1))
    return np.stack(outputs)


def snntorch(graph, inputs, _settings):
    from snntorch.import_nir import import_from_nir

    return stepped(import_from_nir(graph), inputs)


def norse(graph, inputs, settings):
    from norse.torch.utils.import_nir import from_nir

    return stepped(from_nir(graph, dt=settings["dt"]), inputs)


def sinabs(graph, inputs, _settings):
    import torch
    from sinabs.nir import from_nir

    net = from_nir(graph, batch_size=1, num_timesteps=len(inputs))
    with torch.no_grad():
        out = net(torch.from_numpy(inputs))
    return (out[0] if isinstance(out, tuple) else out).numpy()


def spyx(graph, inputs, settings):
    import jax.numpy as jnp
    from spyx.nir import from_nir

    # Its channels are last.
    last = np.moveaxis(inputs, 1, -1) if inputs.ndim == 4 else inputs
    _, out = from_nir(graph, jnp.asarray(last)[:, None], dt=settings["dt"])
    out = np.asarray(out)[:, 0]
    return np.moveaxis(out, -1, 1) if out.ndim == 4 else out


def spikingjelly(graph, inputs, settings):
    from spikingjelly.activation_based.nir_exchange.from_nir import import_from_nir

    return stepped(import_from_nir(graph, dt=settings["dt"]), inputs)


IMPORTERS = {
    "nir": read_only,
    "snntorch": snntorch,
    "norse": norse,
    "sinabs": sinabs,
    "spyx": spyx,
    "spikingjelly": spikingjelly,
}


def settings_of(manifest):
    return {"dt": float(manifest.split("dt: ")[1].split("\n")[0])}


def run(importer, file, case):
    expected = np.array(case["expect"]["nodes"]["output"]["output"])
    steps = len(expected)
    inputs = np.array(case["input"], np.float32)
    inputs = np.repeat(inputs, steps, 0) if len(inputs) == 1 else inputs
    try:
        graph = nir.read(str(file))
        inputs = inputs.reshape(steps, *graph.nodes["input"].input_type["input"])
        outputs = importer(graph, inputs, settings_of(case["manifest"]))
    except Exception as error:  # any error of an importer
        return {"result": "refused", "why": f"{type(error).__name__}: {error}".splitlines()[0][:200]}
    if outputs is None:
        return {"result": "agrees"}
    outputs = np.asarray(outputs, np.float64).reshape(steps, -1)
    if outputs.shape != expected.shape:
        return {"result": "differs", "why": f"{outputs.shape[1]} outputs"}
    far = np.abs(outputs - expected) > TOLERANCE * max(1.0, np.abs(expected).max())
    if far.any():
        return {"result": "differs", "why": f"first at step {int(np.argmax(far.any(1)))}"}
    return {"result": "agrees"}


def main(folder, chosen):
    for file in sorted(Path(folder).glob("*.json")):
        case = json.loads(file.read_text())
        for name in chosen or IMPORTERS:
            outcome = run(IMPORTERS[name], file.with_suffix(".nir"), case)
            print(json.dumps({"case": file.stem, "importer": name, **outcome}), flush=True)


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2:])
