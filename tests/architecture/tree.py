"""The tree as these tests read it: sources with their syntax trees, the rooms, what git would keep.

A rule is a function from sources to findings, so that each can be shown a planted violation beside the real tree.
"""

import ast
import subprocess
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path, PurePosixPath
from typing import TypeAlias, TypeVar

N = TypeVar("N", bound=ast.AST)

ROOT = Path(__file__).resolve().parents[2]
DOMAINS = ("auth", "notices", "face", "certificates", "matters")
PRODUCT = ("core", *DOMAINS, "api", "scripts")
# Parts of the house that the rules for product code do not read.
APART = ("tests", "migrations", "benchmarks", "clients")


@dataclass(frozen=True)
class Source:
    """One Python file: its place in the tree and what it says."""

    path: PurePosixPath
    text: str

    @cached_property
    def tree(self) -> ast.Module:
        """Its syntax tree."""
        return ast.parse(self.text, filename=str(self.path))

    @property
    def room(self) -> str:
        """The folder at the top that it lies in."""
        return self.path.parts[0]

    @cached_property
    def _all_nodes(self) -> tuple[ast.AST, ...]:
        return tuple(ast.walk(self.tree))

    def nodes(self, kind: type[N]) -> Iterator[N]:
        """Every node of a kind."""
        return (node for node in self._all_nodes if isinstance(node, kind))

    def at(self, node: ast.AST) -> str:
        """Where a node stands, for people and editors."""
        return f"{self.path}:{getattr(node, 'lineno', 1)}"


Rule: TypeAlias = Callable[[Iterable[Source]], list[str]]


def planted(path: str, text: str) -> list[Source]:
    """A source that is not in the tree, to show a rule what it must find."""
    return [Source(PurePosixPath(path), text)]


@cache
def kept_files() -> tuple[PurePosixPath, ...]:
    """Every file that git keeps or would keep; in a tree without git, every file outside dot folders."""
    asked = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    if asked.returncode == 0:
        names = [name for name in asked.stdout.split("\0") if name]
    else:
        paths = (path.relative_to(ROOT) for path in ROOT.rglob("*") if path.is_file())
        names = [path.as_posix() for path in paths if not any(part.startswith(".") for part in path.parts[:-1])]
    return tuple(PurePosixPath(name) for name in sorted(names) if (ROOT / name).is_file())


@cache
def _all_sources() -> tuple[Source, ...]:
    return tuple(
        Source(path, (ROOT / path).read_text(encoding="utf-8")) for path in kept_files() if path.suffix == ".py"
    )


def sources(*rooms: str) -> tuple[Source, ...]:
    """The Python files of some rooms, of all where none is named."""
    return tuple(source for source in _all_sources() if not rooms or source.room in rooms)


def called(node: ast.Call) -> str:
    """What is called, as it is written: `asyncio.create_task`, `enqueue`."""
    return dotted(node.func)


def dotted(node: ast.expr) -> str:
    """A name with its dots; what is no name shows as `?`."""
    if isinstance(node, ast.Name):
        return node.id
    if isinstance(node, ast.Attribute):
        return f"{dotted(node.value)}.{node.attr}"
    return "?"


def text_of(node: ast.expr | None) -> str | None:
    """The value of a string literal."""
    return node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else None
