"""Makes this folder's fonts: STIX Two, cut down to what a page about mathematics needs.

    npm install --prefix /tmp/stix @fontsource/stix-two-math@5.3.0 \\
        @fontsource-variable/stix-two-text@5.3.0
    pip install fonttools brotli
    python make.py /tmp/stix/node_modules
"""

import shutil
import sys
from pathlib import Path

from fontTools.subset import Options, Subsetter, parse_unicodes
from fontTools.ttLib import TTFont

HERE = Path(__file__).parent
# Letters and digits in all the styles of TeX, accents, operators, arrows, delimiters.
MATH = (
    "20-7e a0 a7 a8 ac af-b4 b6 b7 b9 d7 f7 131 237 2c6 2c7 2d8-2dd 300-308 30a 30c 332 333 338 "
    "391-3f6 2002-200a 2010-2016 2020-2022 2026 2032-2037 203e 2044 2057 2061-2064 20d0 20d1 20d6 "
    "20d7 20db 20dc 2102-214e 2190-22ff 2308-230b 239b-23b5 23dc-23e1 25a0 25a1 25b3 25bd 25c7 "
    "25cb 25cf 2605 2713 27c2 27e6-27ef 27f5-27ff 2a00-2a06 2a3f 2a7d 2a7e 2aaf 2ab0 fe00 fe01 "
    "1d400-1d503 1d538-1d56b 1d6a4-1d755 1d7ce-1d7e1"
)


def _even_radicals(font):
    """Makes the taller radical signs as wide as the small one.

    Chromium leaves room behind every root for the widest sign of the font, whichever it draws.
    """
    variants, glyphs = font["MATH"].table.MathVariants, font["glyf"]
    small = font.getBestCmap()[0x221A]
    place = variants.VertGlyphCoverage.glyphs.index(small)
    construction = variants.VertGlyphConstruction[place]
    taller = {record.VariantGlyph for record in construction.MathGlyphVariantRecord}
    taller |= {part.glyph for part in construction.GlyphAssembly.PartRecords}
    width = font["hmtx"][small][0]
    for name in taller - {small}:
        advance, _ = font["hmtx"][name]
        glyph = glyphs[name]
        glyph.coordinates.scale((width / advance, 1))
        glyph.coordinates.toInt()
        glyph.recalcBounds(glyphs)
        font["hmtx"][name] = (width, glyph.xMin)


def make(packages):
    files = packages / "@fontsource/stix-two-math/files"
    font = TTFont(files / "stix-two-math-latin-400-normal.woff2")
    # A browser measures every base by its height, where TeX lets all letters have their scripts at
    # one height: with TeX's own figures the exponents of a and b stand level.
    constants = font["MATH"].table.MathConstants
    constants.SuperscriptBaselineDropMax.Value = 390
    constants.SubscriptBaselineDropMin.Value = 0
    _even_radicals(font)
    options = Options()
    options.layout_features = ["ssty", "kern", "mark", "mkmk", "dtls", "flac"]
    options.flavor, options.hinting, options.desubroutinize = "woff2", False, True
    subsetter = Subsetter(options)
    subsetter.populate(unicodes=parse_unicodes(MATH))
    subsetter.subset(font)
    font.flavor = "woff2"
    font.save(HERE / "math.woff2")

    files = packages / "@fontsource-variable/stix-two-text/files"
    for style, name in (("normal", "text"), ("italic", "text-italic")):
        shutil.copy(files / f"stix-two-text-latin-wght-{style}.woff2", HERE / f"{name}.woff2")
    shutil.copy(packages / "@fontsource/stix-two-math/LICENSE", HERE / "OFL.txt")


if __name__ == "__main__":
    make(Path(sys.argv[1]))
