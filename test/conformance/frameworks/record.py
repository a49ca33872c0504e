"""Small networks built with each framework, exported by it, and run by it: `python record.py OUT FRAMEWORK...`.

For each network, OUT gets NAME.nir, as the framework's exporter writes it, and NAME.npz: `input` [steps, ...] and the output of the
framework's own run, `output` [steps, ...]. `tandem models import NAME.nir --from FRAMEWORK --check NAME.npz` compares.
A module `networks_FRAMEWORK` has NETWORKS, and CAUSES: why the export of one of them cannot fire as the network does.
"""

import importlib
import json
import sys
from pathlib import Path

import nir
import numpy as np

STEPS = 100


def random_input(seed, *shape, steps=STEPS, density=0.4):
    """Spikes, weighted at random, so that no potential equals its threshold."""
    random = np.random.default_rng(seed)
    spikes = random.random((steps, *shape)) < density
    return (spikes * random.uniform(0.2, 1.0, (steps, *shape))).astype(np.float32)


def main(out, frameworks):
    out.mkdir(parents=True, exist_ok=True)
    for framework in frameworks:
        module = importlib.import_module(f"networks_{framework}")
        for name, build in module.NETWORKS.items():
            case = f"{framework}-{name}"
            about = {"case": case, "framework": framework, "cause": module.CAUSES.get(name)}
            try:
                graph, inputs, outputs = build()
                nir.write(str(out / f"{case}.nir"), graph)
                np.savez(out / f"{case}.npz", input=inputs, output=np.asarray(outputs, np.float32))
                print(json.dumps({**about, "sum": float(np.sum(outputs))}), flush=True)
            except Exception as error:  # an error of an exporter is a result, too
                message = f"{type(error).__name__}: {error}".splitlines()[0]
                print(json.dumps({**about, "error": message}), flush=True)


if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).parent))
    main(Path(sys.argv[1]), sys.argv[2:])
