"""Reads a notebook and refuses what can't become a page."""

import json
import re
import warnings

import nbformat
from nbformat import NotebookNode
from nbformat.validator import NotebookValidationError
from pygments.lexers import get_lexer_by_name
from pygments.util import ClassNotFound

from .fault import CellName

SURROGATE = re.compile("[\ud800-\udfff]")

# The kernels of Rust notebooks: this project's own, with and without its library, and evcxr as it comes.
RUST_KERNELS = {"icvae-rust", "rust-live", "rust", "evcxr"}


def read(path, report, outputs_wanted=True):
    """The notebook at `path`; `outputs_wanted` is false for one that is still to be executed."""
    notebook = _parse(path, report)
    _validate(notebook, report)
    if not notebook.cells:
        report.stop("it has no cells")
    if outputs_wanted:
        _check_outputs(notebook, report)
    return notebook


def _parse(path, report):
    try:
        content = json.loads(path.read_bytes().decode("utf-8-sig"))
    except OSError as error:
        report.stop(f"it can't be read ({error.strerror})")
    except UnicodeDecodeError as error:
        report.stop(f"it is not UTF-8 text (byte {error.start}), so it is not a notebook")
    except json.JSONDecodeError as error:
        where = f"line {error.lineno}, column {error.colno}"
        report.stop(f"it is not JSON ({where}: {error.msg.lower()}), so it is not a notebook")
    except RecursionError:
        report.stop("it is not a notebook: its JSON is nested too deep")
    except ValueError:
        report.stop("it is not a notebook: a number in its JSON has too many digits")
    if not isinstance(content, dict) or "nbformat" not in content:
        report.stop("it is JSON, but not a notebook: it has no `nbformat`")
    version = content["nbformat"]
    if version != 4:
        report.stop(
            f"it is of notebook format {version}, and only format 4 can become a page: "
            f"`jupyter nbconvert --to notebook --inplace {report.name}` converts an older one"
        )
    cells = content.get("cells")
    if not isinstance(cells, list) or not all(isinstance(cell, dict) for cell in cells):
        report.stop("it breaks the notebook format: `cells` is not a list of cells")
    minor = content.get("nbformat_minor", 0)
    if type(minor) is not int or not 0 <= minor < 100:
        report.stop("it breaks the notebook format: `nbformat_minor` is not a small number")
    return nbformat.from_dict(_as_text(content))


def _as_text(content):
    """Replaces halves of surrogate pairs, which JSON can name and no file can hold."""
    return json.loads(SURROGATE.sub("�", json.dumps(content, ensure_ascii=False)))


def _validate(notebook, report):
    """Holds the notebook to its format, but for a display's name, which some front ends keep."""
    ids = {}
    for index, cell in enumerate(notebook.cells):
        kind, outputs = cell.get("cell_type"), cell.get("outputs", [])
        # The validator itself stumbles over these.
        if kind not in ("code", "markdown", "raw"):
            report.stop(
                "it breaks the notebook format: it is not code, Markdown or raw",
                f"cell {index + 1}",
            )
        if not isinstance(outputs, list):
            report.stop(
                "it breaks the notebook format: `outputs` is not a list", f"cell {index + 1}"
            )
        for output in outputs:
            if isinstance(output, dict) and "transient" in output:
                ids[id(output)] = output.pop("transient")
    with warnings.catch_warnings():
        # A cell without an id is a matter for the notebook's next save.
        warnings.simplefilter("ignore")
        try:
            nbformat.validate(notebook, version=4)
        except NotebookValidationError as error:
            place = list(error.absolute_path)
            what = error.message.splitlines()[0]
            what = what if len(what) <= 160 else what[:159] + "…"
            cell = f"cell {place[1] + 1}" if len(place) > 1 and place[0] == "cells" else None
            report.stop(f"it breaks the notebook format: {what}", cell)
        except (AttributeError, KeyError, TypeError, ValueError):
            report.stop("it breaks the notebook format: a value is of the wrong kind")
    for cell in notebook.cells:
        if isinstance(cell.source, list):
            cell.source = "".join(cell.source)
        for output in cell.get("outputs", []):
            if id(output) in ids:
                output["transient"] = ids[id(output)]
            if isinstance(output.get("text"), list):
                output.text = "".join(output.text)
            _join_lines(output.get("data", {}))
        for attached in cell.get("attachments", {}).values():
            _join_lines(attached)


def _join_lines(data):
    """Multi-line strings may be stored as lists of lines."""
    for mime, value in data.items():
        if isinstance(value, list) and all(isinstance(line, str) for line in value):
            data[mime] = "".join(value)


def _check_outputs(notebook, report):
    code = [cell for cell in notebook.cells if cell.cell_type == "code" and cell.source.strip()]
    if code and not any(cell.outputs or cell.execution_count for cell in code):
        first = notebook.cells.index(code[0])
        report.fault(
            "the notebook has no outputs, from this code cell on: "
            "run it and save it, or give --execute",
            CellName(first, code[0]),
        )


def language(notebook, report, execute=False):
    """The name of the Pygments lexer for the notebook's code."""
    spec = notebook.metadata.get("kernelspec", NotebookNode())
    info = notebook.metadata.get("language_info", NotebookNode())
    kernel = spec.get("name")
    if execute and kernel is not None and kernel not in RUST_KERNELS:
        report.fault(
            f"its kernel “{kernel}” is unknown here, so it can't be executed: "
            "choose the Rust kernel in Jupyter and save the notebook"
        )
    if kernel in RUST_KERNELS or (kernel is None and not info):
        return "rust"
    for name in (info.get("pygments_lexer"), info.get("name"), spec.get("language")):
        if isinstance(name, str):
            try:
                get_lexer_by_name(name)
            except ClassNotFound:
                continue
            return name
    first = next(((i, c) for i, c in enumerate(notebook.cells) if c.cell_type == "code"), None)
    if first is not None and kernel is not None:
        report.fault(
            f"the notebook's kernel “{kernel}” is unknown and names no language that can be "
            "highlighted: choose a kernel in Jupyter and save the notebook",
            CellName(*first),
        )
    return "text"
