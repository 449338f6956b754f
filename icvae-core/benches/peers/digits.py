"""MNIST as float32 in [0, 1] and one-hot labels, for the peers; and their clock."""

import gzip
import json
import os
import sys
import time
from pathlib import Path

import numpy as np


def argument(name, default=None):
    """What follows `name` on the command line."""
    return sys.argv[sys.argv.index(name) + 1] if name in sys.argv else default


def batches():
    """The batch sizes that are asked for."""
    return [int(batch) for batch in argument("--batches", "32,128").split(",")]


def load(part="train"):
    """Pixels `[N, 784]` and one-hot labels `[N, 10]` of the training images, or of "t10k"."""
    folder = Path(os.environ["ICVAE_MNIST_DIR"])

    def read(name, header):
        plain = folder / name
        data = plain.read_bytes() if plain.exists() else gzip.open(f"{plain}.gz").read()
        return np.frombuffer(data[header:], dtype=np.uint8)

    x = read(f"{part}-images-idx3-ubyte", 16).reshape(-1, 784).astype(np.float32) / 255
    return x, np.eye(10, dtype=np.float32)[read(f"{part}-labels-idx1-ubyte", 8)]


def report(batch, step, **also):
    """Prints the median milliseconds of `step()` as a line of JSON, with what else is to be said of it."""
    times = int(argument("--times"))
    for _ in range(20):
        step()
    taken = []
    for _ in range(times):
        since = time.perf_counter()
        step()
        taken.append(time.perf_counter() - since)
    print(json.dumps({**also, "batch": batch, "step": sorted(taken)[times // 2] * 1e3}), flush=True)
