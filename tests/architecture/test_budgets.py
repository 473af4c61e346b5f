"""Over budget means that a noun is missing: files, folders and classes stay small."""

import ast
from collections import Counter
from collections.abc import Iterable
from pathlib import PurePosixPath

from tests.architecture.tree import APART, Source, kept_files, planted, sources

LINES = 400
FILES = 18
METHODS = 10


def long_files(given: Iterable[Source]) -> list[str]:
    return [
        f"{source.path}: {lines} lines"
        for source in given
        if source.room not in APART and (lines := len(source.text.splitlines())) > LINES
    ]


def crowded_folders(paths: Iterable[PurePosixPath]) -> list[str]:
    count = Counter(path.parent for path in paths if path.suffix == ".py" and path.parts[0] not in APART)
    return [f"{folder}: {files} files" for folder, files in count.items() if files > FILES]


def broad_classes(given: Iterable[Source]) -> list[str]:
    found = []
    for source in given:
        if source.room in APART:
            continue
        for node in source.nodes(ast.ClassDef):
            methods = [
                member.name
                for member in node.body
                if isinstance(member, ast.FunctionDef | ast.AsyncFunctionDef)
                and not member.name.startswith("_")
                and not any(isinstance(mark, ast.Name) and mark.id == "property" for mark in member.decorator_list)
            ]
            if len(methods) > METHODS:
                found.append(f"{source.at(node)}: {node.name} has {len(methods)} public methods")
    return found


def empty_files(given: Iterable[Source]) -> list[str]:
    return [str(source.path) for source in given if not source.text.strip()]


def test_no_file_is_over_its_budget() -> None:
    assert long_files(sources()) == []
    assert long_files(planted("auth/login.py", "x = 1\n" * (LINES + 1)))


def test_no_folder_is_over_its_budget() -> None:
    assert crowded_folders(kept_files()) == []
    assert crowded_folders(PurePosixPath(f"auth/room{number}.py") for number in range(FILES + 1))


def test_no_class_is_over_its_budget() -> None:
    assert broad_classes(sources()) == []
    methods = "\n".join(f"    def verb{number}(self): ..." for number in range(METHODS + 1))
    assert broad_classes(planted("auth/login.py", f"class Login:\n{methods}\n"))


def test_no_file_is_empty() -> None:
    assert empty_files(sources()) == []
    assert empty_files(planted("auth/__init__.py", "\n"))
