"""The open font, with Chinese, in which papers are laid out, and the characters it has."""

from functools import lru_cache
from importlib import resources
from typing import Any, Final

FONT: Final = "noto"
_PACKAGE: Final = "pylopdf_fonts_zh_cn"
_FILE: Final = "NotoSansSC-Regular.otf"


def add_font(pdf: Any) -> None:  # noqa: ANN401 — fpdf2's, which only the process that lays out imports
    """Give a PDF the font, under the name `FONT`."""
    with resources.as_file(resources.files(_PACKAGE) / _FILE) as font:
        pdf.add_font(FONT, fname=font)


@lru_cache(maxsize=1)
def drawable() -> frozenset[str]:
    """Return the characters the font has a shape for; every other one would vanish. Reads the font the first time."""
    from fontTools.ttLib import TTFont  # noqa: PLC0415 — fpdf2's own reader, for whoever lays out

    with resources.as_file(resources.files(_PACKAGE) / _FILE) as path, TTFont(path, lazy=True) as font:
        return frozenset(map(chr, font.getBestCmap())) | {"\n"}


def with_marks(text: str) -> str:
    """Return a text in which each character that the font lacks is named by its code: `〓（U+20BB7）`."""
    known = drawable()
    return (
        text
        if known.issuperset(text)
        else "".join(each if each in known else f"〓（U+{ord(each):04X}）" for each in text)
    )
