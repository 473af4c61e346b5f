"""Consents: given to one purpose under one version of its text, withdrawn as easily, asked for before each use."""

from typing import Final
from uuid import UUID

from auth.rules import CONSENTS, consent_required, parse_consent
from core.audit.actors import Actor, ActorKind
from core.audit.record import Audit
from core.clock import Clock
from core.db import execute, fetch, fetch_one, require_transaction, transaction
from core.ids import Ids
from core.log import current_request_id

# A partial unique index (migrations/auth/guards.py) lets one consent stand for each text.
_GIVE: Final = """
INSERT INTO consent (id, citizen_id, purpose, version, given_at, request_id, given_by)
VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT DO NOTHING RETURNING id
"""
_STANDS: Final = """
SELECT 1 AS stands FROM consent WHERE citizen_id = $1 AND purpose = $2 AND version = $3 AND withdrawn_at IS NULL
"""
_BY_GUARDIAN: Final = """
SELECT 1 AS stands FROM consent
WHERE citizen_id = $1 AND purpose = $2 AND version = $3 AND withdrawn_at IS NULL AND given_by IS NOT NULL
"""
_WITHDRAW: Final = """
UPDATE consent SET withdrawn_at = $3 WHERE citizen_id = $1 AND purpose = $2 AND withdrawn_at IS NULL
"""


class Consents:
    """What residents have agreed to. A consent is written as `face@1`: the purpose and the version of its text."""

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

    async def give(self, citizen_id: UUID, consent: str, *, actor: Actor | None = None) -> None:
        """Keep a resident's consent, in the running transaction; one that stands already is left alone.

        `actor` is who has passed it on, where that was not the resident at their own keyboard.

        Raises:
            ConsentRequired: there is no such text in force.
            OutsideTransaction: no transaction is running.
        """
        require_transaction()
        purpose, version = parse_consent(consent)
        now = self._clock.now()
        # A guardian stands in the row; an officer who passes it on does so in the ledger alone.
        is_guardian = actor is not None and actor.kind is ActorKind.CITIZEN and actor.id != str(citizen_id)
        given_by = UUID(actor.id) if actor is not None and is_guardian else None
        new = await fetch(_GIVE, self._ids.uuid(), citizen_id, purpose, version, now, current_request_id(), given_by)
        if new:
            await self._record("auth.consent-given", citizen_id, consent, actor)

    async def require(self, citizen_id: UUID, purpose: str) -> None:
        """See that the resident's consent to a purpose stands, under the text in force.

        Raises:
            ConsentRequired: it was never given, was withdrawn, or was given to an earlier text.
        """
        if purpose not in CONSENTS or await fetch_one(_STANDS, citizen_id, purpose, CONSENTS[purpose]) is None:
            raise consent_required(purpose)

    async def has_from_guardian(self, citizen_id: UUID, purpose: str) -> bool:
        """Tell whether a guardian's consent to a purpose stands for this resident, under the text in force.

        Raises:
            DatabaseUnavailable: the database could not be reached.
        """
        return await fetch_one(_BY_GUARDIAN, citizen_id, purpose, CONSENTS[purpose]) is not None

    async def withdraw(self, citizen_id: UUID, purpose: str, *, actor: Actor | None = None) -> bool:
        """Take a resident's consent back, for all its texts; return whether one stood.

        Raises:
            DatabaseUnavailable: the database could not be reached.
        """

        async def work() -> bool:
            withdrawn = await execute(_WITHDRAW, citizen_id, purpose, self._clock.now()) > 0
            if withdrawn:
                await self._record("auth.consent-withdrawn", citizen_id, purpose, actor)
            return withdrawn

        return await transaction(work)

    async def _record(self, action: str, citizen_id: UUID, consent: str, actor: Actor | None = None) -> None:
        await self._audit.record(
            action,
            actor=actor or Actor.citizen(citizen_id),
            subject_id=citizen_id,
            object_kind="consent",
            object_id=consent,
        )
