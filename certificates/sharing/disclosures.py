"""What holders let verifiers read of them without a code: given to one, for one purpose, withdrawn at any time."""

from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime, time, timedelta
from typing import Any, Final
from uuid import UUID

from auth.registers.types import VerifierTerms
from auth.types import Caller
from certificates.definitions import Kinds
from certificates.ports import Verifiers
from certificates.selection import Selection, require_allowed
from certificates.sharing.errors import DisclosureEnded, EndUnusable, NoSuchDisclosure
from certificates.sharing.types import LONGEST_DAYS, ONCE_HOURS, Disclosure, Standing
from certificates.types import Text
from core.audit.record import Audit
from core.clock import CHINA, Clock, china_date
from core.db import as_json, as_moment, as_uuid, fetch, fetch_one, transaction
from core.errors import FieldError
from core.ids import Ids

_ADD: Final = """
INSERT INTO certificate_disclosure (id, citizen_id, verifier_id, kind, field_names, claims, purpose, once, given_at,
                                    expires_at)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10) RETURNING *
"""
_LIST: Final = """
SELECT * FROM certificate_disclosure WHERE citizen_id = $1 AND id < $2 ORDER BY id DESC LIMIT $3
"""
_ONE: Final = "SELECT * FROM certificate_disclosure WHERE id = $1 AND citizen_id = $2"
_WITHDRAW: Final = """
UPDATE certificate_disclosure SET withdrawn_at = $3
WHERE id = $1 AND citizen_id = $2 AND withdrawn_at IS NULL AND used_at IS NULL AND expires_at > $3
RETURNING kind, field_names, claims, purpose
"""
_LAST: Final = UUID(int=(1 << 128) - 1)


class Disclosures:
    """The consents of holders. Withdrawing one holds at once; what was read before stays in the ledger."""

    def __init__(self, *, kinds: Kinds, verifiers: Verifiers, audit: Audit, clock: Clock, ids: Ids) -> None:
        self._kinds = kinds
        self._verifiers = verifiers
        self._audit = audit
        self._clock = clock
        self._ids = ids

    async def agree(
        self,
        caller: Caller,
        verifier: UUID,
        kind: str,
        *,
        purpose: str,
        fields: Sequence[str] | None = None,
        claims: Sequence[str] = (),
        until: date | None = None,
    ) -> Disclosure:
        """Let a verifier read fields of a kind for a purpose: once within a day, or again and again until a day's end.

        Raises:
            KindUnknown: certificates of this kind are not offered here.
            FieldUnknown: the kind has no such field, or the verifier may not read it for this purpose.
            NothingChosen: neither a field nor a claim was chosen.
            ClaimUnknown: the kind cannot support such a claim.
            VerifierUnknown: no such verifier is registered.
            PurposeRequired: the verifier is not registered for this purpose.
            EndUnusable: the last day is over, or more than a year away.
            DatabaseUnavailable: the database could not be reached.
        """
        definition, now = self._kinds.get(kind), self._clock.now()
        chosen = Selection.choose(definition, fields, claims)
        terms = await self._verifiers.find(verifier)
        require_allowed(terms, purpose, chosen)

        async def work() -> Disclosure:
            rows = await fetch(
                _ADD,
                self._ids.uuid(),
                caller.citizen_id,
                verifier,
                kind,
                list(chosen.names),
                list(chosen.claims),
                purpose,
                until is None,
                now,
                _end(until, now),
            )
            await self._tell(caller, "certificates.disclosure-agreed", rows[0])
            return _disclosure(rows[0], now, terms)

        return await transaction(work)

    async def list_given(self, caller: Caller, *, before: UUID | None, limit: int) -> list[Disclosure]:
        """Return the caller's consents, newest first, at most `limit`, those before one when it is given.

        Raises:
            DatabaseUnavailable: the database could not be reached.
        """
        now, rows = self._clock.now(), await fetch(_LIST, caller.citizen_id, before or _LAST, limit)
        named = {as_uuid(row["verifier_id"]) for row in rows}
        terms = {verifier_id: await self._verifiers.find(verifier_id) for verifier_id in named}
        return [_disclosure(row, now, terms[as_uuid(row["verifier_id"])]) for row in rows]

    async def get(self, caller: Caller, disclosure_id: UUID) -> Disclosure:
        """Return one of the caller's consents.

        Raises:
            NoSuchDisclosure: there is none of the caller's.
            DatabaseUnavailable: the database could not be reached.
        """
        row = await fetch_one(_ONE, disclosure_id, caller.citizen_id)
        if row is None:
            raise NoSuchDisclosure
        terms = await self._verifiers.find(as_uuid(row["verifier_id"]))
        return _disclosure(row, self._clock.now(), terms)

    async def withdraw(self, caller: Caller, disclosure_id: UUID) -> None:
        """Take a consent back: nothing is read on it any more.

        Raises:
            NoSuchDisclosure: there is none of the caller's.
            DisclosureEnded: it is withdrawn, used or has run out already.
            DatabaseUnavailable: the database could not be reached.
        """

        async def work() -> None:
            rows = await fetch(_WITHDRAW, disclosure_id, caller.citizen_id, self._clock.now())
            if not rows:
                raise DisclosureEnded if await fetch_one(_ONE, disclosure_id, caller.citizen_id) else NoSuchDisclosure
            await self._tell(caller, "certificates.disclosure-withdrawn", {**rows[0], "id": disclosure_id})

        await transaction(work)

    async def _tell(self, caller: Caller, action: str, row: Mapping[str, Any]) -> None:
        await self._audit.record(
            action,
            actor=caller.actor,
            subject_id=caller.citizen_id,
            purpose=row["purpose"],
            object_kind=row["kind"],
            object_id=as_uuid(row["id"]),
            field_names=[*as_json(row["field_names"]), *as_json(row["claims"])],
        )


def _end(until: date | None, now: datetime) -> datetime:
    if until is None:
        return now + timedelta(hours=ONCE_HOURS)
    today = china_date(now)
    if not today <= until <= today + timedelta(days=LONGEST_DAYS):
        raise EndUnusable(
            errors=[FieldError("/until", "range", "须在今天之后一年以内", "Has to lie within a year from today")]
        )
    return datetime.combine(until + timedelta(days=1), time(), CHINA).astimezone(UTC)


def _disclosure(row: Mapping[str, Any], now: datetime, terms: VerifierTerms | None) -> Disclosure:
    expires_at = as_moment(row["expires_at"])
    title = None if terms is None else terms.titles.get(row["purpose"])
    standing = Standing.OPEN if expires_at > now else Standing.ENDED
    if row["used_at"] is not None:
        standing = Standing.USED
    if row["withdrawn_at"] is not None:
        standing = Standing.WITHDRAWN
    return Disclosure(
        id=as_uuid(row["id"]),
        verifier_id=as_uuid(row["verifier_id"]),
        verifier="" if terms is None else terms.name,
        kind=row["kind"],
        field_names=tuple(as_json(row["field_names"])),
        claims=tuple(as_json(row["claims"])),
        purpose=row["purpose"],
        once=bool(row["once"]),
        standing=standing,
        given_at=as_moment(row["given_at"]),
        expires_at=expires_at,
        purpose_title=None if title is None else Text(title.zh, title.en),
    )
