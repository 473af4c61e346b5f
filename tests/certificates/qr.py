"""A small reader of QR codes (ISO/IEC 18004), so that a test sees what a scanner sees.

Reads version 2, error correction M, byte mode: what a code of 22 characters becomes. The picture is perfect, so errors
need no correcting.
"""

import re
import xml.etree.ElementTree as ET
from collections.abc import Callable

Modules = list[list[bool]]

_SIDE = 25  # version 2
_QUIET = 4
_DATA_CODEWORDS = 28  # version 2-M, one block
_FORMAT_MASK = 0b101010000010010
_MASKS: tuple[Callable[[int, int], bool], ...] = (
    lambda row, column: (row + column) % 2 == 0,
    lambda row, column: row % 2 == 0,
    lambda row, column: column % 3 == 0,
    lambda row, column: (row + column) % 3 == 0,
    lambda row, column: (row // 2 + column // 3) % 2 == 0,
    lambda row, column: (row * column) % 2 + (row * column) % 3 == 0,
    lambda row, column: ((row * column) % 2 + (row * column) % 3) % 2 == 0,
    lambda row, column: ((row + column) % 2 + (row * column) % 3) % 2 == 0,
)


def modules_of(svg: str) -> Modules:
    """Return the dark modules of a picture, quiet zone included, by following its strokes."""
    root = ET.fromstring(svg.encode())  # noqa: S314 — reads what we have just made
    side = int(root.attrib["width"]) // 8
    modules = [[False] * side for _ in range(side)]
    [path] = [each for each in root.iter("{http://www.w3.org/2000/svg}path") if "stroke" in each.attrib]
    x, y = 0.0, 0.0
    for command, numbers in re.findall(r"([MmhH])([-\d. ]+)", path.attrib["d"]):
        values = [float(number) for number in re.findall(r"-?\d*\.?\d+", numbers)]
        if command == "M":
            x, y = values
        elif command == "m":
            x, y = x + values[0], y + values[1]
        else:
            for column in range(int(x), int(x + values[0])):
                modules[int(y)][column] = True
            x += values[0]
    return modules


def read_qr(modules: Modules) -> str:
    """Return the text that a picture holds."""
    core = [row[_QUIET:-_QUIET] for row in modules[_QUIET:-_QUIET]]
    assert len(core) == _SIDE
    mask = _MASKS[_format(core) >> 10 & 0b111]
    bits = [core[row][column] ^ mask(row, column) for row, column in _path()]
    codewords = [sum(bit << 7 - place for place, bit in enumerate(bits[at : at + 8])) for at in range(0, len(bits), 8)]
    data = "".join(f"{codeword:08b}" for codeword in codewords[:_DATA_CODEWORDS])
    assert data[:4] == "0100"  # byte mode
    length = int(data[4:12], 2)
    return bytes(int(data[12 + 8 * at : 20 + 8 * at], 2) for at in range(length)).decode()


def _format(core: Modules) -> int:
    places = [(8, column) for column in (0, 1, 2, 3, 4, 5, 7, 8)] + [(row, 8) for row in (7, 5, 4, 3, 2, 1, 0)]
    return int("".join("1" if core[row][column] else "0" for row, column in places), 2) ^ _FORMAT_MASK


def _path() -> list[tuple[int, int]]:
    """Return the places of data, in the order of its bits: pairs of columns from the right, up and down in turn."""
    places, upwards = [], True
    for right in (24, 22, 20, 18, 16, 14, 12, 10, 8, 5, 3, 1):
        rows = range(_SIDE - 1, -1, -1) if upwards else range(_SIDE)
        places += [(row, column) for row in rows for column in (right, right - 1) if not _is_reserved(row, column)]
        upwards = not upwards
    return places


def _is_reserved(row: int, column: int) -> bool:
    finder = (row < 9 and column < 9) or (row < 9 and column > 16) or (row > 16 and column < 9)
    timing = 6 in {row, column}
    alignment = 16 <= row <= 20 and 16 <= column <= 20
    return finder or timing or alignment
