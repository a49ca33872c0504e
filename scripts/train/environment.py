"""The virtual environment of scripts/train, with exactly requirements.txt."""

import hashlib
import os
import subprocess
import sys
import venv
from pathlib import Path

CACHE = Path.home() / ".cache" / "tandem-train"
REQUIREMENTS = Path(__file__).resolve().with_name("requirements.txt")


def enter_environment(cache: Path = CACHE) -> None:
    """Restart in a virtual environment with exactly requirements.txt; create it if it is missing."""
    if sys.version_info < (3, 11):  # noqa: UP036 - the user may have an older one
        raise SystemExit(f"Python 3.11 or later is needed, this is {sys.version.split()[0]}")
    key = hashlib.sha256(REQUIREMENTS.read_bytes() + sys.version.encode()).hexdigest()[:12]
    folder = cache.resolve() / f"venv-{key}"
    if Path(sys.prefix) == folder:
        return
    python, ready = folder / "bin" / "python", folder / "ready"
    if not ready.exists():
        print(f"making {folder}", flush=True)
        venv.create(folder, with_pip=True, clear=True)
        pip = [python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
        subprocess.run([*pip, "--requirement", REQUIREMENTS], check=True)
        ready.touch()
    os.execv(python, [str(python), *sys.argv])
