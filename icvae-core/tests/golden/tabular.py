"""Golden numbers of an independent reading of UCI's tables, in plain Python.

Makes `tabular.json` beside this script, from a folder with the files (gzipped or not) and adult.names:

    python tabular.py FOLDER

Levels of Adult come from adult.names, those of German credit from the data; columns are counted and summed per part, so
that no row of the data is here. German's test rows are the 300 with the smallest SHA-256 of "SPLIT:ROW".
"""

import gzip
import hashlib
import json
import re
import sys
from pathlib import Path
from statistics import fmean, pstdev

folder = Path(sys.argv[1])


def text(name):
    plain, packed = folder / name, folder / f"{name}.gz"
    return plain.read_text() if plain.exists() else gzip.open(packed, "rt").read()


def encode(train, test, levels):
    """One-hot and standardised columns by name: the sums over the rows of both parts."""
    sums = {}
    for name, known in levels.items():
        if known:
            for level in known:
                sums[f"{name}={level}"] = [sum(row[name] == level for row in part) for part in (train, test)]
        else:
            seen = [float(row[name]) for row in train]
            mean, deviation = fmean(seen), pstdev(seen)
            sums[name] = [sum((float(row[name]) - mean) / deviation for row in part) for part in (train, test)]
    return sums


def labels(part, y, c):
    pairs = [(y(row), c(row)) for row in part]
    return {"y": sum(y for y, _ in pairs), "c": sum(c for _, c in pairs), "both": sum(y and c for y, c in pairs)}


def described(train, test, levels, y, c):
    rows = {"rows": [len(train), len(test)], "sums": encode(train, test, levels)}
    return rows | {"labels": [labels(part, y, c) for part in (train, test)]}


out = {}
levels = {}
for line in text("adult.names").splitlines():
    if match := re.fullmatch(r"([a-z-]+): (.*)\.", line):
        levels[match[1]] = [] if match[2] == "continuous" else match[2].split(", ")
names = [*levels, "income"]
parts, left_out = [], []
for name in ("adult.data", "adult.test"):
    lines = [line for line in text(name).splitlines() if line.count(",") == 14]
    rows = [dict(zip(names, (value.strip().rstrip(".") for value in line.split(",")))) for line in lines]
    known = [row for row in rows if "?" not in row.values()]
    parts.append(known)
    left_out.append(len(rows) - len(known))
del levels["sex"]
income, male = (lambda row: row["income"] == ">50K"), (lambda row: row["sex"] == "Male")
out["adult"] = described(*parts, levels, income, male) | {"left_out": left_out}
for part in parts:
    for row in part:
        if row["relationship"] in ("Wife", "Husband"):
            row["relationship"] = "Spouse"
merged = ["Spouse", *(level for level in levels["relationship"] if level not in ("Wife", "Husband"))]
levels["relationship"] = merged
out["adult_spouses"] = described(*parts, levels, income, male) | {"left_out": left_out}

rows = [line.split() for line in text("german.data").splitlines()]
NUMBERS = {1, 4, 7, 10, 12, 15, 17}
for task, split in (("german_age", 0), ("german_sex", 7)):
    order = sorted(range(len(rows)), key=lambda i: hashlib.sha256(f"{split}:{i}".encode()).digest())
    chosen = set(order[:300])
    parts = [[dict(enumerate(row)) for i, row in enumerate(rows) if (i in chosen) == test] for test in (False, True)]
    without = 12 if task == "german_age" else 8
    # Levels in the order of their codes' numbers; those that no row has are columns of zeros in the crate.
    levels = {
        i: [] if i in NUMBERS else sorted({row[i] for row in rows}, key=lambda code: int(code[1:]))
        for i in range(20)
        if i != without
    }
    group = (lambda row: int(row[12]) > 25) if task == "german_age" else (lambda row: row[8] not in ("A92", "A95"))
    out[task] = described(*parts, levels, lambda row: row[20] == "1", group) | {"split": split}

path = Path(__file__).with_suffix(".json")
path.write_text(json.dumps(out, indent=1) + "\n")
