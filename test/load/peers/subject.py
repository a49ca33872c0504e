"""A peer of `npm run bench`: measures when told to, so that the rounds of all subjects alternate.

Usage: python subject.py PEER --nir FILE --inputs FILE --shape 768 --steps 16 --dt 0.001 [--series]

Prints one line of JSON: its version and, for each size of batch, the spike counts of every input. Then each line
"BATCH SECONDS" on standard input is answered with a line {"us": the median of microseconds per input}.
"""

import argparse
import importlib
import json
import os
import sys
import time
from collections.abc import Callable
from pathlib import Path

for variable in ("OMP_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ[variable] = "1"
os.environ["XLA_FLAGS"] = "--xla_cpu_multi_thread_eigen=false intra_op_parallelism_threads=1"

import numpy as np  # noqa: E402, after the threads are set

from network import read_inputs, read_layers  # noqa: E402

BATCHES = (1, 8, 64)
SAMPLE_SECONDS = 2e-3  # long enough for the clocks

# Name → module and the function of it that makes the peer.
PEERS = {
    "jax": ("jax_peer", "by_step"),
    "jax-by-layer": ("jax_peer", "by_layer"),
    "torch-compile": ("compile_peer", "by_step"),
    "torch-compile-by-layer": ("compile_peer", "by_layer"),
    "spikingjelly": ("spikingjelly_peer", "multi_step"),
    "snntorch": ("snntorch_peer", "hoisted"),
    "norse": ("norse_peer", "hoisted"),
    "torch-first-layer": ("torch_layers", "first_layer_alone"),
}


def seconds(run: Callable[[], object]) -> float:
    """The smaller of elapsed time and CPU time: time in which other programs use the core is not the peer's."""
    wall, cpu = time.perf_counter(), time.process_time()
    run()
    return min(time.perf_counter() - wall, time.process_time() - cpu)


def measure(run: Callable[[object], object], inputs: list, batch: int, limit: float) -> float:
    """Median microseconds per input."""
    at = 0

    def some(calls: int) -> None:
        nonlocal at
        for _ in range(calls):
            run(inputs[at])
            at = (at + 1) % len(inputs)

    some(2)
    calls = int(np.ceil(SAMPLE_SECONDS / seconds(lambda: some(1))))
    samples, spent = [], 0.0
    while spent < limit or not samples:
        spent += (took := seconds(lambda: some(calls)))
        samples.append(took / calls)
    return float(np.median(samples)) * 1e6 / batch


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("peer", choices=PEERS)
    parser.add_argument("--nir", type=Path, required=True)
    parser.add_argument("--inputs", type=Path, required=True)
    parser.add_argument("--shape", type=lambda text: tuple(map(int, text.split(","))), required=True)
    parser.add_argument("--steps", type=int, required=True)
    parser.add_argument("--dt", type=float, required=True)
    parser.add_argument("--series", action="store_true")
    args = parser.parse_args()
    module, function = PEERS[args.peer]
    peer = getattr(importlib.import_module(module), function)(read_layers(args.nir, args.dt), args.steps, args.series)
    data = read_inputs(args.inputs, args.steps, args.shape, args.series)
    batches = {b: [peer.prepare(data[at : at + b]) for at in range(0, len(data) - b + 1, b)] for b in BATCHES}
    results = {b: [row for x in batches[b] for row in peer.counts(peer.run(x))] for b in BATCHES}
    counts = list(results.values()) if args.peer != "torch-first-layer" else []
    print(json.dumps({"version": peer.version, "counts": counts}), flush=True)
    for line in sys.stdin:
        batch, limit = line.split()
        us = measure(peer.run, batches[int(batch)], int(batch), float(limit))
        print(json.dumps({"us": us}), flush=True)


if __name__ == "__main__":
    main()
