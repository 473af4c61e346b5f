"""The catalogue that is in force: the shipped files, and over them what two people have published since."""

import asyncio
from collections.abc import Sequence
from datetime import datetime

from core.clock import Clock
from matters.catalogue.catalogue import Catalogue, Shelf
from matters.catalogue.comparing import matter_of
from matters.catalogue.revisions.rules import in_force, next_change
from matters.catalogue.revisions.store import read_counting, read_mark
from matters.catalogue.revisions.types import Row
from matters.catalogue.terms.types import Wording
from matters.catalogue.types import DepartmentEntry, Published


class LivingCatalogue:
    """Brings a process's catalogue up to date. Every process looks each second or two: that is how long one may lag."""

    def __init__(self, *, catalogue: Catalogue, shipped: Sequence[Published], clock: Clock) -> None:
        self._catalogue = catalogue
        self._shipped = {each.matter.code: each for each in shipped}
        self._departments = {each.department.slug: each for each in shipped}
        self._clock = clock
        self._mark: tuple[int, int] = (0, 0)
        self._next: datetime | None = None

    @property
    def shipped(self) -> tuple[Published, ...]:
        """What came with the files, whatever was done since."""
        return tuple(self._shipped.values())

    def department(self, slug: str) -> DepartmentEntry | None:
        """Return the entry of a department that has files here."""
        found = self._departments.get(slug)
        return None if found is None else found.department

    async def look(self) -> None:
        """Take in what was published or withdrawn since, and what has come to its time.

        Raises:
            DatabaseUnavailable: the database could not be reached; what was known stays.
        """
        now = self._clock.now()
        mark = await read_mark()
        if mark == self._mark and (self._next is None or now < self._next):
            return
        rows = await read_counting()
        current, earlier = self._at(rows, now)
        # The index of thousands of matters takes a while to build, and nobody waits for it.
        self._catalogue.take(await asyncio.to_thread(Shelf.of, current, earlier))
        self._mark, self._next = mark, next_change(rows, now)

    def _at(self, rows: Sequence[Row], now: datetime) -> tuple[list[Published], list[Published]]:
        """Return what is in force, and every version that a case may have been started with."""
        by_code: dict[str, list[Row]] = {}
        for row in rows:
            by_code.setdefault(row.code, []).append(row)
        current = [each for code, each in self._shipped.items() if not _is_overtaken(each, by_code.get(code, ()), now)]
        for code, versions in by_code.items():
            shipped, counting = self._shipped.get(code), in_force(versions, now)
            if counting is not None and (shipped is None or _is_overtaken(shipped, versions, now)):
                current.append(self._published(counting))
        earlier = [*self._shipped.values(), *(self._published(row) for row in rows)]
        return current, earlier

    def _published(self, row: Row) -> Published:
        base = self._departments.get(row.department)
        if base is None:
            entry = DepartmentEntry(slug=row.department, name=Wording(zh=row.department, en=row.department), uscc="")
            return Published(matter_of(row.content), entry, False, Wording(zh="", en=""))
        return Published(matter_of(row.content), base.department, base.demonstration, base.notice)


def _is_overtaken(shipped: Published, rows: Sequence[Row], now: datetime) -> bool:
    """Tell whether a revision counts in the place of what a file has: one of a higher version came with a release."""
    begun = [row.version for row in rows if row.effective_at is not None and row.effective_at <= now]
    return max(begun, default=0) >= shipped.matter.version
