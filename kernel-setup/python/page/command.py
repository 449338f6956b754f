"""The command that the tool starts: reads its orders as JSON from standard input.

    {"notebooks": [["/full/path.ipynb", "name to show"], …], "output": "folder",
     "config": {…}, "trust": false, "check": false}

With `check` nothing is written: it tells whether the notebooks could become pages once they are
executed. The exit status is 1 if they can't.
"""

import json
import sys
import time
from pathlib import Path

from .publish import Publisher


def main():
    orders = json.load(sys.stdin)
    start = time.monotonic()
    config = {name: value for name, value in orders["config"].items() if value is not None}
    if "root" in config:
        config["root"] = Path(config["root"]).resolve()
    publisher = Publisher(
        [(Path(path), shown) for path, shown in orders["notebooks"]],
        config,
        orders["trust"],
        execute=orders["check"],
    )
    pages = publisher.compose()
    if not orders["check"]:
        for report in publisher.reports:
            for note in report.notes:
                print(f"note: {note}", file=sys.stderr)
    for report in publisher.reports:
        for fault in report.faults:
            print(f"error: {fault}", file=sys.stderr)
    if pages is None:
        return 1
    if orders["check"]:
        return 0
    folder = Path(orders["output"])
    try:
        files = publisher.write(pages, folder)
    except OSError as error:
        print(f"error: {folder} can't be written ({error.strerror})", file=sys.stderr)
        return 1
    formulas = {page.file: page.formulas for page in pages}
    for name, size in files.items():
        what = f", {formulas[name]} formulas" if formulas.get(name) else ""
        print(f"{folder / name}  {size / 1e6:.2f} MB{what}")
    print(f"{len(files)} pages in {time.monotonic() - start:.1f} s" if len(files) > 1 else
          f"1 page in {time.monotonic() - start:.1f} s")
    return 0
