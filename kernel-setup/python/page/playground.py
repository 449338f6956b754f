"""The panel to draw on: what a notebook brings of it is checked, and the page's own script runs it.

A notebook's output holds weights and words (`icvae-core/src/notebook/playground.rs` writes them). Nothing else of it
reaches the page: the description is read, checked number by number, and written anew.
"""

import base64
import binascii
import json
import math
import struct
import zlib
from hashlib import sha256
from pathlib import Path

from .tree import Element, elements, parse

# Carried along by the tool; in the repository it is the library's.
PARTS = (Path(__file__).parent / "playground", Path(__file__).parents[3] / "icvae-core/playground")
HERE = next((folder for folder in PARTS if folder.is_dir()), PARTS[0])
CLASS = "icvae-playground"
# More than any model of the kind needs, and little enough for a browser.
MOST_TEXT, MOST_BYTES, MOST_ROWS, MOST_LAYERS, MOST_MODELS = 48_000_000, 64_000_000, 65_536, 64, 8
ACTIVATIONS = {"linear", "tanh", "relu", "leaky_relu", "elu", "sigmoid", "softplus"}


def read(text):
    """The description as the page's script reads it: just what was checked.

    A `ValueError` says in half a sentence what is wrong with it.
    """
    if len(text) > MOST_TEXT:
        raise ValueError("it is too large")
    try:
        given = json.loads(text, parse_constant=_refuse)
    except (ValueError, RecursionError):
        raise ValueError("its description can't be read") from None
    if not isinstance(given, dict) or given.get("version") != 1:
        raise ValueError("it was made by another version")
    shape = given.get("shape")
    if not isinstance(shape, list) or len(shape) != 2:
        raise ValueError("it doesn't say the images' size")
    pixels = _whole(shape[0], 256) * _whole(shape[1], 256)
    models = given.get("models")
    if not isinstance(models, list) or not 1 <= len(models) <= MOST_MODELS:
        raise ValueError(f"it must have 1 to {MOST_MODELS} models")
    layers = []
    checked = [_model(model, pixels, layers) for model in models]
    weights = _inflate(_bytes(given.get("weights")))
    _check_weights(weights, layers)
    examples = given.get("examples")
    if examples is not None and len(_bytes(examples)) % pixels:
        raise ValueError("its examples have another size")
    classes = given.get("classes") or []
    if not isinstance(classes, list) or len(classes) > 100:
        raise ValueError("its classes make no sense")
    return {
        "version": 1,
        "shape": shape,
        "classes": [_words(name) for name in classes],
        "models": checked,
        "examples": examples,
        "weights": given["weights"],
    }


def find(html):
    """The description and the picture's nodes of the panel in an output; None if there is none."""
    if CLASS not in html:
        return None
    found = list(elements(parse(html)))
    for panel in found:
        if panel.name == "div" and CLASS in (panel.get("class") or "").split():
            name = panel.get("data-weights")
            for script in found:
                if name and script.name == "script" and script.get("id") == name:
                    return "".join(map(str, script.children)), panel.children
            return "", panel.children
    return None


def panel(description, picture):
    """The panel for the page, the name of its data, and the data as text for a script element."""
    # Text that would end the element can't stand in it.
    text = json.dumps(description).replace("<", "\\u003c")
    # No anchor of a notebook has a capital letter.
    name = f"Playground-{sha256(text.encode()).hexdigest()[:12]}"
    return Element("div", {"class": CLASS, "data-weights": name}, picture), name, text


def script():
    """The page's own script."""
    text = (HERE / "panel.min.js").read_text(encoding="utf-8").rstrip()
    dense = base64.b64encode((HERE / "dense.wasm").read_bytes()).decode()
    return text.replace("@WASM@", dense)


def style():
    return (HERE / "panel.css").read_text(encoding="utf-8")


def source(text):
    """How a content security policy names a script that it lets run."""
    return f"'sha256-{base64.b64encode(sha256(text.encode()).digest()).decode()}'"


def _refuse(constant):
    raise ValueError(constant)


def _whole(number, most):
    if isinstance(number, bool) or not isinstance(number, int) or not 1 <= number <= most:
        raise ValueError("its sizes make no sense")
    return number


def _words(text):
    if not isinstance(text, str) or len(text) > 100:
        raise ValueError("a name in it is no short text")
    return text


def _model(model, pixels, layers):
    if not isinstance(model, dict):
        raise ValueError("a model in it is none")
    latent = _whole(model.get("latent"), 1024)
    classes = model.get("classes", 0)
    classes = 0 if classes == 0 else _whole(classes, 100)
    told = model.get("told", False)
    if not isinstance(told, bool) or told and not classes:
        raise ValueError("it doesn't say whether its encoder is told the class")
    encoder, top = _stack(model.get("encoder"), pixels + classes if told else pixels, layers)
    mean, log_var = (_layer(model.get(name), top, layers) for name in ("mean", "log_var"))
    decoder, end = _stack(model.get("decoder"), latent + classes, layers)
    if (mean["out"], log_var["out"], end) != (latent, latent, pixels) or not decoder:
        raise ValueError("its layers don't fit each other")
    checked = {
        "name": _words(model.get("name")), "latent": latent, "classes": classes, "told": told,
        "encoder": encoder, "mean": mean, "log_var": log_var, "decoder": decoder,
    }  # fmt: skip
    if model.get("plane") is not None:
        checked["plane"] = _plane(model["plane"], latent)
    if model.get("probe") is not None:
        checked["probe"], _ = _stack(model["probe"], latent, layers)
    return checked


def _plane(plane, latent):
    if not isinstance(plane, list) or len(plane) != 2:
        raise ValueError("its plane makes no sense")
    if any(isinstance(d, bool) or not isinstance(d, int) or not 0 <= d < latent for d in plane):
        raise ValueError("its plane makes no sense")
    return plane


def _stack(stack, width, layers):
    if not isinstance(stack, list) or len(stack) > MOST_LAYERS:
        raise ValueError("its layers are no list")
    made = []
    for layer in stack:
        made.append(_layer(layer, width, layers))
        width = made[-1]["out"]
    return made, width


def _layer(layer, width, layers):
    if not isinstance(layer, dict):
        raise ValueError("a layer in it is none")
    inputs, outputs = (_whole(layer.get(name), MOST_ROWS) for name in ("in", "out"))
    if inputs != width:
        raise ValueError("its layers don't fit each other")
    activation, slope = layer.get("act"), layer.get("slope", 0)
    if not isinstance(activation, str) or activation not in ACTIVATIONS:
        raise ValueError("it has an unknown activation")
    if isinstance(slope, bool) or not isinstance(slope, (int, float)) or not abs(slope) <= 1e6:
        raise ValueError("an activation in it has no slope")
    layers.append((outputs, inputs))
    return {"in": inputs, "out": outputs, "act": activation, "slope": slope}


def _bytes(text):
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, TypeError, ValueError):
        raise ValueError("its numbers can't be read") from None


def _inflate(packed):
    inflater = zlib.decompressobj(-zlib.MAX_WBITS)
    try:
        weights = inflater.decompress(packed, MOST_BYTES + 1)
    except zlib.error:
        raise ValueError("its weights are damaged") from None
    if len(weights) > MOST_BYTES:
        raise ValueError("its weights are too large")
    if not inflater.eof or inflater.unused_data:
        raise ValueError("its weights are cut off")
    return weights


def _check_weights(weights, layers):
    at = 0
    for rows, columns in layers:
        end = at + 8 * rows
        if end + rows * columns > len(weights):
            raise ValueError("its weights end too early")
        if not all(map(math.isfinite, struct.unpack_from(f"<{2 * rows}f", weights, at))):
            raise ValueError("its weights aren't all numbers")
        at = end + rows * columns
    if at != len(weights):
        raise ValueError("it has more weights than layers")
