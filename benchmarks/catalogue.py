"""How long a catalogue of 5,000 matters takes to load and to check, to be made findable, and to be searched."""

import dataclasses
import json
import tempfile
import time
from pathlib import Path
from random import Random
from typing import Any, Final

from benchmarks.figures import percentile
from matters.catalogue.catalogue import Catalogue, Wanted
from matters.catalogue.finding.pinyin import load_pinyin
from matters.catalogue.loading import PUBLISHED, load_catalogue, read_files
from matters.catalogue.terms.types import Wording
from matters.catalogue.transfer import as_json
from matters.catalogue.types import CatalogueFile, Matter, Published

MATTERS: Final = 5_000
MOST_LOAD_SECONDS: Final = 3.0
# What somebody who types waits for without noticing.
MOST_SEARCH_MS: Final = 50.0
_DEPARTMENTS: Final = 40
_LIMIT: Final = 20
_PLACES: Final = tuple(
    first + second for first in ("东", "西", "南", "北", "云") for second in ("湖", "山", "岭", "江")
)


def figures() -> dict[str, float]:
    """Make the catalogue, load it, and search it by title, pinyin, first letters, alias and with slips."""
    with tempfile.TemporaryDirectory() as folder:
        write(Path(folder))
        begun = time.perf_counter()
        published = load_catalogue(Path(folder))
        loaded = time.perf_counter()
        catalogue = Catalogue(published)
        indexed = time.perf_counter()
    took = {kind: _search(catalogue, queries) for kind, queries in _queries(published).items()}
    return {
        "matters": len(published),
        "load_seconds": loaded - begun,
        "index_seconds": indexed - loaded,
        **{f"{kind}_p99_ms": percentile(sorted(times), 0.99) for kind, times in took.items()},
    }


def write(folder: Path) -> None:
    """Write 5,000 matters of 40 departments: the shipped ones again and again, each with names and codes of its own."""
    shipped = [(file, matter) for file in read_files(PUBLISHED) for matter in file.matters]
    each = MATTERS // _DEPARTMENTS
    for number in range(_DEPARTMENTS):
        base = shipped[number % len(shipped)][0]
        file = dataclasses.replace(
            base,
            department=dataclasses.replace(base.department, slug=f"department-{number:02d}"),
            matters=tuple(
                _named(shipped[(number * each + place) % len(shipped)][1], base, number, place) for place in range(each)
            ),
        )
        (folder / f"{file.department.slug}.json").write_text(as_json(file), encoding="utf-8")


def _named(matter: Matter, file: CatalogueFile, number: int, place: int) -> Matter:
    where = f"{_PLACES[number % len(_PLACES)]}{_PLACES[place % len(_PLACES)]}"
    basic = f"00{number:04d}{place:06d}"
    code = f"{file.department.uscc}{matter.exercised_at}{basic}"
    return dataclasses.replace(
        matter,
        slug=f"{matter.slug}-{number}-{place}",
        basic_code=basic,
        code=code,
        item_code=f"{code}01",
        title=Wording(zh=f"{where}{matter.title.zh}", en=f"{matter.title.en} {number} {place}"),
        aliases=tuple(f"{where}{alias}" for alias in matter.aliases),
        # Its branches name the department that it is taken from.
        parallel=None,
    )


def _queries(published: tuple[Published, ...]) -> dict[str, list[str]]:
    random, pinyin = Random(7), load_pinyin()
    titles = [each.matter.title.zh for each in random.sample(published, 200)]
    spelled = [pinyin.spellings(title)[0] for title in titles]
    return {
        "title": titles,
        "word": [title[-4:] for title in titles],
        "pinyin": ["".join(way) for way in spelled],
        "letters": ["".join(syllable[0] for syllable in way) for way in spelled],
        "mistyped": [f"{title[:3]}之{title[4:]}" for title in titles],
        "nothing": [f"{title[::-1]}无" for title in titles[:50]],
    }


def _search(catalogue: Catalogue, queries: list[str]) -> list[float]:
    times = []
    for query in queries:
        begun = time.perf_counter()
        catalogue.list_matters(Wanted(query=query), after=None, limit=_LIMIT)
        times.append((time.perf_counter() - begun) * 1000)
    return times


def main() -> None:
    """Print the figures alone, as JSON."""
    told: dict[str, Any] = {name: round(value, 3) for name, value in figures().items()}
    print(json.dumps(told, indent=2))


if __name__ == "__main__":
    main()
