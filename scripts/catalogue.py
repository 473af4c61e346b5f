"""The catalogue from the command line: hold it against its rules, compare it, take it elsewhere and back, count it.

    python -m scripts.catalogue check [FOLDER]             every rule; 1 when something is wrong
    python -m scripts.catalogue diff OLD [NEW]             what has changed between two folders
    python -m scripts.catalogue export FILE|FOLDER         JSON into a folder, or one .csv with a line for each matter
    python -m scripts.catalogue import FILE|FOLDER OUT     the other way; nothing is written when something is wrong
    python -m scripts.catalogue figures [FOLDER]           the promises as numbers, by department
    python -m scripts.catalogue replay                     the power list, 1280 matters to 1007, operation by operation

A folder holds a file for each department, and maybe the lists of a life (`life/`); without one it is the shipped
catalogue.
"""

import argparse
import shutil
import sys
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from rich.console import Console
from rich.markup import escape
from rich.progress import Progress, SpinnerColumn, TextColumn, track
from rich.table import Table

from core.settings import UnsafeSettings
from matters.catalogue.comparing import compare
from matters.catalogue.figures import Figures, figures_of
from matters.catalogue.life.types import LifeLists
from matters.catalogue.lint.checking import Lint, errors_of
from matters.catalogue.lint.types import Defect, Severity
from matters.catalogue.loading import (
    LIFE,
    PUBLISHED,
    lint_lists,
    load_surroundings,
    load_vocabulary,
    published_in,
    read_files,
    read_lists,
)
from matters.catalogue.revisions.demonstration import AFTERWARDS, DEPARTMENTS, MATTERS, rehearsal
from matters.catalogue.revisions.rules import apply, counts
from matters.catalogue.revisions.types import OperationKind
from matters.catalogue.transfer import as_csv, as_json, from_csv
from matters.catalogue.types import CatalogueFile

# Where nobody watches, tables have the room they need.
console = Console(highlight=False, width=None if sys.stdout.isatty() else 160)
_COLOURS: Final = {Severity.ERROR: "red", Severity.WARNING: "yellow", Severity.ADVICE: "cyan"}


@contextmanager
def _progress(what: str) -> Iterator[Callable[[object], None]]:
    """Show what is being done; the function is told of each thing that is."""
    columns = (SpinnerColumn(), TextColumn("{task.description} {task.completed:.0f}"))
    with Progress(*columns, console=console, transient=True) as shown:
        task = shown.add_task(what, total=None)
        yield lambda _done: shown.advance(task)


def _read(place: Path) -> list[CatalogueFile]:
    if place.suffix == ".csv":
        with place.open(encoding="utf-8", newline="") as file:
            return from_csv(file.read())
    with _progress("reading") as tell:
        return read_files(place, tell=tell)


def _lint(files: Sequence[CatalogueFile], lists: LifeLists) -> list[Defect]:
    with _progress("checking") as tell:
        found = Lint(load_surroundings()).of_files(files, tell=tell)
    return [*found, *lint_lists(lists, published_in(files))]


def _show_defects(defects: Sequence[Defect]) -> None:
    table = Table(box=None, pad_edge=False)
    for column in ("severity", "department", "matter", "rule", "what is wrong"):
        table.add_column(column, overflow="fold")
    for each in defects:
        colour = _COLOURS[each.severity]
        cells = (each.department, each.matter, each.rule, each.text)
        table.add_row(f"[{colour}]{each.severity}[/{colour}]", *map(escape, cells))
    console.print(table)


def check(folder: Path) -> int:
    """Hold a catalogue against every rule; 0 when nothing is wrong, 1 when there are errors."""
    files, lists = _read(folder), read_lists(folder)
    defects = _lint(files, lists)
    count = sum(len(file.matters) for file in files)
    if defects:
        _show_defects(defects)
    found = Counter(each.severity for each in defects)
    told = ", ".join(f"{found[severity]} × {severity}" for severity in Severity)
    mark = "[red]✗[/red]" if found[Severity.ERROR] else "[green]✓[/green]"
    rules = len(Lint(load_surroundings()).rules)
    console.print(f"{mark} {count} matters of {len(files)} departments against {rules} rules: {told}")
    console.print(f"  with {len(lists.items)} entries of a life and {len(lists.bundles)} bundles")
    return 1 if found[Severity.ERROR] else 0


def diff(old: Path, new: Path) -> int:
    """Show how two catalogues differ; 0 when they say the same, 1 when they do not."""
    compared = compare(_read(old), _read(new))
    if compared.is_empty:
        console.print("[green]✓[/green] They say the same.")
        return 0
    table = Table(box=None, pad_edge=False)
    for column in ("matter", "where", "before", "after"):
        table.add_column(column, overflow="fold")
    for slug in compared.added:
        table.add_row(escape(slug), "", "", "[green]added[/green]")
    for slug in compared.removed:
        table.add_row(escape(slug), "", "[red]removed[/red]", "")
    for slug, found in compared.changed.items():
        for each in found:
            table.add_row(*map(escape, (slug, each.path, each.before, each.after)))
    console.print(table)
    console.print(
        f"{len(compared.added)} added, {len(compared.removed)} removed, {len(compared.changed)} changed",
    )
    return 1


def _write(files: Sequence[CatalogueFile], place: Path) -> None:
    if place.suffix == ".csv":
        place.parent.mkdir(parents=True, exist_ok=True)
        # The mark lets spreadsheets read it as UTF-8.
        place.write_text("\ufeff" + as_csv(files), encoding="utf-8", newline="")
        return
    place.mkdir(parents=True, exist_ok=True)
    for file in track(files, description="writing", console=console, transient=True):
        (place / f"{file.department.slug}.json").write_text(as_json(file), encoding="utf-8")


def take(source: Path, target: Path, *, checked: bool) -> int:
    """Write a catalogue somewhere else, or in the other form; with `checked` only if nothing is wrong with it."""
    files = _read(source)
    if checked and (errors := errors_of(_lint(files, read_lists(source)))):
        _show_defects(errors)
        console.print("[red]✗[/red] Nothing was written.")
        return 1
    _write(files, target)
    if target.suffix != ".csv" and (source / LIFE).is_dir():
        shutil.copytree(source / LIFE, target / LIFE, dirs_exist_ok=True)
    console.print(f"[green]✓[/green] {sum(len(file.matters) for file in files)} matters written to {target}")
    return 0


def figures(folder: Path) -> int:
    """Show the promises as numbers."""
    found = figures_of(published_in(_read(folder)), load_vocabulary(), read_lists(folder))
    _show_promises(found)
    table = Table(box=None, pad_edge=False)
    for column in (
        "department",
        "matters",
        "handled",
        "no visit",
        "legal days",
        "promised",
        "saved",
        "materials",
        "spared",
    ):
        table.add_column(column, justify="left" if column == "department" else "right")
    for each in found.departments:
        days = (str(each.legal_days), str(each.promised_days), f"{each.days_saved:.0%}")
        materials = (str(each.materials), str(each.spared_materials))
        table.add_row(each.department, str(each.matters), str(each.handled), str(each.without_visit), *days, *materials)
    console.print(table)
    return 0


def _show_promises(found: Figures) -> None:
    table = Table(box=None, pad_edge=False, show_header=False)
    for name, value in (
        ("matters · handled in full", f"{found.matters} · {found.handled}"),
        ("queries · information", f"{found.queries} · {found.explained}"),
        ("without any visit · from four or more to one", f"{found.without_visit} · {found.from_many_visits_to_one}"),
        ("written for themselves · from templates", f"{found.deep} · {found.by_template}"),
        (f"kinds of certificates: {len(found.kinds)}", ", ".join(found.kinds)),
        (f"groups with a zone: {len(found.zones)}", ", ".join(found.zones)),
        ("entries of a life · bundles", f"{found.life_items} · {found.bundles}"),
        ("notary without a visit · within an hour", f"{found.notary_without_visit} · {found.notary_within_an_hour}"),
        ("materials fewer to bring · days saved", f"{found.materials_cut:.0%} · {found.days_saved:.0%}"),
    ):
        table.add_row(name, value)
    console.print(table)
    console.print()


def replay() -> int:
    """Do all operations of the rehearsed power list one after the other, and count it by department; 0 when it fits."""
    rehearsed = rehearsal()
    listed = {entry.code: entry for entry in rehearsed.listed}
    done: list[tuple[str, OperationKind]] = []
    for operation in track(rehearsed.operations, description="consolidating", console=console, transient=True):
        whose = listed[operation.sources[0]].department
        listed = apply(listed, operation)
        done.append((whose, operation.kind))
    table = Table(box=None, pad_edge=False)
    kinds = (OperationKind.MERGE, OperationKind.SPLIT, OperationKind.CANCEL, OperationKind.DELEGATE)
    for column in ("department", "before", *kinds, "after"):
        table.add_column(column, justify="left" if column == "department" else "right")
    counted = counts(rehearsed.listed, listed.values(), done)
    for each in counted:
        by_kind = (str(each.by_kind.get(kind, 0)) for kind in kinds)
        table.add_row(each.department, str(each.before), *by_kind, str(each.after))
    console.print(table)
    before, after = (sum(getattr(each, when) for each in counted) for when in ("before", "after"))
    fits = (before, after, len(counted)) == (MATTERS, AFTERWARDS, DEPARTMENTS)
    mark = "[green]✓[/green]" if fits else "[red]✗[/red]"
    console.print(f"{mark} {before} → {after} matters of {len(counted)} departments, by {len(done)} operations")
    return 0 if fits else 1


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="catalogue", description=(__doc__ or "").partition("\n")[0])
    verbs = parser.add_subparsers(dest="verb", required=True)
    for verb in ("check", "figures"):
        verbs.add_parser(verb).add_argument("folder", type=Path, nargs="?", default=PUBLISHED)
    verbs.add_parser("replay")
    compared = verbs.add_parser("diff")
    compared.add_argument("old", type=Path)
    compared.add_argument("new", type=Path, nargs="?", default=PUBLISHED)
    exported = verbs.add_parser("export")
    exported.add_argument("target", type=Path)
    exported.add_argument("--from", dest="source", type=Path, default=PUBLISHED, metavar="FOLDER")
    imported = verbs.add_parser("import")
    imported.add_argument("source", type=Path)
    imported.add_argument("target", type=Path)
    return parser


def main(given: Sequence[str] | None = None) -> int:
    """Run one verb; 0 when all is well, 1 when something is wrong or differs, 2 when something cannot be read."""
    told = _parser().parse_args(given)
    try:
        match told.verb:
            case "check":
                return check(told.folder)
            case "diff":
                return diff(told.old, told.new)
            case "export":
                return take(told.source, told.target, checked=False)
            case "import":
                return take(told.source, told.target, checked=True)
            case "replay":
                return replay()
            case _:
                return figures(told.folder)
    except UnsafeSettings as error:
        console.print(f"[red]✗[/red] {escape(str(error))}")
        return 2
    except (OSError, UnicodeDecodeError) as error:
        console.print(f"[red]✗[/red] It cannot be read or written: {type(error).__name__}.")
        return 2


if __name__ == "__main__":
    sys.exit(main())
