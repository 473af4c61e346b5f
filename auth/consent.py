"""Consents: given to one purpose under one version of its text, withdrawn as easily, asked for before each use."""

from typing import Final
from uuid import UUID

from auth.errors import ConsentNeeded
from auth.rules import CONSENTS, consent_required, parse_consent
from auth.texts.consents import IN_FORCE, TEXTS
from auth.types import Caller, Channel, ConsentView
from core.audit.actors import Actor, ActorKind
from core.audit.record import Audit
from core.clock import Clock
from core.db import as_moment, as_uuid, execute, fetch, fetch_one, is_postgres, require_transaction, transaction
from core.ids import Ids
from core.log import current_request_id

# A partial unique index (migrations/auth/_guards.py) lets one consent stand for each text.
_GIVE: Final = """
INSERT INTO consent (id, citizen_id, purpose, version, text_hash, channel, given_by, given_at, request_id)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9) ON CONFLICT DO NOTHING RETURNING id
"""
_STANDS: Final = """
SELECT 1 AS stands FROM consent WHERE citizen_id = $1 AND purpose = $2 AND version = $3 AND withdrawn_at IS NULL
"""
_BY_GUARDIAN: Final = """
SELECT 1 AS stands FROM consent
WHERE citizen_id = $1 AND purpose = $2 AND version = $3 AND withdrawn_at IS NULL AND given_by IS NOT NULL
"""
# A withdrawal at this very moment and what rests on the consent wait for each other; SQLite writes one by one anyhow.
_AND_HOLD: Final = " FOR SHARE"
_WITHDRAW: Final = """
UPDATE consent SET withdrawn_at = $4
WHERE citizen_id = $1 AND purpose = $2 AND version = $3 AND withdrawn_at IS NULL
"""
_LIST: Final = """
SELECT id, purpose, version, text_hash, channel, given_by, given_at, withdrawn_at FROM consent
WHERE citizen_id = $1 AND id < $2 ORDER BY id DESC LIMIT $3
"""
_NEWEST: Final = """
SELECT id, purpose, version, text_hash, channel, given_by, given_at, withdrawn_at FROM consent
WHERE citizen_id = $1 AND purpose = $2 AND withdrawn_at IS NULL ORDER BY id DESC LIMIT 1
"""
_AFTER_ALL: Final = UUID(int=(1 << 128) - 1)


class Consents:
    """What residents have agreed to. A consent is written as `face@1`: the purpose and the version of its text.

    Nothing is remembered between two uses: each asks the database, so a withdrawal holds at once and everywhere.
    """

    def __init__(self, *, audit: Audit, clock: Clock, ids: Ids) -> None:
        self._audit = audit
        self._clock = clock
        self._ids = ids

    def check(self, consent: str, *, purpose: str) -> None:
        """See that what a caller sent is a consent to `purpose` under the text in force; nothing is kept.

        Raises:
            ConsentRequired: it is something else; the problem names the text.
        """
        parse_consent(consent, purpose=purpose)

    async def give(
        self,
        citizen_id: UUID,
        consent: str,
        *,
        actor: Actor | None = None,
        channel: Channel = Channel.ONLINE,
    ) -> bool:
        """Keep a resident's consent, in the running transaction; return whether it is new, and did not stand already.

        `actor` is who has passed it on, where that was not the resident at their own keyboard.

        Raises:
            NoSuchConsent: there is no such text in force.
            OutsideTransaction: no transaction is running.
        """
        require_transaction()
        purpose, version = parse_consent(consent)
        # A guardian stands in the row; an officer who passes it on does so in the ledger alone.
        by_officer = actor is not None and actor.kind is ActorKind.OPERATOR
        is_guardian = actor is not None and actor.kind is ActorKind.CITIZEN and actor.id != str(citizen_id)
        new = await fetch(
            _GIVE,
            self._ids.uuid(),
            citizen_id,
            purpose,
            version,
            IN_FORCE[purpose].sha256,
            (Channel.COUNTER if by_officer else channel).value,
            UUID(actor.id) if actor is not None and is_guardian else None,
            self._clock.now(),
            current_request_id(),
        )
        if new:
            await self._record("auth.consent-given", citizen_id, consent, actor)
        return bool(new)

    async def agree(self, caller: Caller, consent: str) -> tuple[ConsentView, bool]:
        """Keep the caller's consent by itself, before anything rests on it; return it and whether it is new.

        Raises:
            NoSuchConsent: there is no such text in force.
            ConsentRequired: it was withdrawn at this very moment.
            DatabaseUnavailable: the database could not be reached.
        """
        purpose, _ = parse_consent(consent)

        async def work() -> tuple[ConsentView, bool]:
            is_new = await self.give(caller.citizen_id, consent, actor=caller.actor)
            row = await fetch_one(_NEWEST, caller.citizen_id, purpose)
            if row is None:  # Withdrawn within the same moment by another device.
                raise consent_required(purpose)
            return _view(row), is_new

        return await transaction(work)

    async def require(self, citizen_id: UUID, purpose: str, *, hold: bool = False) -> None:
        """See that the resident's consent to a purpose stands, under the text in force.

        With `hold`, inside a transaction, no withdrawal can come between this and the transaction's end.

        Raises:
            ConsentRequired: it was never given, was withdrawn, or was given to an earlier text.
        """
        sql = _STANDS + _AND_HOLD if hold and is_postgres() else _STANDS
        if purpose not in CONSENTS or await fetch_one(sql, citizen_id, purpose, CONSENTS[purpose]) is None:
            raise consent_required(purpose)

    async def has_from_guardian(self, citizen_id: UUID, purpose: str) -> bool:
        """Tell whether a guardian's consent to a purpose stands for this resident, under the text in force.

        Raises:
            DatabaseUnavailable: the database could not be reached.
        """
        return await fetch_one(_BY_GUARDIAN, citizen_id, purpose, CONSENTS[purpose]) is not None

    async def withdraw(self, citizen_id: UUID, consent: str, *, actor: Actor | None = None) -> bool:
        """Take a resident's consent to a text back (`face@1`), one in force or an earlier one; return whether it stood.

        `actor` is who takes it back, where that is not the resident at their own keyboard.

        Raises:
            ConsentNeeded: the account rests on it; closing the account is the way.
            DatabaseUnavailable: the database could not be reached.
        """
        text = next((text for text in TEXTS if text.code == consent), None)
        if text is None:
            return False

        async def work() -> bool:
            if await execute(_WITHDRAW, citizen_id, text.purpose, text.version, self._clock.now()) == 0:
                return False
            if not text.may_be_withdrawn:
                raise ConsentNeeded.with_way_out(text.follows.zh, text.follows.en, text.instead or "")
            await self._record("auth.consent-withdrawn", citizen_id, consent, actor)
            return True

        return await transaction(work)

    async def list_given(self, caller: Caller, *, before: UUID | None = None, limit: int = 20) -> list[ConsentView]:
        """Return the caller's consents, newest first, withdrawn ones too, those before one when it is given.

        Raises:
            DatabaseUnavailable: the database could not be reached.
        """
        return [_view(row) for row in await fetch(_LIST, caller.citizen_id, before or _AFTER_ALL, limit)]

    async def _record(self, action: str, citizen_id: UUID, consent: str, actor: Actor | None) -> None:
        await self._audit.record(
            action,
            actor=actor or Actor.citizen(citizen_id),
            subject_id=citizen_id,
            object_kind="consent",
            object_id=consent,
        )


def _view(row: dict[str, object]) -> ConsentView:
    withdrawn = row["withdrawn_at"]
    return ConsentView(
        id=as_uuid(row["id"]),
        purpose=str(row["purpose"]),
        version=int(str(row["version"])),
        text_hash=str(row["text_hash"]),
        channel=Channel(str(row["channel"])),
        given_by_guardian=row["given_by"] is not None,
        given_at=as_moment(row["given_at"]),
        withdrawn_at=None if withdrawn is None else as_moment(withdrawn),
    )
