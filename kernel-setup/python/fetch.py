"""Fetch an archive, check that it is the one that is locked, and take one program out of it.

Usage: fetch.py ADDRESS SHA256 NAME FILE
"""

import hashlib
import io
import os
import sys
import tarfile
import urllib.request

address, digest, name, target = sys.argv[1:]
with urllib.request.urlopen(address, timeout=30) as answer:
    archive = answer.read()
found = hashlib.sha256(archive).hexdigest()
if found != digest:
    sys.exit(f"{address} is not the file that is locked: its digest is {found}")
with tarfile.open(fileobj=io.BytesIO(archive)) as files:
    member = next((member for member in files if member.isfile() and os.path.basename(member.name) == name), None)
    if member is None:
        sys.exit(f"{address} holds no {name}")
    content = files.extractfile(member).read()
with open(target, "wb") as file:
    file.write(content)
