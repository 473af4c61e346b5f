"""Make the cohort that scores are normalised with (AS-norm): `python -m scripts.make_cohort FOLDER OUT.npz`.

FOLDER holds pictures of people the service's residents resemble, one sub-folder a person, used with their consent. Take
other people than those on whom the evaluation is made. What is written are synthetic descriptions, drawn from a mixture
of normal distributions fitted to the people's: nobody's own, and no part of the mixture rests on fewer than twenty
people. Settings name the file and its digest, which is printed.
"""

import argparse
import asyncio
import hashlib
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Final, TypeAlias

import numpy as np
import numpy.typing as npt

from api.wiring.settings import read_settings
from core.settings import UnsafeSettings
from face.errors import EngineUnavailable
from scripts.evaluate_faces.looking import Seen, console, look_at

Floats: TypeAlias = npt.NDArray[np.float64]

PICTURES: Final = {".jpg", ".jpeg", ".png"}
DRAWN: Final = 3000
FEWEST: Final = 100
_PARTS: Final = 32
# On fewer people than this no part of the mixture may rest: its middle would be somebody.
PEOPLE_PER_PART: Final = 20
_ROUNDS: Final = 60
_FLOOR: Final = 1e-4


class TooFew(Exception):
    """There are not enough people to hide anybody among."""


def synthetic(people: Floats, rng: np.random.Generator, *, drawn: int = DRAWN) -> Floats:
    """Return synthetic descriptions (`drawn` x n), from the descriptions of people (one a row).

    Raises:
        TooFew: there are fewer than a hundred people.
    """
    if len(people) < FEWEST:
        raise TooFew(f"{len(people)} people with a usable picture; a cohort needs {FEWEST} at least")
    middle = people.mean(0)
    # Along their main axes descriptions hardly depend on one another: each part needs a spread for each axis only.
    _, _, axes = np.linalg.svd(people - middle, full_matrices=False)
    placed = (people - middle) @ axes.T
    weights, means, spreads = _mixture(placed, rng)
    part = rng.choice(len(weights), size=drawn, p=weights / weights.sum())
    points = rng.normal(means[part], np.sqrt(spreads[part]))
    made: Floats = points @ axes + middle
    return made


def _mixture(points: Floats, rng: np.random.Generator) -> tuple[Floats, Floats, Floats]:
    """Fit normal distributions, each with its own spreads, by expectation and maximisation; none rests on too few."""
    count = max(1, min(_PARTS, len(points) // (2 * PEOPLE_PER_PART)))
    means = points[rng.permutation(len(points))[:count]]
    spreads = np.tile(points.var(0) + _FLOOR, (count, 1))
    weights = np.full(count, 1 / count)
    for _ in range(_ROUNDS):
        shares = _shares(points, weights, means, spreads)
        held = shares.sum(0)
        if (held < PEOPLE_PER_PART).any() and len(held) > 1:
            # The smallest goes, its people fall to the others.
            keep = np.arange(len(held)) != held.argmin()
            weights, means, spreads = weights[keep] / weights[keep].sum(), means[keep], spreads[keep]
            continue
        weights = held / len(points)
        means = (shares.T @ points) / held[:, None]
        spreads = (shares.T @ points**2) / held[:, None] - means**2 + _FLOOR
    return weights, means, spreads


def _shares(points: Floats, weights: Floats, means: Floats, spreads: Floats) -> Floats:
    """Return how much of each point belongs to each part."""
    logs = np.stack(
        [
            np.log(weight) - 0.5 * (((points - mean) ** 2 / spread).sum(1) + np.log(spread).sum())
            for weight, mean, spread in zip(weights, means, spreads, strict=True)
        ],
        axis=1,
    )
    logs -= logs.max(1, keepdims=True)
    shares: Floats = np.exp(logs)
    shares /= shares.sum(1, keepdims=True)
    return shares


def of_people(seen: Seen) -> Floats:
    """Return one description a person: the average over the pictures in their folder."""
    pictures: dict[str, list[tuple[float, ...]]] = {}
    for name, face in seen.faces.items():
        pictures.setdefault(str(Path(name).parent), []).append(face.embedding)
    return np.array([np.mean(pictures[person], axis=0) for person in sorted(pictures)], np.float64)


def _pictures(folder: Path) -> Iterator[str]:
    for path in sorted(folder.rglob("*")):
        if path.suffix.lower() in PICTURES and path.parent != folder:
            yield path.relative_to(folder).as_posix()


def main(arguments: list[str] | None = None) -> int:
    """Run the command; return its exit code."""
    parser = argparse.ArgumentParser(prog="python -m scripts.make_cohort", description=__doc__)
    parser.add_argument("folder", type=Path, help="pictures, one sub-folder a person")
    parser.add_argument("out", type=Path, help="the file to write, .npz")
    parser.add_argument("--seed", type=int, help="draw the same again (else by chance)")
    chosen = parser.parse_args(arguments)
    try:
        seen = asyncio.run(look_at(read_settings(), chosen.folder, _pictures(chosen.folder)))
        people = of_people(seen) if seen.faces else np.empty((0, 0))
        vectors = synthetic(people, np.random.default_rng(chosen.seed))
        with chosen.out.open("wb") as file:
            np.savez(file, vectors=vectors.astype(np.float16), model_id=np.array(seen.model_id))
    except (TooFew, UnsafeSettings, OSError) as error:
        console.print(f"[red]✗[/red] {error}")
        return 2
    except EngineUnavailable:
        console.print("[red]✗[/red] The face engine does not start: python -m scripts.prepare says why.")
        return 3
    console.print(
        f"[green]✓[/green] {chosen.out.name}: {len(vectors)} synthetic descriptions from {len(people)} people"
    )
    # The digest goes to standard output, to be taken into the settings.
    sys.stdout.write(f"{hashlib.sha256(chosen.out.read_bytes()).hexdigest()}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
