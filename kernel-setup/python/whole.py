"""Files that are written whole or not at all: the one way in which Python writes them here."""

import contextlib
import os
import tempfile


def write_whole(files):
    """Writes texts to paths: each under another name, and when all are on the disk, each gets its own."""
    umask = os.umask(0)
    os.umask(umask)
    written = {}
    try:
        for target, text in files.items():
            folder = os.path.dirname(os.path.abspath(target))
            os.makedirs(folder, exist_ok=True)
            handle, temporary = tempfile.mkstemp(dir=folder, prefix=".whole.", suffix=".part")
            written[temporary] = target
            with os.fdopen(handle, "w", encoding="utf-8", newline="\n") as file:
                file.write(text)
                file.flush()
                os.fsync(file.fileno())
            # mkstemp's is for its owner alone.
            os.chmod(temporary, 0o666 & ~umask)
        folders = {os.path.dirname(temporary) for temporary in written}
        for temporary, target in list(written.items()):
            os.replace(temporary, target)
            del written[temporary]
        for folder in folders:
            # Not every file system can do that with a folder; the files themselves are safe.
            with contextlib.suppress(OSError):
                _sync(folder)
    finally:
        for temporary in written:
            os.unlink(temporary)


def _sync(folder):
    directory = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(directory)
    finally:
        os.close(directory)
