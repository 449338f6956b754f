"""Pictures: checked, measured and turned into data addresses."""

import base64
import binascii
import io
import re
import warnings
from dataclasses import dataclass
from html import escape

from PIL import Image, UnidentifiedImageError

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
    width: int | None
    height: int | None

    def tag(self, alt, width=None, height=None):
        """The `img` element; given a width alone, the height follows the picture's shape."""
        if width and not height and self.width:
            height = width * self.height / self.width
        width, height = width or self.width, height or self.height
        size = f' width="{round(width)}" height="{round(height)}"' if width and height else ""
        alt = escape(" ".join(alt.split()))
        return f'<img src="{self.address}" alt="{alt}"{size}>'


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
    """An SVG drawing. As the source of an `img` it runs no script and fetches nothing."""
    if "<svg" not in text:
        raise ValueError("it is no SVG drawing")
    data = base64.b64encode(text.encode()).decode()
    return Picture(f"data:{SVG};base64,{data}", None, None)


def from_file(path):
    """The picture in a file."""
    try:
        data = path.read_bytes()
    except OSError as error:
        raise ValueError(f"it can't be read ({error.strerror})") from None
    if path.suffix.lower() == ".svg":
        return vector(data.decode(errors="replace"))
    return raster(data)


def alternative(metadata, mime, text):
    """The alternative text of an output, or "" if it has none."""
    for place in (metadata.get(mime), metadata):
        alt = place.get("alt") if isinstance(place, dict) else None
        if isinstance(alt, str) and alt.strip():
            return alt
    if isinstance(text, str) and text.strip() and not PLACEHOLDER.match(text.strip()):
        return text
    return ""


def figure(image, caption_html=""):
    """The picture as a figure."""
    caption = f"<figcaption>{caption_html}</figcaption>" if caption_html else ""
    return f"<figure>{image}{caption}</figure>"
