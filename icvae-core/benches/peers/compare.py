"""One training step of the tutorial's model in several frameworks, side by side on one machine.

    python icvae-core/benches/peers/compare.py [--rounds 5] [--times 200] [--mnist DIR] [--only NAME ...]

Makes an environment of its own for the peers (target/peers, 6 GB: PyTorch, TensorFlow, JAX, Keras), builds
the Rust benchmark, then runs one peer after the other, round after round, so that whatever else the machine
does falls on all alike. Each run gives the median of its steps; the table gives the median of the rounds
and its ratio to ours. Nothing else should run meanwhile.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import venv
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[2]
ENVIRONMENT = ROOT / "target" / "peers"
PACKAGES = ["torch==2.13.0", "tensorflow==2.21.0", "keras==3.15.0", "jax==0.10.0", "numpy"]
PEERS = {
    "PyTorch, eager": ["torch_step.py", "eager"],
    "PyTorch, eager, fused Adam": ["torch_step.py", "fused"],
    "PyTorch, compiled, fused Adam": ["torch_step.py", "compiled"],
    "Keras on TensorFlow": ["keras_step.py", "tensorflow"],
    "Keras on JAX": ["keras_step.py", "jax"],
    "floor: products and fused Adam": ["floor_step.py"],
}
COMPANIONS = {
    "PyTorch, compiled, fused Adam": ["torch_companions.py"],
    "Keras on TensorFlow": ["keras_companions.py", "tensorflow"],
    "Keras on JAX": ["keras_companions.py", "jax"],
}


def environment():
    python = ENVIRONMENT / "bin" / "python"
    stamp = ENVIRONMENT / "packages.txt"
    if not stamp.exists() or stamp.read_text() != "\n".join(PACKAGES):
        print("making the peers' environment in", ENVIRONMENT, file=sys.stderr)
        venv.create(ENVIRONMENT, with_pip=True)
        subprocess.run([python, "-m", "pip", "install", "-q", *PACKAGES], check=True)
        stamp.write_text("\n".join(PACKAGES))
    return python


def ours():
    """Builds the benchmark and returns its executable."""
    build = subprocess.run(
        ["cargo", "bench", "-p", "icvae-core", "--no-run", "--message-format=json"],
        cwd=ROOT, check=True, capture_output=True, text=True)
    artifacts = [json.loads(line) for line in build.stdout.splitlines() if line.startswith("{")]
    return next(a["executable"] for a in artifacts
                if a.get("executable") and a["target"]["name"] == "step")


def run(command, directory, **variables):
    """Runs a peer and returns its lines of JSON."""
    result = subprocess.run([*map(str, command)], text=True, capture_output=True,
                            env=os.environ | {"ICVAE_MNIST_DIR": directory} | variables)
    if result.returncode:
        sys.exit(f"{command} failed:\n{result.stderr[-2000:]}")
    return [json.loads(line) for line in result.stdout.splitlines() if line.startswith("{")]


def parsed(parser):
    """The arguments, and the folder with the four IDX files, which every script here asks for."""
    parser.add_argument("--mnist", default=os.environ.get("ICVAE_MNIST_DIR"),
                        help="the folder with the four IDX files")
    arguments = parser.parse_args()
    if not arguments.mnist:
        parser.error("say with --mnist, or ICVAE_MNIST_DIR, where the four IDX files are")
    return arguments, str(Path(arguments.mnist).resolve())


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--times", type=int, default=200)
    parser.add_argument("--only", nargs="*", help="peers whose names begin so")
    arguments, directory = parsed(parser)
    python, executable = environment(), ours()
    times = ["--times", arguments.times]
    wanted = tuple(arguments.only or [""])
    chosen = lambda peers: {n: [python, HERE / c[0], *c[1:], *times]  # noqa: E731
                            for n, c in peers.items() if n.startswith(wanted)}
    steps, companions = {}, {}
    for round_ in range(arguments.rounds):
        print(f"round {round_ + 1} of {arguments.rounds}", file=sys.stderr)
        # As the kernel has it in cells; the peers run as they come.
        for line in run([executable, *times], directory, GOMP_SPINCOUNT="1000",
                        GLIBC_TUNABLES="glibc.malloc.hugetlb=1"):
            model, batch = line.pop("model"), line.pop("batch")
            for name, value in line.items():
                if model == "ICVAE":
                    steps.setdefault((name, batch), []).append(value)
                else:
                    companions.setdefault((name, (model, batch)), []).append(value)
        for name, command in chosen(PEERS).items():
            for line in run(command, directory):
                steps.setdefault((name, line["batch"]), []).append(line["step"])
        for name, command in chosen(COMPANIONS).items():
            for line in run(command, directory):
                key = (name, (line["model"], line["batch"]))
                companions.setdefault(key, []).append(line["step"])
    table(steps, lambda batch: f"batch {batch}")
    print()
    table(companions, lambda key: f"{key[0]}, batch {key[1]}")


def table(found, head):
    """Prints the medians of `found[name, column]`, and their ratios to ours."""
    columns = list(dict.fromkeys(column for _, column in found))
    print("| median ms a step (ratio to ours) | " + " | ".join(map(head, columns)) + " |")
    print("|---|" + "---|" * len(columns))
    medians = {key: statistics.median(values) for key, values in found.items()}
    for name in dict.fromkeys(name for name, _ in found):
        cells = [f"{medians[name, c]:.2f} ({medians[name, c] / medians['ours', c]:.2f})"
                 if (name, c) in medians else "–" for c in columns]
        print(f"| {name} | " + " | ".join(cells) + " |", flush=True)


if __name__ == "__main__":
    main()
