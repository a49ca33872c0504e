#!/usr/bin/env python3
"""Train and export the `supersense` model: one command, everything pinned and seeded.

Makes its own environment under the cache, downloads WordNet and the encoder, encodes the glosses
(the long part; it resumes), trains, calibrates, and writes deploy/models/supersense and
test/data/supersense.
"""

import argparse
import hashlib
import os
import subprocess
import sys
import venv
from pathlib import Path

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
    cache = Path.home() / ".cache" / "tandem-train"
    parser.add_argument("--glosses", type=int, help="how many to encode (default: the shipped)")
    parser.add_argument("--epochs", type=int, help="epochs of training (default: the shipped)")
    parser.add_argument("--cache", type=Path, default=cache, help="default ~/.cache/tandem-train")
    parser.add_argument("--out", type=Path, default=REPOSITORY, help="default: this repository")
    parser.add_argument("--compare", action="store_true", help="compare networks; export nothing")
    return parser.parse_args()


def enter_environment(cache: Path) -> None:
    """Run on in a virtual environment with exactly requirements.txt, made if it is missing."""
    if sys.version_info < (3, 11):  # noqa: UP036 - whoever starts it may have an older one
        raise SystemExit(f"Python 3.11 or later is needed, this is {sys.version.split()[0]}")
    requirements = HERE / "requirements.txt"
    key = hashlib.sha256(requirements.read_bytes() + sys.version.encode()).hexdigest()[:12]
    folder = cache.resolve() / f"venv-{key}"
    if Path(sys.prefix) == folder:
        return
    python, ready = folder / "bin" / "python", folder / "ready"
    if not ready.exists():
        print(f"making {folder}", flush=True)
        venv.create(folder, with_pip=True, clear=True)
        pip = [python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
        subprocess.run([*pip, "--requirement", requirements], check=True)
        ready.touch()
    os.execv(python, [str(python), *sys.argv])


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
