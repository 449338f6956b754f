"""Widgets as they stood when the notebook was saved: a line for the control, and its closures' outputs."""

import nbformat
from nbformat.validator import NotebookValidationError

VIEW = "application/vnd.jupyter.widget-view+json"
STATES = "application/vnd.jupyter.widget-state+json"
REFERENCE = "IPY_MODEL_"
# Models deeper inside each other than this are no widget of ours. (Each counts once, however many name it.)
DEEPEST = 5


def still(notebook):
    """Puts what widgets last showed in the place of each cell's outputs that show a widget."""
    saved = notebook.metadata.get("widgets")
    saved = saved.get(STATES) if isinstance(saved, dict) else None
    models = saved.get("state") if isinstance(saved, dict) else None
    if not isinstance(models, dict):
        return
    for cell in notebook.cells:
        if cell.cell_type == "code":
            cell.outputs = [one for output in cell.outputs for one in _still(output, models)]


def _still(output, models):
    data = output.get("data")
    view = data.get(VIEW) if isinstance(data, dict) else None
    name = view.get("model_id") if isinstance(view, dict) else None
    parts = _model(models, name, 0, set())
    if not parts:
        return [output]
    said = data.get("text/plain")
    for part in parts:
        if isinstance(part, _Unknown):
            # A module of its own: what it says of itself in text is all that a page can show.
            part.text = said if isinstance(said, str) else None
    lines = [part.text if isinstance(part, _Unknown) else part for part in parts]
    return [_line(one) if isinstance(one, str) else one for one in lines if one]


class _Unknown:
    text = None


def _model(models, name, depth, seen):
    """What a model last showed: lines of text and outputs; none if nothing is known of it."""
    model = models.get(name) if isinstance(name, str) else None
    state = model.get("state") if isinstance(model, dict) else None
    if not isinstance(state, dict) or depth > DEEPEST or name in seen:
        return None
    seen.add(name)
    children = state.get("children")
    if isinstance(children, list):
        inside = (
            _model(models, child.removeprefix(REFERENCE), depth + 1, seen)
            for child in children
            if isinstance(child, str)
        )
        return [part for parts in inside if parts for part in parts]
    if model.get("model_name") == "OutputModel":
        outputs = state.get("outputs")
        return [one for one in map(_output, outputs if isinstance(outputs, list) else []) if one]
    line = _control(model.get("model_name"), state)
    return [_Unknown() if line is None else line]


def _control(kind, state):
    """A control as a line, in the words of `notebook-live`."""
    label, value = state.get("description") or "", state.get("value")
    match kind:
        case "CheckboxModel":
            return f"[{'x' if value is True else ' '}] {label}"
        case "ButtonModel":
            return f"[{label}]"
        case "DropdownModel":
            options, index = state.get("_options_labels"), state.get("index")
            if not isinstance(options, list) or not all(isinstance(one, str) for one in options):
                return None
            chosen = options[index] if type(index) is int and 0 <= index < len(options) else "–"
            return f"{label}: {chosen} (of {', '.join(options)})"
        case "IntSliderModel" | "FloatSliderModel":
            return f"{label}: {value} ({state.get('min')} to {state.get('max')})"
        case "TextModel":
            return f"{label}: {value}"
    return None


def _output(output):
    """An output that a widget has kept, if it is one."""
    if not isinstance(output, dict):
        return None
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell("")])
    notebook.cells[0].outputs = [nbformat.from_dict(output)]
    try:
        nbformat.validate(notebook)
    except (NotebookValidationError, AttributeError, KeyError, TypeError, ValueError):
        return None
    return notebook.cells[0].outputs[0]


def _line(text):
    return nbformat.v4.new_output("display_data", {"text/plain": text})
