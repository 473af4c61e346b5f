"""Checking the chain of audit lines: needs the database and the sealer's public key, and changes nothing."""

from dataclasses import dataclass
from typing import Final

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric import ed25519

from core.audit.chain import GENESIS, link
from core.audit.seal import plain_line
from core.db import fetch, fetch_one

_PAGE: Final = 500
# The link's own columns are renamed: the line has an id of its own.
_LINKS = """
SELECT l.seq AS link_seq, l.hash AS link_hash, a.* FROM audit_link l LEFT JOIN audit_line a ON a.id = l.line_id
WHERE l.seq > $1 ORDER BY l.seq LIMIT $2
"""
_HEADS = "SELECT seq, hash, signature FROM audit_head WHERE seq > $1 AND seq <= $2 ORDER BY seq"
_NEWEST_HEAD = "SELECT max(seq) AS seq FROM audit_head"
_UNSEALED = "SELECT count(*) AS n FROM audit_line a LEFT JOIN audit_link l ON l.line_id = a.id WHERE l.line_id IS NULL"


@dataclass(frozen=True, slots=True)
class Findings:
    """What a look at the whole chain has found. `unsealed` lines are newer than the last seal and prove nothing yet."""

    checked: int
    unsealed: int
    faults: tuple[str, ...]

    @property
    def holds(self) -> bool:
        """Whether nothing was changed, taken out or put in."""
        return not self.faults


async def verify_audit(key: ed25519.Ed25519PublicKey) -> Findings:
    """Recompute every link and check every signed head, in pages.

    After a broken link the chain is followed from what is written, so that each fault is told once.

    Raises:
        DatabaseUnavailable: the database could not be reached.
    """
    # Counted first: what is sealed while this runs must not look like a fault.
    newest = await fetch_one(_NEWEST_HEAD)
    newest_head = int(newest["seq"] or 0) if newest else 0
    faults: list[str] = []
    seq, previous, checked = 0, GENESIS, 0
    while rows := await fetch(_LINKS, seq, _PAGE):
        start, hashes = seq, dict[int, str]()
        for row in rows:
            place = int(row["link_seq"])
            if place != seq + 1:
                faults.append(f"links {seq + 1} to {place - 1} are missing")
            if row["id"] is None:
                faults.append(f"the line of link {place} is missing")
            elif link(previous, place, plain_line(row)) != row["link_hash"]:
                faults.append(f"line or link {place} was changed")
            seq, previous = place, str(row["link_hash"])
            hashes[place] = previous
            checked += 1
        for head in await fetch(_HEADS, start, seq):
            faults += _faults_of_head(int(head["seq"]), head["hash"], head["signature"], hashes, key)
    if newest_head > seq:
        faults.append(f"links {seq + 1} to {newest_head} are missing")
    latest = await fetch_one(_NEWEST_HEAD)
    if seq and (not latest or int(latest["seq"] or 0) < seq):
        faults.append("the newest links are under no signed head")
    unsealed = await fetch_one(_UNSEALED)
    return Findings(checked, int(unsealed["n"]) if unsealed else 0, tuple(faults))


def _faults_of_head(
    seq: int, claimed: str, signature: str, hashes: dict[int, str], key: ed25519.Ed25519PublicKey
) -> list[str]:
    if hashes.get(seq) != claimed:
        return [f"head {seq} does not agree with its link"]
    try:
        key.verify(bytes.fromhex(signature), f"{seq}|{claimed}".encode())
    except (InvalidSignature, ValueError):
        return [f"the signature of head {seq} does not hold"]
    return []
