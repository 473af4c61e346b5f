"""Whose signature a key makes: the register's answer to the edge, at most a second old."""

from typing import Final

from auth.registers.admission import read_key
from auth.registers.types import PartyKind
from core.clock import Clock
from core.db import as_json, fetch_one
from core.signers.http_signature import TrustedKey

_FIND: Final = """
SELECT p.id, p.kind, p.slug, p.details, k.public_key FROM party_key k JOIN party p ON p.id = k.party_id
WHERE k.key_id = $1 AND k.state = 'active' AND p.state = 'active'
"""
# What is withdrawn works no longer than this.
_FRESH_SECONDS: Final = 1.0
# Strangers can ask for any key id: what is kept of them is bounded.
_MOST: Final = 1024


class RegisteredKeys:
    """The keys of the register. A verifier is named by its row's id, a department and a device by their slugs."""

    def __init__(self, *, clock: Clock) -> None:
        self._clock = clock
        self._known: dict[str, tuple[float, TrustedKey | None]] = {}

    async def find(self, key_id: str) -> TrustedKey | None:
        """Return the key of an id while it and its party are active.

        Raises:
            DatabaseUnavailable: the database could not be reached.
        """
        now = self._clock.monotonic()
        kept = self._known.get(key_id)
        if kept is not None and now - kept[0] < _FRESH_SECONDS:
            return kept[1]
        found = await self._read(key_id)
        if len(self._known) >= _MOST:
            self._known.clear()
        self._known[key_id] = (now, found)
        return found

    async def _read(self, key_id: str) -> TrustedKey | None:
        row = await fetch_one(_FIND, key_id)
        if row is None:
            return None
        party = str(row["id"]) if row["kind"] == PartyKind.VERIFIER else row["slug"]
        networks = tuple(as_json(row["details"]).get("networks", ()))
        return TrustedKey(party, read_key(row["public_key"]), kind=row["kind"], networks=networks)
