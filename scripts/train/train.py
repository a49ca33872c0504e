#!/usr/bin/env python3
"""Train and export the `supersense` model: one command, with fixed versions and seeds.

Creates its own environment in the cache, downloads WordNet and the encoder, encodes the glosses
(this takes longest; it continues after an interruption), trains, calibrates, and writes deploy/models/supersense and
test/data/supersense.
"""

import argparse
from pathlib import Path

from environment import CACHE, enter_environment

HERE = Path(__file__).resolve().parent
REPOSITORY = HERE.parent.parent
EXAMPLES = """examples:
  python scripts/train/train.py
  python scripts/train/train.py --glosses 4096 --epochs 3 --out /tmp/try    a quick try
  python scripts/train/train.py --compare    the table of readouts in scripts/train/README.md
"""


def parse() -> argparse.Namespace:
    """The command's options."""
    parser = argparse.ArgumentParser(
        description=__doc__, epilog=EXAMPLES, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--glosses", type=int, help="how many to encode (default: the shipped)")
    parser.add_argument("--epochs", type=int, help="epochs of training (default: the shipped)")
    parser.add_argument("--cache", type=Path, default=CACHE, help="default ~/.cache/tandem-train")
    parser.add_argument("--out", type=Path, default=REPOSITORY, help="default: this repository")
    parser.add_argument("--compare", action="store_true", help="compare networks; export nothing")
    return parser.parse_args()


def main() -> None:
    options = parse()
    enter_environment(options.cache)
    import pipeline  # needs the environment

    if options.compare:
        pipeline.compare(options.cache, options.glosses, options.epochs, HERE / "README.md")
    else:
        pipeline.train_and_export(options.cache, options.glosses, options.epochs, options.out)


if __name__ == "__main__":
    main()
