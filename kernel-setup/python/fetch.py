"""Fetch an archive, check that it is the one that is locked, and put one program of it in place.

Usage: fetch.py ADDRESS SHA256 PROGRAM
"""

import hashlib
import io
import os
import sys
import tarfile
import tempfile
import urllib.request

address, digest, program = sys.argv[1:]
with urllib.request.urlopen(address, timeout=30) as answer:
    archive = answer.read()
found = hashlib.sha256(archive).hexdigest()
if found != digest:
    sys.exit(f"{address} is not the file that is locked: its digest is {found}")
with tarfile.open(fileobj=io.BytesIO(archive)) as files:
    name = os.path.basename(program)
    member = next((member for member in files if member.isfile() and os.path.basename(member.name) == name), None)
    if member is None:
        sys.exit(f"{address} holds no {name}")
    content = files.extractfile(member).read()
os.makedirs(os.path.dirname(program), exist_ok=True)
with tempfile.NamedTemporaryFile(dir=os.path.dirname(program), delete=False) as file:
    file.write(content)
os.chmod(file.name, 0o755)
os.replace(file.name, program)
