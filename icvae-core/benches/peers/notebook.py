"""The tutorial's own training cell, through the Jupyter protocol, beside Keras on JAX.

    .icvae/env/bin/python icvae-core/benches/peers/notebook.py [--rounds 3] [--epochs 2] [--whole 10] [--mnist DIR]

Starts the live kernel that `cargo kernel install` has made, runs the tutorial's cells up to the one that trains, and
then that one again and again, with batches of 32 and of 128, with its live view and without; between them Keras. Each
run gives the median of its epochs' times, without the evaluations, divided by their steps; the table gives the medians of
the rounds. With `--whole`, whole runs of so many epochs instead, each with its evaluation, beside Keras on TensorFlow
and on JAX: ours from the cell's being sent to its end, its compilation by rustc included, Keras' from `fit` to its end, with
what Keras compiles. Nothing is found in the store, since nothing is kept. Nothing else should run meanwhile.
"""

import argparse
import json
import os
import re
import statistics
import sys
import time

from compare import HERE, ROOT, environment, parsed, run
from jupyter_client.manager import KernelManager

IMAGES = 60_000
NOTEBOOK = ROOT / "notebooks" / "tutorial.ipynb"
SECONDS = """
println!("SECONDS {:?}", run.history.epochs.iter().map(|e| e.seconds).collect::<Vec<_>>());
"""


class Kernel:
    def __init__(self, directory):
        self.manager = KernelManager(kernel_name=os.environ.get("ICVAE_KERNEL", "icvae-rust"))
        env = os.environ | {"ICVAE_MNIST_DIR": directory}
        self.manager.start_kernel(env=env, cwd=str(NOTEBOOK.parent))
        self.client = self.manager.client()
        self.client.start_channels()
        self.client.wait_for_ready(timeout=300)

    def run(self, code):
        """Runs a cell and returns what it printed."""
        printed = []

        def hear(message):
            if message["msg_type"] == "stream":
                printed.append(message["content"]["text"])

        reply = self.client.execute_interactive(code, output_hook=hear, timeout=900)
        if reply["content"]["status"] != "ok":
            sys.exit(f"a cell failed: {reply['content'].get('evalue')}\n{code}")
        return "".join(printed)

    def stop(self):
        self.client.stop_channels()
        self.manager.shutdown_kernel(now=True)


def cells():
    """The cells before the one that trains, without exercises and figures, and that one."""
    before = []
    for cell in json.loads(NOTEBOOK.read_text())["cells"]:
        code = "".join(cell["source"])
        if cell["cell_type"] != "code" or "todo!" in code:
            continue
        if "Trainer::new(&training)" in code:
            return before, code
        if ".draw()?" not in code:
            before.append(code)
    sys.exit(f"no cell of {NOTEBOOK} trains")


def variant(code, batch, epochs, live):
    """The training cell with other numbers, nothing kept."""
    def replaced(pattern, by):
        nonlocal code
        code, count = re.subn(pattern, by, code, flags=re.S)
        if count != 1:
            sys.exit(f"the training cell has {count} times {pattern}")

    replaced(r"const EPOCHS: usize = \d+;", f"const EPOCHS: usize = {epochs};")
    replaced(r"batch_size: \d+", f"batch_size: {batch}")
    replaced(r"\s*\.keep_in\([^\n]*\n(\s*\.keep_epochs\([^\n]*\n)?", "\n")
    if not live:
        replaced(r"\s*\.listen\([^\n]*\n", "\n")
    return code


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--epochs", type=int, default=2)
    parser.add_argument("--whole", type=int, metavar="EPOCHS")
    arguments, directory = parsed(parser)
    python = environment()
    kernel = Kernel(directory)
    before, training = cells()
    test = "let ten = digits.test.head(10);\nlet (test_x, test_c) = (ten.x(), ten.c());\n" \
           "const IMAGE: (i64, i64) = (28, 28);"
    for code in [before[0], test, *before[1:]]:
        kernel.run(code)
    if arguments.whole:
        whole(kernel, variant(training, 32, arguments.whole, live=True), python, directory, arguments)
        kernel.stop()
        return
    found = {}
    for round_ in range(arguments.rounds):
        print(f"round {round_ + 1} of {arguments.rounds}", file=sys.stderr)
        for batch in (32, 128):
            for name, live in [("the cell", True), ("the cell, without its live view", False)]:
                kernel.run(variant(training, batch, arguments.epochs, live))
                seconds = json.loads(re.search(r"SECONDS (.*)", kernel.run(SECONDS))[1])
                steps = -(-IMAGES // batch)
                step = statistics.median(seconds) / steps * 1e3
                found.setdefault((name, batch), []).append(step)
        for line in run([python, HERE / "keras_step.py", "jax", "--times", 400], directory):
            found.setdefault(("Keras on JAX", line["batch"]), []).append(line["step"])
    kernel.stop()
    medians = {key: statistics.median(values) for key, values in found.items()}
    print("| median ms a step (ratio to Keras on JAX) | batch 32 | batch 128 |\n|---|---|---|")
    for name in dict.fromkeys(name for name, _ in found):
        cells_ = [f"{medians[name, b]:.2f} ({medians[name, b] / medians['Keras on JAX', b]:.2f})"
                  for b in (32, 128)]
        print(f"| {name} | " + " | ".join(cells_) + " |")


def whole(kernel, code, python, directory, arguments):
    """Times whole runs in turn, and prints the table."""
    found = {}
    for round_ in range(arguments.rounds):
        print(f"round {round_ + 1} of {arguments.rounds}", file=sys.stderr)
        begun = time.monotonic()
        kernel.run(code)
        found.setdefault("the cell", []).append(time.monotonic() - begun)
        for name, backend in [("Keras on TensorFlow", "tensorflow"), ("Keras on JAX", "jax")]:
            command = [python, HERE / "keras_step.py", backend, "--epochs", arguments.whole]
            [line] = run(command, directory)
            found.setdefault(name, []).append(line["seconds"])
    ours = statistics.median(found["the cell"])
    print(f"| {arguments.whole} epochs, batches of 32, each with its evaluation | seconds | ratio |\n|---|---|---|")
    for name, seconds in found.items():
        print(f"| {name} | {statistics.median(seconds):.0f} | {statistics.median(seconds) / ours:.2f} |")


if __name__ == "__main__":
    main()
