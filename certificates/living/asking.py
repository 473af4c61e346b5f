"""Asking issuers: once for a person and a kind at a time, whatever the number of processes, and not again too soon."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from typing import Any, Final
from uuid import UUID

from auth.types import ReadPurpose
from certificates.errors import IssuerUnavailable, KindUnknown, NotConfirmed
from certificates.ports import Issuer, Persons
from certificates.settings import CertificateSettings
from certificates.types import CertificateQuery, Issued, Kind
from core.clock import Clock
from core.db import as_moment, execute, fetch, fetch_one, transaction
from core.ids import Ids

# One asks, the others wait for what becomes of it: a statement, so that it holds over all processes.
_CLAIM: Final = """
INSERT INTO certificate_asking (id, citizen_id, kind, outcome, turn, lease_until) VALUES ($1, $2, $3, '', 0, $5)
ON CONFLICT (citizen_id, kind) DO UPDATE SET lease_until = excluded.lease_until
WHERE (certificate_asking.lease_until IS NULL OR certificate_asking.lease_until <= $4) AND certificate_asking.turn = $6
RETURNING id
"""
_LOOK: Final = "SELECT outcome, asked_at, turn, lease_until FROM certificate_asking WHERE citizen_id = $1 AND kind = $2"
_DONE: Final = """
UPDATE certificate_asking SET outcome = $3, asked_at = $4, turn = turn + 1, lease_until = NULL
WHERE citizen_id = $1 AND kind = $2
"""
_RELEASE: Final = "UPDATE certificate_asking SET lease_until = NULL WHERE citizen_id = $1 AND kind = $2"
_FORGET: Final = "DELETE FROM certificate_asking WHERE citizen_id = $1 AND kind = $2 AND lease_until IS NULL"

# Longer than a call out lasts, whatever it ends in; an asker that has died stands in nobody's way for longer.
_LEASE: Final = timedelta(seconds=20)
_LOOK_SECONDS: Final = 0.05
_LOOKS: Final = 120


class Outcome(StrEnum):
    """What came of asking."""

    OK = "ok"
    NONE_HELD = "none-held"
    NOT_CONFIRMED = "not-confirmed"
    UNAVAILABLE = "issuer-unavailable"


@dataclass(frozen=True, slots=True, repr=False)
class Told:
    """What an issuer said. Not `asked`: it was somebody else who asked, moments ago, and has written it down."""

    outcome: Outcome
    issued: Issued | None = None
    asked: bool = True
    retry_after: int | None = None


class Asking:
    """Stands between the wallet and the issuers. An answer is given again for as long as its outcome lives."""

    def __init__(
        self,
        *,
        issuers: Mapping[str, Issuer],
        persons: Persons,
        clock: Clock,
        ids: Ids,
        settings: CertificateSettings,
    ) -> None:
        self._issuers = issuers
        self._persons = persons
        self._clock = clock
        self._ids = ids
        self._lives = {
            Outcome.OK: settings.lifetimes.asked_ok_seconds,
            Outcome.NONE_HELD: settings.lifetimes.none_held_seconds,
            Outcome.NOT_CONFIRMED: settings.lifetimes.not_confirmed_seconds,
            Outcome.UNAVAILABLE: settings.lifetimes.unavailable_seconds,
        }

    def is_connected(self, issuer: str) -> bool:
        """Tell whether an issuer can be asked at all."""
        return issuer in self._issuers

    async def ask(self, kind: Kind, holder: UUID, purpose: str, *, again: bool = False) -> Told:
        """Return what the issuer says, or what it said moments ago. Who `asked` has to write it and call `note`.

        `again` asks whatever was said before: something is known to have changed.

        Raises:
            KindUnknown: its issuer is not connected here.
            LevelTooLow: the holder has no real name yet.
            IssuerUnavailable: somebody else is asking and does not come to an end.
            DatabaseUnavailable: the database could not be reached.
        """
        issuer = self._issuers.get(kind.issuer)
        if issuer is None:
            raise KindUnknown
        person = await self._persons.person_of(holder, ReadPurpose.CERTIFICATE)
        for look in range(_LOOKS):
            row = await fetch_one(_LOOK, holder, kind.slug)
            if (told := self._said(row, waited=look > 0, again=again)) is not None:
                return told
            turn = 0 if row is None else int(row["turn"])
            if await transaction(lambda turn=turn: self._claim(kind, holder, turn)):  # type: ignore[misc]
                query = CertificateQuery(kind.slug, person.name, person.id_number, purpose)
                try:
                    return await self._put(issuer, query)
                except BaseException:
                    # The caller is gone, or something broke: the next one need not wait for the lease to run out.
                    await transaction(lambda: execute(_RELEASE, holder, kind.slug))
                    raise
            await asyncio.sleep(_LOOK_SECONDS)
        raise IssuerUnavailable(retry_after=2)

    async def note(self, kind: Kind, holder: UUID, outcome: Outcome) -> None:
        """Note what came of asking, in the transaction that writes it: those who wait go on.

        Raises:
            DatabaseUnavailable: the database could not be reached.
        """
        await execute(_DONE, holder, kind.slug, outcome.value, self._clock.now())

    async def forget(self, kind: Kind, holder: UUID) -> None:
        """Forget what was said: it is known to be over.

        Raises:
            DatabaseUnavailable: the database could not be reached.
        """
        await execute(_FORGET, holder, kind.slug)

    def _said(self, row: Mapping[str, Any] | None, *, waited: bool, again: bool) -> Told | None:
        if row is None or row["asked_at"] is None or row["lease_until"] is not None or not row["outcome"]:
            return None
        outcome, now = Outcome(row["outcome"]), self._clock.now()
        lives = timedelta(seconds=self._lives[outcome])
        if again or (not waited and as_moment(row["asked_at"]) + lives <= now):
            return None
        return Told(outcome, asked=False)

    async def _claim(self, kind: Kind, holder: UUID, turn: int) -> bool:
        """Take the right to ask, unless somebody else has it, or has had it since it was looked at."""
        now = self._clock.now()
        return bool(await fetch(_CLAIM, self._ids.uuid(), holder, kind.slug, now, now + _LEASE, turn))

    async def _put(self, issuer: Issuer, query: CertificateQuery) -> Told:
        try:
            issued = await issuer.fetch(query)
        except NotConfirmed:
            return Told(Outcome.NOT_CONFIRMED)
        except IssuerUnavailable as error:
            return Told(Outcome.UNAVAILABLE, retry_after=error.extras.retry_after)
        return Told(Outcome.NONE_HELD if issued is None else Outcome.OK, issued)
