"""The figures as people read them: tables on the screen, JSON and a picture in `benchmarks/out/`."""

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, Literal

import matplotlib as mpl
import msgspec

mpl.use("Agg")
from matplotlib import pyplot as plt
from matplotlib.axes import Axes
from rich.console import Console
from rich.table import Table

from benchmarks.figures import Comparison
from benchmarks.machine import ROOT
from benchmarks.operations import FAN_OUT, LOGIN, SHOW, VERIFY, WALLET, WARM

OUT: Final = ROOT / "benchmarks" / "out"
MARK: Final = 0.6
# What is asked of an operation where it is more.
MARKS: Final[Mapping[str, float]] = {LOGIN: 0.85, WALLET: 0.75, WARM: 0.75, SHOW: 0.7, VERIFY: 0.7}
# What is asked of the fan-out, whose departments take 50 ms: p50 in milliseconds, by connections.
FAN_OUT_MS: Final[Mapping[int, float]] = {1: 55.0, 32: 60.0}
_OURS, _FLOOR = "#2a6f97", "#b0b7bf"


@dataclass(slots=True)
class Report:
    """Everything that was measured."""

    plan: str
    machine: Mapping[str, str]
    shape: Mapping[str, str]
    comparisons: list[Comparison] = field(default_factory=list)
    rows: dict[str, dict[str, dict[str, float]]] = field(default_factory=dict)
    worker: dict[str, float] = field(default_factory=dict)
    pupils: dict[str, float] = field(default_factory=dict)
    outage: dict[str, float] = field(default_factory=dict)
    face: dict[str, float] = field(default_factory=dict)
    identity: dict[str, float] = field(default_factory=dict)
    status_list: dict[str, float] = field(default_factory=dict)
    exchanges: dict[str, float] = field(default_factory=dict)
    catalogue: dict[str, float] = field(default_factory=dict)
    growth: dict[str, dict[str, float]] = field(default_factory=dict)
    remarks: list[str] = field(default_factory=list)

    def save(self) -> list[Path]:
        """Write JSON and picture; return where they are."""
        OUT.mkdir(exist_ok=True)
        name = f"{self.plan}-{'postgres' if self.shape['database'].startswith('PostgreSQL') else 'sqlite'}"
        figures = OUT / f"{name}.json"
        told = {
            **{key: value for key, value in dataclasses.asdict(self).items() if key != "comparisons"},
            "comparisons": [{**dataclasses.asdict(one), "server_ratio": one.server_ratio} for one in self.comparisons],
        }
        figures.write_bytes(msgspec.json.format(msgspec.json.encode(told), indent=2) + b"\n")
        if not self.comparisons:
            return [figures]
        picture = OUT / f"{name}.png"
        draw(self.comparisons, picture, title=f"{self.shape['database']} · {self.machine['processor']}")
        return [figures, picture]

    def show(self, console: Console) -> None:
        """Print the tables."""
        for name, value in {**self.machine, **self.shape}.items():
            console.print(f"[dim]{name:>13}[/dim]  {value}")
        if self.comparisons:
            console.print(comparison_table(self.comparisons))
        if self.rows:
            console.print(rows_table(self.rows))
        if self.worker:
            console.print(
                f"worker: {self.worker['jobs']:.0f} submitted applications brought to their department in "
                f"{self.worker['seconds']:.1f} s, {self.worker['per_second']:.0f}/s"
            )
        if self.outage:
            console.print(
                "outage: {a_second:.0f} a second to each of two departments; from a submission to the other's answer "
                "p50 {well_p50_ms:.0f} ms, p99 {well_p99_ms:.0f} while both are well; "
                "p50 {slow_p50_ms:.0f}, p99 {slow_p99_ms:.0f} while one answers nobody in time; "
                "p50 {error_p50_ms:.0f}, p99 {error_p99_ms:.0f} while it fails; at most {ratio:.2f} (≤ 1.3)".format(
                    **self.outage
                )
            )
        if self.identity:
            console.print(
                "identity: {requests:.0f} known numbers under a wrong name p50 {known_ms:.2f} ms, as many unknown ones "
                "p50 {unknown_ms:.2f} ms, gap {gap_ms:.2f} ms; "
                "bodies equal but for the request id".format(**self.identity)
            )
        self._show_lists(console)
        if self.face:
            console.print(face_table(self.face))
        for remark in self.remarks:
            console.print(f"[yellow]![/yellow] {remark}")

    def _show_lists(self, console: Console) -> None:
        if self.status_list:
            console.print(
                "status list: {entries:.0f} entries, {revoked:.0f} of them revoked: {bytes:.0f} bytes compressed, "
                "built and signed in {seconds:.3f} s".format(**self.status_list)
            )
        if self.exchanges:
            console.print(
                "exchanges: to count one takes {microseconds:.1f} µs, {a_second:.0f} a second {core:.2%} of a core; "
                "at most {in_memory:.0f} counts are unwritten".format(**self.exchanges)
            )
        if self.pupils:
            console.print(
                "pupils: {pupils:.0f} checked at four departments in {seconds:.1f} s, {each:.3f} s each".format(
                    **self.pupils
                )
            )
        if self.catalogue:
            console.print(
                "catalogue: {matters:.0f} matters loaded and checked in {load_seconds:.2f} s, made findable in "
                "{index_seconds:.2f} s; searched (p99) by title {title_p99_ms:.1f} ms, word {word_p99_ms:.1f}, pinyin "
                "{pinyin_p99_ms:.1f}, first letters {letters_p99_ms:.1f}, mistyped {mistyped_p99_ms:.1f}, in vain "
                "{nothing_p99_ms:.1f}".format(**self.catalogue)
            )
        for name, figures in self.growth.items():
            console.print(
                "growth: {name} p95 {small_p95_ms:.2f} ms among {small_size:,.0f}, {large_p95_ms:.2f} ms among "
                "{large_size:,.0f} (p50 {small_p50_ms:.2f} and {large_p50_ms:.2f}), ratio {ratio:.2f}".format(
                    name=name, **figures
                )
            )


def comparison_table(comparisons: Sequence[Comparison]) -> Table:
    """Return ours beside the floors."""
    table = Table(title="\nOurs beside the floor: medians of the rounds", title_justify="left", header_style="bold")
    table.add_column("operation", no_wrap=True)
    for heading in (
        "c", "floor/s", "ours/s", "spread", "p50 ms", "p99 ms", "floor p50", "server µs", "floor µs", "database µs",
        "µs ratio", "ratio",
    ):  # fmt: skip
        table.add_column(heading, justify="right", no_wrap=heading in {"spread", "ratio"})
    table.add_column("mark", no_wrap=True)
    before = ""
    for one in comparisons:
        if before and one.operation != before:
            table.add_section()
        good, mark = _marked(one)
        table.add_row(
            one.operation if one.operation != before else "",
            str(one.connections),
            f"{one.floor.per_second:.0f}",
            f"{one.ours.per_second:.0f}",
            f"{one.ours.lowest:.0f}-{one.ours.highest:.0f}",
            f"{one.ours.p50_ms:.2f}",
            f"{one.ours.p99_ms:.1f}",
            f"{one.floor.p50_ms:.2f}",
            f"{one.ours.server_us:.0f}",
            f"{one.floor.server_us:.0f}",
            f"{one.ours.database_us:.0f}" if one.ours.database_us else "-",
            f"{one.server_ratio:.2f}",
            f"[bold]{one.ratio:.2f}[/]",
            f"[{'green' if good else 'red'}]{mark}: {'yes' if good else 'no'}[/]",
        )
        before = one.operation
    return table


def _marked(one: Comparison) -> tuple[bool, str]:
    """Return whether the first mark is reached, and which it is; for the fan-out p50 counts."""
    if one.operation == FAN_OUT and one.connections in FAN_OUT_MS:
        most = FAN_OUT_MS[one.connections]
        return one.ours.p50_ms <= most, f"p50 ≤ {most:.0f} ms"
    mark = MARKS.get(one.operation, MARK)
    return one.ratio >= mark, f"≥ {mark}"


def rows_table(rows: Mapping[str, Mapping[str, Mapping[str, float]]]) -> Table:
    """Return how many rows one request wrote: a floor that does less than the product is no floor."""
    table = Table(title="\nRows written for one request", title_justify="left", header_style="bold")
    for heading in ("operation", "table", "ours", "floor"):
        table.add_column(heading, justify="left" if heading in {"operation", "table"} else "right")
    for operation, sides in rows.items():
        tables = sorted({*sides["ours"], *sides["floor"]})
        for index, name in enumerate(tables):
            ours, floor = sides["ours"].get(name, 0.0), sides["floor"].get(name, 0.0)
            table.add_row(operation if not index else "", name, f"{ours:.2f}", f"{floor:.2f}")
    return table


_FACE_WORDS: Final[Mapping[str, str]] = {
    "pass_ms": "F: one pass of the network alone, ms",
    "embedding_ms": "a description (aligned, one pass), ms",
    "embedding_over_F": "  over F",
    "picture_ms": "a picture of 1280 x 720 (decoded, found, measured, described), ms",
    "picture_over_F": "  over F",
    "engine_ms": "the same through the engine with one worker, ms",
    "engine_over_F": "  over F",
    "library_ms": "the same by face_recognition's defaults, ms",
    "library_over_picture": "  over ours",
    "one_per_second": "pictures a second, one worker",
    "pool_per_second": "pictures a second, two workers",
    "pool_over_one": "  over one",
    "rush_served_over_peak": "twice that offered: served, over the peak",
    "rush_shed_share": "  share that is shed with 503 and Retry-After",
    "rush_p95_over_F": "  p95 of those served over F",
    "rush_lag_p99_ms": "  lag of the event loop, p99 ms",
    "worker_megabytes": "memory of a worker, the most, MB",
    "burst_checks": "checks sent at once",
    "burst_decided": "  decided",
    "burst_shed": "  shed with 503 and Retry-After",
    "burst_other": "  anything else",
    "burst_seconds": "  until the last answer, s",
    "burst_hold_ms": "  longest hold of the portal's event loop, ms",
    "burst_live_p50_ms": "  /health/live meanwhile, p50 ms",
    "burst_live_p99_ms": "  /health/live meanwhile, p99 ms",
    "burst_live_max_ms": "  /health/live meanwhile, longest ms",
}


# What is asked of a figure: at most that much, or at least.
_FACE_MARKS: Final[Mapping[str, tuple[Literal["≤", "≥"], float]]] = {
    "embedding_over_F": ("≤", 1.25),
    "engine_over_F": ("≤", 5.0),
    "library_over_picture": ("≥", 10.0),
    "pool_over_one": ("≥", 1.85),
    "rush_served_over_peak": ("≥", 0.9),
    "rush_p95_over_F": ("≤", 30.0),
    "rush_lag_p99_ms": ("≤", 10.0),
    "worker_megabytes": ("≤", 250.0),
}


def face_mark(name: str, value: float) -> str:
    """Return what is asked of a figure and whether it is reached; nothing where nothing is asked."""
    if name not in _FACE_MARKS:
        return ""
    sign, mark = _FACE_MARKS[name]
    good = value <= mark if sign == "≤" else value >= mark
    return f"[{'green' if good else 'red'}]{sign} {mark:g}: {'yes' if good else 'no'}[/]"


def face_table(face: Mapping[str, float]) -> Table:
    """Return the figures of the face engine."""
    table = Table(title="\nFaces", title_justify="left", header_style="bold")
    table.add_column("")
    table.add_column("", justify="right")
    table.add_column("mark", no_wrap=True)
    for name, words in _FACE_WORDS.items():
        if name in face:
            whole = name.startswith("burst_") and not name.endswith(("_ms", "seconds"))
            told = f"{face[name]:.0f}" if whole else f"{face[name]:.2f}"
            table.add_row(words, told, face_mark(name, face[name]))
    return table


def draw(comparisons: Sequence[Comparison], file: Path, *, title: str) -> None:
    """Draw throughput, latency and ratio of every operation into a PNG."""
    labels = [f"{one.operation}\nc={one.connections}" for one in comparisons]
    figure, axes = plt.subplots(3, 1, figsize=(max(7.0, 1.25 * len(labels)), 11), layout="constrained")
    figure.suptitle(f"Ours beside the floor\n{title}", fontsize=11)
    throughput, latency, ratio = axes
    _bars(
        throughput, labels, [one.floor.per_second for one in comparisons], [one.ours.per_second for one in comparisons]
    )
    throughput.set_ylabel("requests/s")
    throughput.legend(["floor", "ours"])
    _bars(latency, labels, [one.floor.p50_ms for one in comparisons], [one.ours.p50_ms for one in comparisons])
    latency.scatter(range(len(labels)), [one.ours.p99_ms for one in comparisons], marker="_", color="black", s=160)
    latency.set_ylabel("p50 ms (bar: ours' p99), log")
    latency.set_yscale("log")
    ratio.bar(range(len(labels)), [one.ratio for one in comparisons], color=_OURS)
    ratio.axhline(MARK, color="black", linestyle="--", linewidth=1)
    ratio.axhline(1.0, color=_FLOOR, linewidth=1)
    ratio.set_ylabel(f"ours / floor (mark {MARK})")
    ratio.set_xticks(range(len(labels)), labels, fontsize=8)
    figure.savefig(file, dpi=110)
    plt.close(figure)


def _bars(axes: Axes, labels: Sequence[str], floor: Sequence[float], ours: Sequence[float]) -> None:
    places = range(len(labels))
    axes.bar([place - 0.2 for place in places], floor, width=0.4, color=_FLOOR)
    axes.bar([place + 0.2 for place in places], ours, width=0.4, color=_OURS)
    axes.set_xticks(places, labels, fontsize=8)
