"""The run settings that NIR does not store: those of `model.yaml` that change an answer."""

from __future__ import annotations

from dataclasses import dataclass

RESETS = ("value", "subtract")
IF_GAINS = ("dt", "unit")
KINDS = ("constant", "series")
READOUTS = ("spike_count", "mean_potential", "last_potential")


@dataclass(frozen=True)
class Settings:
    """What NIR does not store; the keys are those of `model.yaml`. `dt` is in seconds."""

    dt: float
    steps: int = 1
    reset: str = "value"
    if_gain: str = "dt"
    kind: str = "constant"
    readout_node: str = ""
    readout_from: str = "spike_count"

    @staticmethod
    def from_manifest(manifest: dict) -> Settings:
        readout = manifest.get("readout", {})
        return Settings(
            dt=float(manifest["dt"]),
            steps=int(manifest.get("steps", 1)),
            reset=manifest.get("reset", "value"),
            if_gain=manifest.get("if_gain", "dt"),
            kind=manifest.get("input", {}).get("kind", "constant"),
            readout_node=readout.get("node", ""),
            readout_from=readout.get("from", "spike_count"),
        )
