"""Checking the chain of audit lines: needs the database and the sealer's public key, and changes nothing."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Final

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric import ed25519

from core.audit.chain import GENESIS, link
from core.audit.seal import LATEST, plain_line
from core.db import as_moment, fetch, fetch_one

_PAGE: Final = 500
# The link's own columns are renamed: the line has an id of its own.
_LINKS = """
SELECT l.seq AS link_seq, l.hash AS link_hash, a.* FROM audit_link l LEFT JOIN audit_line a ON a.id = l.line_id
WHERE l.seq > $1 ORDER BY l.seq LIMIT $2
"""
_HEADS = "SELECT seq, hash, signature FROM audit_head WHERE seq > $1 AND seq <= $2 ORDER BY seq"
_NEWEST_HEAD = "SELECT seq, hash FROM audit_head ORDER BY seq DESC LIMIT 1"
_NEWEST_LINKED = """
SELECT a.at FROM audit_link l JOIN audit_line a ON a.id = l.line_id ORDER BY l.seq DESC LIMIT 1
"""
_UNLINKED = """
SELECT a.id, a.at FROM audit_line a LEFT JOIN audit_link l ON l.line_id = a.id WHERE l.line_id IS NULL
"""


@dataclass(frozen=True, slots=True, order=True)
class Fault:
    """Something that is not as it was sealed, at a place of the chain."""

    place: int
    what: str


@dataclass(frozen=True, slots=True)
class Head:
    """The place and hash of a link: kept somewhere else (an anchor), it shows whether the end was cut off since."""

    seq: int
    hash: str


@dataclass(frozen=True, slots=True)
class Findings:
    """What a look at the whole chain has found: faults in the order of their places.

    `unsealed` lines are newer than the last seal and prove nothing yet. `head` is the newest that is signed.
    """

    checked: int
    unsealed: int
    faults: tuple[str, ...]
    first: int | None = None
    head: Head | None = None

    @property
    def holds(self) -> bool:
        """Whether nothing was altered, removed, moved or added."""
        return not self.faults


@dataclass(slots=True)
class _Walk:
    """How far the chain has been followed, and what was found on the way."""

    seq: int = 0
    previous: str = GENESIS
    checked: int = 0
    faults: list[Fault] = field(default_factory=list)

    def fault(self, place: int, what: str) -> None:
        self.faults.append(Fault(place, what))


async def verify_audit(key: ed25519.Ed25519PublicKey, *, anchors: Iterable[Head] = ()) -> Findings:
    """Recompute every link and check every signed head, in pages, and the `anchors` that were kept elsewhere.

    After a broken link the chain is followed from what is written, so that each fault is told once.

    Raises:
        DatabaseUnavailable: the database could not be reached.
    """
    # Looked at first: what is sealed while this runs must not look like a fault.
    newest = await _newest_head()
    walk, kept = _Walk(), {anchor.seq: anchor.hash for anchor in anchors}
    while rows := await fetch(_LINKS, walk.seq, _PAGE):
        start, hashes = walk.seq, dict[int, str]()
        for row in rows:
            place = int(row["link_seq"])
            if place != walk.seq + 1:
                walk.fault(walk.seq + 1, f"links {walk.seq + 1} to {place - 1} were removed")
            if row["id"] is None:
                walk.fault(place, f"the line of link {place} was removed")
            elif link(walk.previous, place, plain_line(row)) != row["link_hash"]:
                walk.fault(place, f"line {place} was altered or moved, or its link was")
            walk.seq, walk.previous = place, str(row["link_hash"])
            hashes[place] = walk.previous
            walk.checked += 1
        for head in await fetch(_HEADS, start, walk.seq):
            _check_head(walk, Head(int(head["seq"]), head["hash"]), head["signature"], hashes, key)
        for place in kept.keys() & hashes.keys():
            if kept.pop(place) != hashes[place]:
                walk.fault(place, f"link {place} is not the one that was kept as an anchor")
    for place in kept:
        walk.fault(walk.seq + 1, f"links {walk.seq + 1} to {place} were removed: an anchor of {place} was kept")
    return await _sum_up(walk, newest)


async def _sum_up(walk: _Walk, newest: Head | None) -> Findings:
    if newest is not None and newest.seq > walk.seq:
        walk.fault(walk.seq + 1, f"links {walk.seq + 1} to {newest.seq} were removed")
    latest = await _newest_head()
    covered = 0 if latest is None else latest.seq
    if covered < walk.seq:
        walk.fault(covered + 1, f"links {covered + 1} to {walk.seq} are under no signed head: they were added")
    linked = await fetch_one(_NEWEST_LINKED)
    unlinked = await fetch(_UNLINKED)
    if linked is not None:
        # The sealer takes up no line that is older than this: whoever put it there came after.
        bound = as_moment(linked["at"]) - LATEST
        added = sorted(as_moment(row["at"]) for row in unlinked if as_moment(row["at"]) <= bound)
        if added:
            walk.fault(walk.seq + 1, f"{len(added)} lines were added later, the first with the time {added[0]}")
    faults = sorted(walk.faults)
    return Findings(
        checked=walk.checked,
        unsealed=len(unlinked),
        faults=tuple(fault.what for fault in faults),
        first=faults[0].place if faults else None,
        head=newest,
    )


async def _newest_head() -> Head | None:
    row = await fetch_one(_NEWEST_HEAD)
    return None if row is None else Head(int(row["seq"]), str(row["hash"]))


def _check_head(
    walk: _Walk, head: Head, signature: str, hashes: dict[int, str], key: ed25519.Ed25519PublicKey
) -> None:  # fmt: skip
    if hashes.get(head.seq) != head.hash:
        walk.fault(head.seq, f"head {head.seq} does not agree with its link")
        return
    try:
        key.verify(bytes.fromhex(signature), f"{head.seq}|{head.hash}".encode())
    except (InvalidSignature, ValueError):
        walk.fault(head.seq, f"the signature of head {head.seq} does not hold")
