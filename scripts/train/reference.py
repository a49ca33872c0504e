#!/usr/bin/env python3
"""Run a NIR file with the reference simulator (simulator.py), or check a model's golden vectors."""

import argparse
import json
import sys
from pathlib import Path

from environment import enter_environment
from settings import IF_GAINS, KINDS, READOUTS, RESETS, Settings

EXAMPLES = """examples:
  reference.py deploy/models/supersense --golden
  reference.py deploy/models/supersense --input encodings.npy
  reference.py braille.nir --dt 1e-4 --kind series --input sample.npy

An .npy input holds one run, or several along the first axis. Prints one line of JSON for each run.
"""


def parse() -> argparse.Namespace:
    """The command's options."""
    parser = argparse.ArgumentParser(
        description=__doc__, epilog=EXAMPLES, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("model", type=Path, help="a folder with model.yaml, or a .nir file")
    parser.add_argument("--version", type=int, default=1, help="version folder (default 1)")
    parser.add_argument("--input", type=Path, help=".npy file to run")
    parser.add_argument("--golden", action="store_true", help="check golden.json and stop")
    bare = parser.add_argument_group("settings of a bare .nir file")
    bare.add_argument("--dt", type=float, default=1e-3, help="seconds (default 1e-3)")
    bare.add_argument("--steps", type=int, default=1, help="for a constant input (default 1)")
    bare.add_argument("--reset", choices=RESETS, default="value")
    bare.add_argument("--if-gain", choices=IF_GAINS, default="dt")
    bare.add_argument("--kind", choices=KINDS, default="constant")
    bare.add_argument("--readout-node", default="", help="default: the root Output")
    bare.add_argument("--readout-from", choices=READOUTS, default="spike_count")
    args = parser.parse_args()
    if args.input is None and not args.golden:
        parser.error("give --input FILE.npy to run something, or --golden to check golden.json")
    if args.golden and not args.model.is_dir():
        parser.error("--golden needs a model folder, which holds golden.json beside model.yaml")
    return args


def main() -> int:
    args = parse()
    enter_environment()
    import numpy as np  # these need the environment

    from simulator import Model, as_json, check_golden

    if args.model.is_dir():
        model = Model.load(args.model, args.version)
    else:
        settings = ("dt", "steps", "reset", "if_gain", "kind", "readout_node", "readout_from")
        model = Model(args.model, Settings(**{key: getattr(args, key) for key in settings}))
    if args.golden:
        wrong = check_golden(model, json.loads((args.model / "golden.json").read_text()))
        print("\n".join(wrong) or "every golden case agrees")
        return 1 if wrong else 0
    inputs = np.load(args.input).astype(np.float32)
    if inputs.ndim == (1 if model.settings.kind == "constant" else 2):
        inputs = inputs[None]
    answers = model.run(inputs)
    for row in range(len(inputs)):
        print(json.dumps(as_json(answers, row)))
    return 0


if __name__ == "__main__":
    sys.exit(main())
