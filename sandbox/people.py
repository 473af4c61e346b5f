"""The cast: who the sandbox's systems know, and what each of them has on record."""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import Any, Literal

_FILE = Path(__file__).with_name("people.json")
_RELATIVE = re.compile(r"@((?:[+-]\d+[dmy])+)")
_OFFSET = re.compile(r"([+-]\d+)([dmy])")
_LATEST = re.compile(r"@(\d\d)-(\d\d)")


@dataclass(frozen=True, slots=True, repr=False, kw_only=True)
class Person:
    """One of the cast. Prints as its slug: the rest is what a log must not hold."""

    slug: str
    name: str
    id_number: str
    mobile: str
    story: Mapping[str, str]
    """What happens to this person, in `zh` and `en`."""
    face: Literal["a", "b"] = "a"
    portrait: Literal["a", "b"] = "a"
    in_registry: bool = True
    has_wechat: bool = True
    ending: Literal["answers", "refuses", "hangs"] = "answers"
    """What the departments do with a submission of this person."""
    draws_pension: bool = False
    household: Literal["clear", "conflict"] = "clear"
    records: Mapping[str, Any]
    """`degree`, `insurance`, `residence`, and what stands ready for departments without a page yet."""
    certificates: Mapping[str, Mapping[str, Any]]

    def __repr__(self) -> str:
        return f"Person({self.slug})"

    @property
    def bank_card(self) -> str:
        """The one bank card everybody has: 19 digits after ISO/IEC 7812, of an issuer that does not exist."""
        first_18 = f"629999{self.mobile[3:].zfill(12)}"
        # Luhn: from the right, every second digit is doubled; 9 is taken from what is then above it.
        doubled = (int(digit) * 2 for digit in first_18[::-2])
        total = sum(value - 9 * (value > 9) for value in doubled) + sum(map(int, first_18[-2::-2]))  # noqa: PLR2004
        return f"{first_18}{-total % 10}"


class People:
    """The cast, found by slug or by number and name."""

    def __init__(self, cast: tuple[Person, ...]) -> None:
        self._by_slug = {person.slug: person for person in cast}
        self._by_number = {person.id_number: person for person in cast}

    @classmethod
    def load(cls, path: Path = _FILE) -> "People":
        """Read the cast from `people.json`."""
        told = json.loads(path.read_text(encoding="utf-8"))
        return cls(tuple(Person(**person) for person in told["people"]))

    def __iter__(self) -> Iterator[Person]:
        return iter(self._by_slug.values())

    def find(self, slug: str) -> Person | None:
        """Find one of the cast by slug."""
        return self._by_slug.get(slug)

    def find_by_number(self, id_number: str) -> Person | None:
        """Find by ID number somebody the population registry knows."""
        person = self._by_number.get(id_number)
        return person if person is not None and person.in_registry else None

    def find_named(self, id_number: str, name: str) -> Person | None:
        """Find by ID number somebody who is also called so."""
        person = self.find_by_number(id_number)
        return person if person is not None and person.name == name else None


def certificate(person: Person, kind: str, *, today: date, opened_on: date) -> dict[str, Any] | None:
    """Read a certificate off the record as it stands today.

    A record written relative to today changes with each day, so its version rises by one a day from the day the
    sandbox was opened on: `version` rises with each change, as the issuers' pages have it.
    """
    document = person.certificates.get(kind)
    if document is None:
        return None
    today_s: dict[str, Any] = dated(document, today)
    if today_s != document:
        today_s["version"] += max(0, (today - opened_on).days)
    return today_s


def dated(value: Any, today: date) -> Any:  # noqa: ANN401 — any JSON in, the same shape out
    """Copy JSON with its relative dates made real.

    `@+20d`, `@-1y`, `@+12d-2y` count days, months and years from today, left to right; `@06-30` is the latest 30 June
    that is over.
    """
    if isinstance(value, Mapping):
        return {key: dated(inner, today) for key, inner in value.items()}
    if isinstance(value, list):
        return [dated(inner, today) for inner in value]
    if not isinstance(value, str):
        return value
    if relative := _RELATIVE.fullmatch(value):
        day = today
        for amount, unit in _OFFSET.findall(relative[1]):
            day = later(day, **{{"d": "days", "m": "months", "y": "years"}[unit]: int(amount)})
        return day.isoformat()
    if latest := _LATEST.fullmatch(value):
        this_year = date(today.year, int(latest[1]), int(latest[2]))
        return (this_year if this_year <= today else later(this_year, years=-1)).isoformat()
    return value


def later(day: date, *, days: int = 0, months: int = 0, years: int = 0) -> date:
    """Count on from a day; the last of a month stays the last where the month is shorter."""
    count = day.year * 12 + day.month - 1 + months + 12 * years
    year, month = divmod(count, 12)
    last = (date(year + (month == 11), (month + 1) % 12 + 1, 1) - timedelta(days=1)).day  # noqa: PLR2004 — December
    return date(year, month + 1, min(day.day, last)) + timedelta(days=days)
