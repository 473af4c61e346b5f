"""`python -m scripts.new_department NAME`: write the stubs of a department, and say what is listed by hand.

The contract test has the department among its parameters from then on, and fails until adapter and twin are filled in.
No use case is touched: submission, polling and withdrawal follow what the adapter declares. A department that has a
page already, because it issues certificates or answers questions, gets a section on it, and its twin stands apart.
"""

import argparse
import re
import sys
from collections.abc import Sequence
from pathlib import Path
from string import Template
from typing import Final

_HERE: Final = Path(__file__).parent
_ROOT: Final = _HERE.parents[1]
_NAME: Final = re.compile(r"[a-z][a-z0-9]*(-[a-z0-9]+)*")
_LONGEST: Final = 32
_SUITE: Final = Path("tests/contracts/test_departments.py")
_TAKERS: Final = "TAKERS: dict["
_IMPORT: Final = "from matters.adapters."
_ENTRY: Final = """    "$slug": (
        "$slug",
        lambda town, door: $class_name(outbound=door, partner=signed(town, "$slug")),
        QUMANLIN,
    ),
"""
_BY_HAND: Final = """To be listed by hand:
  matters/adapters/__init__.py            a line: what $module does
  matters/settings.py                     DepartmentSettings.$module, with a line in unsafe(); then scripts.reference
  api/wiring/outside/departments.py       "$slug": $class_name(...), in poll_pauses too where it has to be asked
  api/wiring/settings.py                  $module=$partner, for the sandbox
  api/wiring/embedded.py                  "$key" among those that sign; "$slug" at the common desk, for its callbacks
  api/processes.py                        "$slug" among the partners that readiness tells of
  sandbox/desks/departments.py            $twin(...)
  sandbox/ground/settings.py              Credentials.$key
  sandbox/ground/faults.py                "$slug" among DEPARTMENTS
  tests/sandbox/town.py                   "$key" among the keys
  tests/contracts/test_departments.py     DEDUPES, unless it is by key; signed(...), unless it signs so
  tests/contracts/test_garbage_answers.py $class_name(...)
  docs/departments/README.md              a row in each of the tables
  matters/catalogue/published/$slug.json  "desk": "$slug" in the matters that it takes
Then: pytest tests/contracts/test_departments.py -k $slug"""


class NotWritten(Exception):
    """Nothing was written; the message says why."""


def write_stubs(name: str, root: Path) -> list[Path]:
    """Write the stubs of a department into a tree, and return what was written or changed.

    Raises:
        NotWritten: the name is none, or something of that name is there already.
    """
    if not _NAME.fullmatch(name) or len(name) > _LONGEST:
        raise NotWritten(f"{name!r} is no name: lower-case words and digits with hyphens, at most {_LONGEST} signs")
    page, words = Path(f"docs/departments/{name}.md"), _words(name, root)
    files = {
        Path(f"matters/adapters/{words['module']}.py"): "adapter.txt",
        Path(f"sandbox/desks/{words['key']}.py"): "twin.txt",
    }
    if there := [str(path) for path in files if (root / path).exists()]:
        raise NotWritten(f"there already: {', '.join(there)}")
    suite = _with_parameter((root / _SUITE).read_text(encoding="utf-8"), words)
    for path, template in files.items():
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        text = Template((_HERE / template).read_text(encoding="utf-8")).substitute(words)
        (root / path).write_text(text, encoding="utf-8")
    _write_page(root / page, words)
    (root / _SUITE).write_text(suite, encoding="utf-8")
    return [*files, page, _SUITE]


def _write_page(page: Path, words: dict[str, str]) -> None:
    """Write a department's page, or a section on the one that it has."""
    title, _, body = Template((_HERE / "page.txt").read_text(encoding="utf-8")).substitute(words).partition("\n")
    before = f"{page.read_text(encoding='utf-8').rstrip()}\n\n## Cases 业务受理\n" if page.exists() else f"{title}\n"
    page.parent.mkdir(parents=True, exist_ok=True)
    page.write_text(before + body, encoding="utf-8")


def _words(name: str, root: Path) -> dict[str, str]:
    """Return the names of a department; one that has a page in the tree has a system for other things already."""
    beside = (root / f"docs/departments/{name}.md").exists()
    parts = name.split("-")
    module, class_name = "_".join(parts), "".join(part.capitalize() for part in parts)
    key = f"{module}_cases" if beside else module
    partner = f'partners["{key}"]'
    return {
        "slug": name,
        "module": module,
        "key": key,
        "class_name": class_name,
        "twin": f"{class_name}Cases" if beside else class_name,
        "partner": f'{{**{partner}, "address": partners["{module}"]["address"]}}' if beside else partner,
        "title": " ".join(parts).capitalize(),
    }


def _with_parameter(suite: str, words: dict[str, str]) -> str:
    """Return the contract test with one more department among those that take dossiers.

    Raises:
        NotWritten: it has no place for one.
    """
    lines = suite.splitlines(keepends=True)
    own = f"{_IMPORT}{words['module']} import {words['class_name']}\n"
    imports = [number for number, line in enumerate(lines) if line.startswith(_IMPORT)]
    takers = [number for number, line in enumerate(lines) if line.startswith(_TAKERS)]
    if not imports or not takers:
        raise NotWritten(f"{_SUITE} has no place for a department")
    after = [number for number in imports if lines[number] > own]
    lines.insert(takers[0] + 1, Template(_ENTRY).substitute(words))
    lines.insert(after[0] if after else imports[-1] + 1, own)
    return "".join(lines)


def main(arguments: Sequence[str] | None = None) -> int:
    """Write the stubs; 1 when nothing was written, with the reason on stderr."""
    parser = argparse.ArgumentParser(prog="python -m scripts.new_department", description=__doc__)
    parser.add_argument("name", help="the department's name in addresses, such as medical-insurance")
    parser.add_argument("--into", type=Path, default=_ROOT, help="another tree than this one")
    told = parser.parse_args(arguments)
    words = _words(told.name, told.into)
    try:
        written = write_stubs(told.name, told.into)
    except (NotWritten, OSError) as reason:
        sys.stderr.write(f"{reason}\n")
        return 1
    for path in written:
        sys.stdout.write(f"written  {path}\n")
    sys.stdout.write(Template(_BY_HAND).substitute(words) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
