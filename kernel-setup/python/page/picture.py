"""Pictures: checked, measured and turned into data addresses."""

import base64
import binascii
import io
import re
import warnings
from dataclasses import dataclass
from urllib.parse import unquote_to_bytes

from PIL import Image, UnidentifiedImageError

from .drawing import Drawing
from .tree import Element

# What every browser draws.
FORMATS = {"PNG": "image/png", "JPEG": "image/jpeg", "GIF": "image/gif", "WEBP": "image/webp"}
SVG = "image/svg+xml"
RASTER = ("image/png", "image/jpeg", "image/gif", "image/webp")
# Jupyter front ends put a figure's class there, which tells nobody anything.
PLACEHOLDER = re.compile(r"^<.*>$", re.DOTALL)


@dataclass
class Picture:
    """A picture that a browser can draw: its address holds all of it."""

    address: str
    width: float | None
    height: float | None

    def tag(self, alt, width=None, height=None):
        """The `img` element; given a width alone, the height follows the picture's shape."""
        if width and not height and self.width:
            height = width * self.height / self.width
        width, height = width or self.width, height or self.height
        about = {"src": self.address, "alt": " ".join(alt.split())}
        if width and height:
            about |= {"width": f"{max(1, round(width))}", "height": f"{max(1, round(height))}"}
        return Element("img", about)


def decode(content):
    """The picture in base64 text; raises ValueError with the reason if there is none."""
    try:
        data = base64.b64decode("".join(content.split()), validate=True)
    except (binascii.Error, ValueError):
        raise ValueError("its base64 text is damaged") from None
    return raster(data)


def raster(data):
    """The picture in a PNG, JPEG, GIF or WebP file; raises ValueError with the reason."""
    if not data:
        raise ValueError("it is empty")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", Image.DecompressionBombWarning)
        try:
            with Image.open(io.BytesIO(data), formats=list(FORMATS)) as image:
                image.load()
                mime, (width, height) = FORMATS[image.format], image.size
        except UnidentifiedImageError:
            raise ValueError("it is no PNG, JPEG, GIF or WebP file") from None
        except Image.DecompressionBombError:
            raise ValueError("it has too many pixels") from None
        except Exception:
            # A decoder meets damage in many ways, each with an exception of its own.
            raise ValueError("the file is cut off or damaged") from None
    return Picture(f"data:{mime};base64,{base64.b64encode(data).decode()}", width, height)


def vector(text):
    """A drawing in SVG text; raises ValueError with the reason."""
    return Drawing(text, _raster_address)


def drawn(text):
    """The picture in SVG text, as a file of its own."""
    drawing = vector(text)
    data = base64.b64encode(drawing.file().encode()).decode()
    return Picture(f"data:{SVG};base64,{data}", drawing.width, drawing.height)


def from_address(address):
    """The picture in a `data:` address, which is what it holds and not what it says it is."""
    head, comma, body = address.partition(",")
    body, kind = unquote_to_bytes(body), head.lower()
    if kind.endswith(";base64"):
        try:
            body = base64.b64decode(b"".join(body.split()), validate=True)
        except (binascii.Error, ValueError):
            raise ValueError("its base64 text is damaged") from None
    elif not kind.startswith(f"data:{SVG}"):
        raise ValueError("it is not in base64")
    if kind.startswith(f"data:{SVG}"):
        return drawn(body.decode(errors="replace"))
    return raster(body)


def _raster_address(address):
    try:
        picture = from_address(address) if address.lower().startswith("data:image/") else None
    except ValueError:
        return None
    return picture.address if picture and not picture.address.startswith(f"data:{SVG}") else None


def from_file(path):
    """The picture in a file."""
    try:
        data = path.read_bytes()
    except OSError as error:
        raise ValueError(f"it can't be read ({error.strerror})") from None
    if path.suffix.lower() == ".svg":
        return drawn(data.decode(errors="replace"))
    return raster(data)


def alternative(metadata, kinds, text):
    """The alternative text of an output, or "" if it has none."""
    for place in (*map(metadata.get, kinds), metadata):
        alt = place.get("alt") if isinstance(place, dict) else None
        if isinstance(alt, str) and alt.strip():
            return alt
    if isinstance(text, str) and text.strip() and not PLACEHOLDER.match(text.strip()):
        return text
    return ""


def figure(image, caption=""):
    """The picture as a figure."""
    return Element(
        "figure", None, [image, *([Element("figcaption", None, [caption])] if caption else [])]
    )
