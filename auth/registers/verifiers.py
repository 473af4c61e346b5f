"""The verifiers of the register as those see them who answer their questions."""

from datetime import datetime, time, timedelta
from typing import Final
from uuid import UUID

from auth.registers.errors import QuotaUsedUp
from auth.registers.purposes import terms_of
from auth.registers.types import VerifierTerms
from auth.types import Term
from core.clock import CHINA, Clock, china_date
from core.db import as_json, as_uuid, fetch, fetch_one, transaction
from core.ids import Ids

_FIND: Final = "SELECT id, details FROM party WHERE id = $1 AND kind = 'verifier' AND state = 'active'"
_ALL: Final = "SELECT id, details FROM party WHERE kind = 'verifier' ORDER BY id"
_NAME: Final = "SELECT details FROM party WHERE id = $1 AND kind = 'verifier'"
# One statement counts and compares: of many questions at once as many are let through as are left.
_COUNT: Final = """
INSERT INTO party_usage (id, party_id, day, used) VALUES ($1, $2, $3, 1)
ON CONFLICT (party_id, day) DO UPDATE SET used = party_usage.used + 1 WHERE party_usage.used < $4 RETURNING used
"""
_NO_END: Final = 2_000_000_000


class RegisteredVerifiers:
    """What each verifier may do, and how much of it is left today."""

    def __init__(self, *, clock: Clock, ids: Ids) -> None:
        self._clock = clock
        self._ids = ids

    async def find(self, verifier_id: UUID) -> VerifierTerms | None:
        """Return what the register says of a verifier; None when there is none of this id, or it is suspended.

        Raises:
            DatabaseUnavailable: the database could not be reached.
        """
        row = await fetch_one(_FIND, verifier_id)
        if row is None:
            return None
        details = as_json(row["details"])
        return VerifierTerms(
            id=as_uuid(row["id"]),
            name=details.get("name", ""),
            purposes={purpose: frozenset(names) for purpose, names in details.get("purposes", {}).items()},
            quota_per_day=int(details.get("quota_per_day", 0)),
            titles=terms_of(details),
        )

    async def name_of(self, verifier_id: UUID) -> str | None:
        """Return what a verifier is called, suspended or not: what it has done stays its own.

        Raises:
            DatabaseUnavailable: the database could not be reached.
        """
        row = await fetch_one(_NAME, verifier_id)
        return None if row is None else as_json(row["details"]).get("name") or None

    async def purposes(self) -> dict[UUID, dict[str, Term]]:
        """Return what the purposes of all verifiers are called, suspended ones too: old lines name them.

        Raises:
            DatabaseUnavailable: the database could not be reached.
        """
        return {as_uuid(row["id"]): terms_of(as_json(row["details"])) for row in await fetch(_ALL)}

    async def count(self, terms: VerifierTerms) -> None:
        """Count one question of today. Joins a running transaction.

        Raises:
            QuotaUsedUp: there were as many today as the register allows.
            DatabaseUnavailable: the database could not be reached.
        """
        now = self._clock.now()
        today, most = china_date(now), terms.quota_per_day or _NO_END
        if not await transaction(lambda: fetch(_COUNT, self._ids.uuid(), terms.id, today, most)):
            tomorrow = datetime.combine(today + timedelta(days=1), time(), CHINA)
            raise QuotaUsedUp(retry_after=int((tomorrow - now).total_seconds()) + 1)
