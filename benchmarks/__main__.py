"""`python -m benchmarks`: measure the running product beside its floors, and say how they compare."""

import argparse
import asyncio
import sys
import time
from collections.abc import Sequence
from typing import Final

from rich.console import Console
from rich.markup import escape

from benchmarks import operations
from benchmarks.machine import ROOT, CannotMeasure, Cores, described, pin
from benchmarks.measuring import Measurement
from benchmarks.place import Place
from benchmarks.plan import NIGHTLY, QUICK, Plan
from benchmarks.report import Report

ALL = (
    operations.OUTAGE,
    operations.LOGIN,
    operations.WALLET,
    operations.WARM,
    operations.SUBMIT,
    operations.FAN_OUT,
    operations.SHOW,
    operations.VERIFY,
    "identity",
    "status list",
    "exchanges",
    "catalogue",
    operations.GROWTH,
    "face",
)
# A million rows take a minute to write.
_NIGHTLY_ALONE: Final = frozenset({operations.GROWTH})


async def run(plan: Plan, chosen: Sequence[str], console: Console, *, sqlite: bool, keep: bool) -> None:
    """Measure and report; whatever happens, nothing is left running.

    Raises:
        CannotMeasure: something does not start, or answers other than it should.
    """
    cores = Cores.of_this_machine()
    pin(0, cores.loading)
    begun = time.perf_counter()
    report: Report | None = None
    place = Place(cores=cores, console=console, sqlite=sqlite, keep=keep)
    try:
        await place.open()
        report = Report(plan.name, described(cores), place.shape)
        console.print(f"[cyan]▸[/cyan] {place.shape['database']}; redis: {place.shape['redis']}")
        await Measurement(plan=plan, place=place, report=report, console=console).run(chosen)
    finally:
        await place.close()
        # What was measured before a failure is worth being seen.
        if report is not None:
            report.show(console)
            for file in report.save():
                console.print(f"[cyan]▸[/cyan] {file.relative_to(ROOT)}")
            console.print(f"[cyan]▸[/cyan] {time.perf_counter() - begun:.0f} s")


def main(words: Sequence[str] | None = None) -> int:
    """Read the command line and run; return 0 unless something failed to run."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--nightly", action="store_true", help="more rounds, longer ones, more connections")
    parser.add_argument("--sqlite", action="store_true", help="on SQLite also where there is a PostgreSQL")
    parser.add_argument("--keep", action="store_true", help="keep logs and data for a look at them")
    parser.add_argument("--only", action="append", choices=ALL, help="measure this alone; may be given several times")
    given = parser.parse_args(words)
    # Written into a file or a pipe, the tables need their room all the same.
    console = Console(highlight=False, width=None if sys.stdout.isatty() else 150)
    try:
        asyncio.run(
            run(
                NIGHTLY if given.nightly else QUICK,
                given.only or [each for each in ALL if given.nightly or each not in _NIGHTLY_ALONE],
                console,
                sqlite=given.sqlite,
                keep=given.keep,
            ),
        )
    except CannotMeasure as failure:
        console.print(f"\n[bold red]✗[/] {escape(str(failure))}\n", soft_wrap=True)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
