"""Measure the face engine: `python -m scripts.evaluate_faces FOLDER`.

FOLDER has lists of pairs, one for each group of people (`pairs_GROUP.csv`: a, b, same), and their pictures. Written are
a page with every figure, its curves beside it, and the file from which settings take thresholds and claims. With
`--cohort` the method as-norm is measured too; with `--recordings` whole recordings, honest and not, are decided.
"""

import argparse
import asyncio
import hashlib
import sys
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Final

import msgspec

from api.wiring.engines import read_cohort_file
from api.wiring.settings import Settings, read_settings
from core.settings import UnsafeSettings
from face.errors import EngineUnavailable
from face.evaluation import SHIPPED, Attack, Evaluation
from face.rules import DecisionLimits, FaceLimits
from face.types import Method
from scripts.evaluate_faces.curves import draw
from scripts.evaluate_faces.labels import BadLabels, Labels, read_labels
from scripts.evaluate_faces.looking import Seen, console, look_at
from scripts.evaluate_faces.measuring import Deal, Measured, can_deal, deal, measure
from scripts.evaluate_faces.page import page
from scripts.evaluate_faces.rates import Stand
from scripts.evaluate_faces.recordings import decide, read_recordings

_FRAMES: Final = 3


@dataclass(frozen=True, slots=True)
class _Found:
    labels: Labels
    seen: Seen
    measured: list[Measured]
    deals: list[Deal]
    attacks: list[Attack]
    passive: str


def evaluate(settings: Settings, chosen: argparse.Namespace) -> Path:
    """Measure, write everything, and return the page.

    Raises:
        BadLabels: the folder's lists cannot be read, or name hardly any picture with a face.
        UnsafeSettings: the cohort cannot be read, or is of another engine.
        EngineUnavailable: the engine does not start.
    """
    labels = read_labels(chosen.folder)
    seen = asyncio.run(look_at(settings, chosen.folder, labels.person))
    embeddings = {name: face.embedding for name, face in seen.fit.items()}
    known = labels.seen(frozenset(embeddings))
    _require_pairs(known)
    measured = [measure(known, embeddings, rate=chosen.rate, frames=_FRAMES, stand=None, cohort="")]
    stand: Stand | None = None
    if chosen.cohort:
        digest = hashlib.sha256(chosen.cohort.read_bytes()).hexdigest()
        stand = cache(read_cohort_file(chosen.cohort, digest, seen.model_id).standing)
        measured.append(measure(known, embeddings, rate=chosen.rate, frames=_FRAMES, stand=stand, cohort=digest))
    methods = list(Method) if can_deal(known) else [Method.RAW]
    with console.status("dealing the people into halves…"):
        deals = [deal(known, embeddings, rate=chosen.rate, frames=_FRAMES, method=method) for method in methods]
    attacks = _attacks(settings, chosen.recordings, measured[-1], stand) if chosen.recordings else []
    return _write(chosen, _Found(labels, seen, measured, deals, attacks, settings.face.passive.sha256))


def _require_pairs(labels: Labels) -> None:
    for name, pairs in labels.groups.items():
        if len({pair.same for pair in pairs}) < 2:  # noqa: PLR2004 — pairs of one person, and of different people
            raise BadLabels(f"pairs_{name}.csv: pairs of one person and of different people are needed, with faces")


def _attacks(settings: Settings, folder: Path, measured: Measured, stand: Stand | None) -> list[Attack]:
    recordings = read_recordings(folder)
    seen = asyncio.run(look_at(settings, folder, [name for one in recordings for name in (*one.frames, one.portrait)]))
    point = measured.point
    limits = FaceLimits(
        DecisionLimits(
            point.threshold_id, point.accept, point.reject, point.method, seen.model_id, point.supported_rate()
        ),
        liveness=settings.face.liveness(),
    )
    return decide(recordings, seen, limits, stand)


def _write(chosen: argparse.Namespace, found: _Found) -> Path:
    seen, measured = found.seen, found.measured
    curves = {
        f"{one.point.method}, {name}": listing.everybody for one in measured for name, listing in one.groups.items()
    }
    picture = chosen.page.with_suffix(".svg")
    draw(picture, curves)
    result = Evaluation(
        model_id=seen.model_id,
        data=chosen.data,
        points=[one.point for one in measured],
        attacks=found.attacks,
        passive=found.passive,
    )
    chosen.result.write_bytes(msgspec.json.format(msgspec.json.encode(result), indent=1) + b"\n")
    chosen.page.write_text(
        page(
            command=_command(chosen),
            data=chosen.data,
            model_id=seen.model_id,
            rate=chosen.rate,
            frames=_FRAMES,
            measured=measured,
            deals=found.deals,
            unseen=_unseen(found.labels, seen),
            attacks=found.attacks,
            picture=picture.name,
        ),
        encoding="utf-8",
    )
    return Path(chosen.page)


def _command(chosen: argparse.Namespace) -> str:
    """Return how the command was called, without the places of this machine."""
    options = [f"--{name} {name.upper()}" for name in ("cohort", "recordings") if getattr(chosen, name)]
    return " ".join(["python -m scripts.evaluate_faces FOLDER", *options])


def _unseen(labels: Labels, seen: Seen) -> dict[str, tuple[int, int, int]]:
    """Count for each group the pictures, those without a face, and those that no check would compare."""
    found, with_face, fit = {}, seen.faces.keys(), seen.fit.keys()
    for group, pairs in labels.groups.items():
        names: set[str] = {name for pair in pairs for name in (pair.one, pair.other)}
        found[group] = (len(names), len(names - with_face), len((names & with_face) - fit))
    return found


def main(arguments: list[str] | None = None) -> int:
    """Run the command; return its exit code."""
    parser = argparse.ArgumentParser(prog="python -m scripts.evaluate_faces", description=__doc__)
    parser.add_argument("folder", type=Path, help="pairs_*.csv and the pictures they name")
    parser.add_argument("--data", required=True, help="a sentence about the pictures, for the page")
    parser.add_argument("--rate", type=float, default=0.005, help="false matches at the most (default: 0.005)")
    parser.add_argument("--cohort", type=Path, help="measure as-norm with this cohort as well")
    parser.add_argument("--recordings", type=Path, help="decide these recordings (KIND/NAME/) as well")
    parser.add_argument("--page", type=Path, default=Path("docs/face-evaluation.md"))
    parser.add_argument("--result", type=Path, default=SHIPPED, help="the file that settings read")
    try:
        path = evaluate(read_settings(), parser.parse_args(arguments))
    except (BadLabels, UnsafeSettings, OSError) as error:
        console.print(f"[red]✗[/red] {error}")
        return 2
    except EngineUnavailable:
        console.print("[red]✗[/red] The face engine does not start: python -m scripts.prepare says why.")
        return 3
    console.print(f"[green]✓[/green] {path}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
