#!/usr/bin/env python3
"""Train and export the `supersense-text` model: one command, with fixed versions and seeds.

Creates its own environment in the cache, downloads WordNet and the encoder, encodes the tokens, trains
the embedding (kept in the cache, so that an interrupted run continues after it), trains the network, and
writes deploy/models/supersense-text.
"""

import argparse
from pathlib import Path

from environment import CACHE, enter_environment

REPOSITORY = Path(__file__).resolve().parent.parent.parent
EXAMPLES = """examples:
  python scripts/train/train_text.py
  python scripts/train/train_text.py --out /tmp/try
"""


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, epilog=EXAMPLES, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--cache", type=Path, default=CACHE, help="default ~/.cache/tandem-train")
    parser.add_argument("--out", type=Path, default=REPOSITORY, help="default: this repository")
    options = parser.parse_args()
    enter_environment(options.cache)
    import text_pipeline  # needs the environment

    text_pipeline.train_text(options.cache, options.out)


if __name__ == "__main__":
    main()
