"""Decisions about the dynamic list: what an operation may do, what is in force when, what may be demanded."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Final

from matters.catalogue.revisions.types import Count, Entry, Operation, OperationKind, RevisionState, Row

# What may be changed, and what may be asked to be published.
EDITABLE: Final = frozenset({RevisionState.DRAFT, RevisionState.CHECKED})
OF_THE_PAST: Final = frozenset({RevisionState.PUBLISHED, RevisionState.WITHDRAWN})
_FEWEST: Final = 2


def wrong_with(listed: Mapping[str, Entry], operation: Operation) -> Iterator[str]:
    """Yield one sentence for each thing that forbids an operation on a list; none for one that may be done."""
    kind, sources, targets = operation.kind, operation.sources, operation.targets
    if missing := [code for code in sources if code not in listed]:
        yield f"{missing[0]} is not on the list."
        return
    if len(set(sources)) != len(sources) or len({target.code for target in targets}) != len(targets):
        yield "a matter is named twice."
    departments = {listed[code].department for code in sources} | {target.department for target in targets}
    if len(departments) > 1:
        yield "one operation concerns one department."
    if taken := [target.code for target in targets if target.code in listed and target.code not in sources]:
        yield f"{taken[0]} is on the list already."
    shape = {
        OperationKind.PUBLISH: not sources and bool(targets),
        OperationKind.MERGE: len(sources) >= _FEWEST and len(targets) == 1,
        OperationKind.SPLIT: len(sources) == 1 and len(targets) >= _FEWEST,
        OperationKind.CANCEL: bool(sources) and not targets,
        OperationKind.DELEGATE: bool(sources) and len(sources) == len(targets),
    }
    if not shape[kind]:
        yield "several are merged into one, one is split into several, what is cancelled leaves nothing behind."
    elif kind is OperationKind.DELEGATE:
        yield from _delegated([listed[code] for code in sources], targets)


def _delegated(before: Sequence[Entry], after: Sequence[Entry]) -> Iterator[str]:
    for entry, target in zip(before, after, strict=True):
        # Higher numbers are lower levels: 3 city, 4 county, 5 town.
        if target.basic_code != entry.basic_code or target.level <= entry.level:
            yield f"{target.code}: what is delegated stays what it is, and is exercised at a lower level."


def apply(listed: Mapping[str, Entry], operation: Operation) -> dict[str, Entry]:
    """Return the list after an operation.

    Raises:
        ValueError: the operation may not be done; the message says why.
    """
    if (wrong := next(wrong_with(listed, operation), None)) is not None:
        raise ValueError(wrong)
    kept = {code: entry for code, entry in listed.items() if code not in operation.sources}
    return kept | {target.code: target for target in operation.targets}


def counts(before: Iterable[Entry], after: Iterable[Entry], done: Iterable[tuple[str, OperationKind]]) -> list[Count]:
    """Return for each department how many matters it had and has, and how often what was done to them."""
    had, has = (Counter(entry.department for entry in entries) for entries in (before, after))
    kinds: dict[str, Counter[OperationKind]] = {}
    for department, kind in done:
        kinds.setdefault(department, Counter())[kind] += 1
    return [
        Count(department=name, before=had[name], after=has[name], by_kind=dict(kinds.get(name, {})))
        for name in sorted(had | has)
    ]


def in_force(rows: Sequence[Row], moment: datetime) -> Row | None:
    """Return which of one matter's revisions counts at a moment; None when none does, or it has ended.

    The highest version that counts already takes the place of all before it, also once it has ended.
    """
    begun = [row for row in rows if row.effective_at is not None and row.effective_at <= moment]
    if not begun:
        return None
    last = max(begun, key=lambda row: row.version)
    return None if last.ends_at is not None and last.ends_at <= moment else last


def next_change(rows: Iterable[Row], moment: datetime) -> datetime | None:
    """Return when next something begins or ends to count, if anything does."""
    times = [at for row in rows for at in (row.effective_at, row.ends_at) if at is not None and at > moment]
    return min(times, default=None)
