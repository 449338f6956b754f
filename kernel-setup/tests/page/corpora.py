"""Hostile HTML that others collected, fetched from npm once, at versions whose content is known."""

import hashlib
import json
import re
import shutil
import subprocess
import tarfile

import pytest
from conftest import ROOT

CACHE = ROOT / ".icvae/npm/corpora"
# The last version of DOMPurify whose package holds its vectors, and one of a parser with html5lib's tests.
PACKAGES = {
    "dompurify@0.8.0": "467e72632889308b8c0648421c1822f15cbd2e598fa1feb24454ba4554349044",
    "parse5@0.6.1": "70d1be2658e36e6e0fa9ecc76f72f84405596c7073209ab3fb04232026f7d7f4",
}


def package(name):
    """The files of an npm package as text, by their names in it; skips the test if it can't be had."""
    archive = CACHE / (name.replace("@", "-") + ".tgz")
    if not archive.is_file():
        npm = shutil.which("npm")
        if npm is None:
            pytest.skip(f"npm isn't installed, so the vectors of {name} can't be had")
        CACHE.mkdir(parents=True, exist_ok=True)
        done = subprocess.run(
            [npm, "pack", name, "--silent", "--pack-destination", CACHE],
            capture_output=True,
            text=True,
            cwd=CACHE,
        )
        if done.returncode or not archive.is_file():
            pytest.skip(f"npm can't fetch the vectors of {name}: {done.stderr[-200:]}")
    if hashlib.sha256(archive.read_bytes()).hexdigest() != PACKAGES[name]:
        archive.unlink()
        pytest.fail(f"{name} is not the file that it was")
    with tarfile.open(archive) as opened:
        return {
            member.name: opened.extractfile(member).read().decode(errors="replace")
            for member in opened
            if member.isfile() and re.search(r"fixtures/expect\.js$|\.(dat|test)$", member.name)
        }


def dompurify():
    """The payloads of DOMPurify's tests."""
    (text,) = package("dompurify@0.8.0").values()
    found = re.findall(r'"payload"\s*:\s*("(?:[^"\\]|\\.)*")', text)
    return [json.loads(payload, strict=False) for payload in found]


def html5lib():
    """The documents of html5lib's tests of tokenisers, serialisers and tree builders."""
    vectors = []
    for name, text in package("parse5@0.6.1").items():
        if name.endswith(".dat"):
            vectors += re.findall(r"^#data\n(.*?)\n#errors", text, re.DOTALL | re.MULTILINE)
        else:
            try:
                tests = json.loads(text)
            except ValueError:
                continue
            vectors += [
                test["input"]
                for test in tests.get("tests", [])
                if isinstance(test.get("input"), str)
            ]
    return [vector for vector in dict.fromkeys(vectors) if "<" in vector]
