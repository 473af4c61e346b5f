"""What the repository may not hold: addresses of package registries, paths of a machine, keys, people."""

import re
from collections.abc import Iterable
from datetime import date
from functools import cache
from pathlib import Path, PurePosixPath

from tests.architecture.tree import ROOT, kept_files

# Written in two halves, so that this file does not hold what it looks for.
REGISTRIES = re.compile(
    "|".join(("py" + r"pi\.org", "python" + r"hosted\.org", "npm" + r"js\.(org|com)", "npm" + r"mirror\.com"))
    + "|" + "index" + r"[-_]url" + r"|https?://[^\"'\s]*/" + "simple\\b",
)  # fmt: skip
PRIVATE_KEY = re.compile(r"-----BEGIN [A-Z ]*PRIVATE KEY-----\s*\n\s*[A-Za-z0-9+/=]{20,}")
ID_NUMBER = re.compile(r"(?<![\dA-Za-z])([1-9]\d{5})((?:18|19|20)\d{6})\d{3}[\dX](?![\dA-Za-z])")
NEVER_ASSIGNED = "999999"
# The one number that the standard itself prints as its example.
PRINTED_EXAMPLE = "110105" + "19491231" + "002X"
WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
LARGEST = 1_000_000


@cache
def texts() -> dict[PurePosixPath, str]:
    found = {}
    for path in kept_files():
        try:
            found[path] = (ROOT / path).read_text(encoding="utf-8")
        except UnicodeDecodeError:
            continue
    return found


def holding(pattern: re.Pattern[str], given: dict[PurePosixPath, str]) -> list[str]:
    return [f"{path}: {match[0][:60]}" for path, text in given.items() for match in pattern.finditer(text)]


def real_looking_people(given: dict[PurePosixPath, str]) -> list[str]:
    """Valid ID numbers (GB 11643) whose area code was given to somebody."""
    found = []
    for path, text in given.items():
        for match in ID_NUMBER.finditer(text):
            number, area, born = match[0], match[1], match[2]
            if area != NEVER_ASSIGNED and number != PRINTED_EXAMPLE and _is_valid(number, born):
                found.append(f"{path}: {area}************")
    return found


def _is_valid(number: str, born: str) -> bool:
    try:
        date(int(born[:4]), int(born[4:6]), int(born[6:]))
    except ValueError:
        return False
    return number[17] == check_character(number[:17])


def check_character(digits: str) -> str:
    total = sum(int(digit) * weight for digit, weight in zip(digits, WEIGHTS, strict=True))
    return "10X98765432"[total % 11]


def large(paths: Iterable[PurePosixPath], limit: int) -> list[str]:
    return [str(path) for path in paths if (ROOT / path).stat().st_size > limit]


def plant(text: str) -> dict[PurePosixPath, str]:
    return {PurePosixPath("docs/planted.md"): text}


def test_no_registry_is_named() -> None:
    assert holding(REGISTRIES, texts()) == []
    assert holding(REGISTRIES, plant("pip install --index" + "-url https://example.test/"))
    assert holding(REGISTRIES, plant("https://files.python" + "hosted.org/packages/x"))


def test_no_path_of_a_machine_is_named() -> None:
    # Where this tree stands and whose machine it is; a clone straight under / or a home of / tells nothing.
    places = [str(place) for place in (ROOT, Path.home()) if len(place.parts) > 1]
    pattern = re.compile(r"(?<![\w./-])(" + "|".join(map(re.escape, places)) + r")/")
    assert holding(pattern, texts()) == []
    assert holding(pattern, plant(f"see {ROOT}/core"))


def test_no_private_key_is_kept() -> None:
    assert holding(PRIVATE_KEY, texts()) == []
    assert holding(PRIVATE_KEY, plant("-----BEGIN " + "PRIVATE KEY-----\n" + "A" * 64))


def test_no_number_of_a_possible_person_is_kept() -> None:
    assert real_looking_people(texts()) == []
    digits = "110101" + "20000101" + "001"
    assert real_looking_people(plant(digits + check_character(digits)))


def test_no_file_is_large() -> None:
    assert large(kept_files(), LARGEST) == []
    assert large([PurePosixPath("pyproject.toml")], 10)
