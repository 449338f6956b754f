"""The command that the tool starts: reads its orders as JSON from standard input.

    {"notebooks": [{"name": "as shown", "path": "where it lies", "content": "the file to read"}, …],
     "output": "folder", "root": "the repository", "config": {…}, "trust": false}

Without an output nothing is written: it tells whether the notebooks could become pages once they
are executed. The exit status is 1 if they can't.
"""

import json
import sys
import time
from pathlib import Path

from .publish import Publisher

LARGEST = 2_500_000


def main():
    orders = json.load(sys.stdin)
    start = time.monotonic()
    publisher = Publisher(orders)
    pages = publisher.compose()
    folder = orders["output"]
    # What a later run says again is not said before it.
    for note in publisher.notes() if folder else ():
        print(f"note: {note}", file=sys.stderr)
    for fault in publisher.faults():
        print(f"error: {fault}", file=sys.stderr)
    if pages is None:
        return 1
    if not folder:
        return 0
    try:
        files = publisher.write(pages, Path(folder))
    except OSError as error:
        print(f"error: {folder} can't be written ({error.strerror})", file=sys.stderr)
        return 1
    for name, size in files.items():
        if size > LARGEST:
            print(
                f"note: {name} has {size / 1e6:.1f} MB, which is much on a phone: "
                "make its figures smaller, or fewer",
                file=sys.stderr,
            )
    formulas = {page.file: page.formulas for page in pages}
    for name, size in files.items():
        count = formulas.get(name, 0)
        what = f", {count} formula{'s' if count > 1 else ''}" if count else ""
        print(f"{Path(folder) / name}  {size / 1e6:.2f} MB{what}")
    print(f"{len(files)} page{'s' if len(files) > 1 else ''} in {time.monotonic() - start:.1f} s")
    return 0
