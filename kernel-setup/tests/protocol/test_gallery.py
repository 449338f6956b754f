"""The gallery of notebook-live, and a notebook for each of three public crates, as a reader runs them."""

import pathlib

import nbformat
import pytest
from conftest import KERNEL, PATIENCE
from nbclient import NotebookClient

GALLERY = pathlib.Path(__file__).resolve().parents[3] / "notebook-live" / "gallery"
VIEW = "application/vnd.jupyter.widget-view+json"


@pytest.fixture(scope="module", params=["gallery", "ndarray", "petgraph", "plotters"])
def executed(request):
    notebook = nbformat.read(GALLERY / f"{request.param}.ipynb", as_version=4)
    folder = {"metadata": {"path": str(GALLERY)}}
    client = NotebookClient(notebook, kernel_name=KERNEL, timeout=3 * PATIENCE, resources=folder)
    return request.param, client.execute()


def outputs(notebook):
    return [output for cell in notebook.cells if cell.cell_type == "code" for output in cell.outputs]


def text(notebook):
    shown = outputs(notebook)
    streams = [output.text for output in shown if output.output_type == "stream" and output.name == "stdout"]
    plain = [output.data.get("text/plain", "") for output in shown if "data" in output]
    return "\n".join(streams + plain)


def areas(notebook):
    states = notebook.metadata.get("widgets", {}).get("application/vnd.jupyter.widget-state+json", {})
    models = [model["state"] for model in states.get("state", {}).values() if model["model_name"] == "OutputModel"]
    return [output for model in models for output in model["outputs"]]


def test_it_runs_and_shows_what_it_promises(executed):
    name, notebook = executed
    kinds = {mime for output in outputs(notebook) for mime in output.get("data", {})}
    said = text(notebook)
    if name == "gallery":
        assert {"text/html", "text/latex", VIEW} <= kinds
        assert "before" in said and "400/400" in said and "step 5" in said
        assert "the slider stands at 3" in said and "1723519 takes 556 steps" in said
        assert "the task has counted 2857143" in said
        assert any(
            "polyline" in output["data"].get("image/svg+xml", "")
            and output["data"]["text/plain"] == "a Lissajous curve, 3 to 2"
            for output in areas(notebook)
            if "data" in output
        )
        assert sum(VIEW in output.get("data", {}) for output in outputs(notebook)) == 6
        life = next(o for o in outputs(notebook) if "■" in o.get("data", {}).get("text/plain", ""))
        assert life.data["text/plain"].count("■") == 5
    if name == "ndarray":
        assert "shape [2, 3], sum 21" in said and "[14, 32]" in said.replace(".0", "")
        assert "means [2.5, 3.5, 4.5]" in said and "####" in said
    if name == "petgraph":
        assert "5 towns, 6 roads, 1 part" in said and "wash, cut, cook, eat" in said
        assert areas(notebook)[0]["text"] == "Aarau → Chur → Davos in 160 minutes\n"
    if name == "plotters":
        svg = [o.data["text/html"] for o in outputs(notebook) if "<svg" in o.get("data", {}).get("text/html", "")]
        assert len(svg) == 3 and "polyline" in svg[0]
    assert not any(output.output_type == "error" for output in outputs(notebook))


def test_what_is_committed_is_what_was_run(executed):
    name, notebook = executed
    committed = nbformat.read(GALLERY / f"{name}.ipynb", as_version=4)
    assert all(cell.execution_count for cell in committed.cells if cell.cell_type == "code")
    sources = [cell.source for cell in committed.cells]
    assert sources == [cell.source for cell in notebook.cells]
