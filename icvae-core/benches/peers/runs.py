"""Whole runs of the tutorial's training, and how its cost grows.

    python icvae-core/benches/peers/runs.py [--epochs 100] [--growth-epochs 2] [--mnist DIR]

Trains with an evaluation after each epoch, ours and Keras on TensorFlow (the original's stack) one after the other; then
ours on parts of the data, and single steps beside the floor at growing batch sizes. Nothing else should run meanwhile.
"""

import argparse
import os
from pathlib import Path

from compare import HERE, environment, ours, run


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--epochs", type=int, default=100)
    parser.add_argument("--growth-epochs", type=int, default=2)
    parser.add_argument("--mnist", default=os.environ.get("ICVAE_MNIST_DIR"),
                        help="the folder with the four IDX files")
    arguments = parser.parse_args()
    if not arguments.mnist:
        parser.error("say with --mnist, or ICVAE_MNIST_DIR, where the four IDX files are")
    directory = str(Path(arguments.mnist).resolve())
    python, executable = environment(), ours()
    keras = [python, HERE / "keras_step.py", "tensorflow"]

    print(f"{arguments.epochs} epochs, each with its evaluation\n")
    print("| | seconds (ratio to ours) | test total | MB beyond libtorch |\n|---|---|---|---|")
    results = {}
    for name, command in {"ours": [executable], "Keras on TensorFlow": keras}.items():
        [result] = run([*command, "--epochs", arguments.epochs], directory)
        results[name] = result
        ratio = result["seconds"] / results["ours"]["seconds"]
        memory = result.get("memory beyond libtorch", "–")
        print(f"| {name} | {result['seconds']:.1f} ({ratio:.2f}) | {result['test total']:.2f} "
              f"| {memory} |", flush=True)

    print("\n| images | seconds an epoch, evaluation included |\n|---|---|")
    epochs = arguments.growth_epochs
    for images in (15_000, 30_000, 60_000):
        [result] = run([executable, "--epochs", epochs, "--images", images], directory)
        print(f"| {images:,} | {result['seconds'] / epochs:.2f} |", flush=True)

    batches = "16,32,64,128,256,512"
    few = ["--times", 60, "--batches", batches]
    mine = run([executable, *few], directory)
    floor = run([python, HERE / "floor_step.py", *few], directory)
    print("\n| batch | ms a step | floor |\n|---|---|---|")
    for a, b in zip(mine, floor):
        print(f"| {a['batch']} | {a['ours']:.2f} | {b['step']:.2f} |")


if __name__ == "__main__":
    main()
