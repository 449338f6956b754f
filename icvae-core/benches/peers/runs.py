"""Whole runs of the tutorial's training, and how its cost grows.

    python icvae-core/benches/peers/runs.py [--epochs 100] [--rounds 1] [--mnist DIR]

Trains with an evaluation after each epoch, ours and Keras on TensorFlow (the original's stack) one after the other, round
after round; then ours on parts of the data, and single steps beside the floor at growing batch sizes. The tables give
medians of the rounds. Nothing else should run meanwhile.
"""

import argparse
import statistics

from compare import HERE, environment, ours, parsed, run


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--epochs", type=int, default=100)
    parser.add_argument("--rounds", type=int, default=1)
    arguments, directory = parsed(parser)
    python, executable = environment(), ours()
    keras = [python, HERE / "keras_step.py", "tensorflow"]

    def medians(commands, key):
        """The median of each command's numbers, the commands taken in turn."""
        found = [[[line[key] for line in run(command, directory)] for command in commands]
                 for _ in range(arguments.rounds)]
        return [[statistics.median(values) for values in zip(*rounds)] for rounds in zip(*found)]

    print(f"| {arguments.epochs} epochs, each with its evaluation | seconds | ratio |\n|---|---|---|")
    long = ["--epochs", arguments.epochs]
    [[mine], [theirs]] = medians([[executable, *long], [*keras, *long]], "seconds")
    print(f"| ours | {mine:.1f} | {mine / theirs:.2f} |")
    print(f"| Keras on TensorFlow | {theirs:.1f} | 1.00 |", flush=True)
    [result] = run([executable, "--epochs", 1], directory)
    print(f"\nours needs {result['memory beyond libtorch']} MB beyond libtorch")

    print("\n| images | seconds an epoch, evaluation included |\n|---|---|")
    sizes = (15_000, 30_000, 60_000)
    growth = medians([[executable, "--epochs", 1, "--images", size] for size in sizes], "seconds")
    for images, [seconds] in zip(sizes, growth):
        print(f"| {images:,} | {seconds:.2f} |", flush=True)

    batches = [16, 32, 64, 128, 256, 512]
    few = ["--times", 60, "--batches", ",".join(map(str, batches))]
    [mine] = medians([[executable, *few]], "ours")
    [floor] = medians([[python, HERE / "floor_step.py", *few]], "step")
    print("\n| batch | ms a step | floor |\n|---|---|---|")
    for batch, ours_, floor_ in zip(batches, mine, floor):
        print(f"| {batch} | {ours_:.2f} | {floor_:.2f} |")


if __name__ == "__main__":
    main()
