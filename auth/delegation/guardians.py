"""Guardians: who acts for a child, or for an adult without legal capacity, by the word of the register alone."""

from datetime import timedelta
from typing import Final
from uuid import UUID

from auth.consent import Consents
from auth.delegation.ending import Ending
from auth.delegation.ports import KinshipRegister
from auth.delegation.records import Held, Rows
from auth.delegation.rules import birthday
from auth.delegation.trail import Trail
from auth.delegation.types import Guardianship, MandateState, Named, Ward
from auth.errors import MandateMissing
from auth.realname import RealName
from auth.settings import DelegationSettings
from auth.types import Caller, Person, ReadPurpose
from core.audit.actors import SYSTEM, Actor
from core.clock import Clock, china_date
from core.db import as_uuid, execute, fetch, fetch_one, require_transaction, transaction
from core.ids import Ids

_APPOINT: Final = """
INSERT INTO mandate (id, kind, principal_kind, principal_id, agent_id, agent_mark, relative_id, one_time, state,
                     offered_at, accepted_at, ends_at, end_reason, checked_at)
VALUES ($1, 'guardian', 'citizen', $2, $3, $4, $5, $6, 'active', $7, $7, $8, '', $7)
ON CONFLICT DO NOTHING RETURNING id
"""
_RENEW: Final = """
UPDATE mandate SET ends_at = $3, checked_at = $4, relative_id = $5
WHERE principal_id = $1 AND agent_id = $2 AND kind = 'guardian' AND state = 'active'
"""
_OVER: Final = """
UPDATE mandate SET state = 'ended', ended_at = $3, end_reason = 'over'
WHERE principal_id = $1 AND agent_id = $2 AND kind = 'guardian' AND state = 'active' AND ends_at <= $3
"""
_ON_LINK: Final = """
SELECT id FROM mandate WHERE relative_id = $1 AND kind = 'guardian' AND state = 'active' AND ends_at > $2
"""
_CHECKED: Final = "UPDATE mandate SET checked_at = $2 WHERE id = $1"
_MINE: Final = "SELECT * FROM mandate WHERE id = $1 AND agent_id = $2 AND kind = 'guardian' AND state = 'active'"


class Guardians:
    """Guardians' mandates: full scope, no acceptance, until a birthday, and only while the register says so."""

    def __init__(
        self,
        *,
        register: KinshipRegister,
        realname: RealName,
        consents: Consents,
        ending: Ending,
        rows: Rows,
        trail: Trail,
        clock: Clock,
        ids: Ids,
        settings: DelegationSettings,
    ) -> None:
        self._register = register
        self._realname = realname
        self._consents = consents
        self._ending = ending
        self._rows = rows
        self._trail = trail
        self._clock = clock
        self._ids = ids
        self._settings = settings

    def is_needed(self, ward: Named, guardianship: Guardianship) -> bool:
        """Tell whether a guardian acts for somebody: an adult whom the register names, or a child under the age set."""
        if guardianship is Guardianship.MINOR:
            age = ward.id_number.age_on(china_date(self._clock.now()))
            return age < self._settings.guardian_until_age
        return guardianship is Guardianship.ADULT

    async def appoint(self, caller: Caller, me: Named, link_id: UUID, ward: Ward) -> None:
        """Give the caller the guardian's mandate for a ward, in the running transaction; a standing one is renewed.

        Raises:
            OutsideTransaction: no transaction is running.
        """
        require_transaction()
        now = self._clock.now()
        ends_at = now + timedelta(days=self._settings.longest_days)
        if ward.guardianship is Guardianship.MINOR:
            ends_at = birthday(ward.person.id_number, self._settings.guardian_until_age)
        await execute(_OVER, ward.citizen_id, caller.citizen_id, now)
        mandate_id = self._ids.uuid()
        new = await fetch(
            _APPOINT,
            mandate_id,
            ward.citizen_id,
            caller.citizen_id,
            self._rows.person_mark(me),
            link_id,
            False,
            now,
            ends_at,
        )
        if not new:
            await execute(_RENEW, ward.citizen_id, caller.citizen_id, ends_at, now, link_id)
            return
        await self._trail.tell(
            "auth.guardian-named",
            actor=caller.actor,
            subjects=(ward.citizen_id, caller.citizen_id),
            object_kind="mandate",
            object_id=mandate_id,
            outcome=ward.guardianship.value,
        )

    async def mandate_on(self, link_id: UUID) -> UUID | None:
        """Return the guardian's mandate that rests on a tie between relatives, if there is one.

        Raises:
            DatabaseUnavailable: the database could not be reached.
        """
        row = await fetch_one(_ON_LINK, link_id, self._clock.now())
        return None if row is None else as_uuid(row["id"])

    async def require(self, held: Held) -> None:
        """See that a guardian is still one; the register is asked when its last word is too old.

        Raises:
            MandateMissing: the register names them no more; the mandate ends with it.
            KinshipUnavailable: the last word is too old and the register is away.
        """
        now = self._clock.now()
        if held.checked_at is not None and now - held.checked_at < timedelta(hours=self._settings.guardian_hours):
            return
        agent_id = held.agent_id
        if agent_id is None:
            raise MandateMissing
        guardian = await self._realname.person_of(agent_id, ReadPurpose.DELEGATION)
        ward = await self._realname.person_of(held.principal_id, ReadPurpose.DELEGATION)
        kinship = await self._register.ask(_named(guardian), _named(ward))
        if kinship.guardianship is not Guardianship.NONE:
            await transaction(lambda: execute(_CHECKED, held.id, now))
            return
        await transaction(
            lambda: self._ending.end_one(
                held.id,
                state=MandateState.ENDED.value,
                reason="register",
                actor=SYSTEM,
                action="auth.mandate-ended",
            )
        )
        raise MandateMissing

    async def consent(self, caller: Caller, mandate_id: UUID, consent: str) -> None:
        """Consent in the ward's place, where the ward may not consent alone.

        Raises:
            MandateMissing: the caller is not the guardian by this mandate.
            NoSuchConsent: there is no such text in force.
            KinshipUnavailable: the guardianship has to be confirmed and the register is away.
        """
        held = await self._mine(caller, mandate_id)
        guardian = Actor.citizen(caller.actor_id, on_behalf_of=held.principal_id)
        await transaction(lambda: self._consents.give(held.principal_id, consent, actor=guardian))

    async def withdraw(self, caller: Caller, mandate_id: UUID, consent: str) -> bool:
        """Take a consent of the ward back; return whether one stood.

        Raises:
            ConsentNeeded: the ward's account rests on it.
            MandateMissing: the caller is not the guardian by this mandate.
            KinshipUnavailable: the guardianship has to be confirmed and the register is away.
        """
        held = await self._mine(caller, mandate_id)
        guardian = Actor.citizen(caller.actor_id, on_behalf_of=held.principal_id)
        return await self._consents.withdraw(held.principal_id, consent, actor=guardian)

    async def _mine(self, caller: Caller, mandate_id: UUID) -> Held:
        row = await fetch_one(_MINE, mandate_id, caller.citizen_id)
        held = None if row is None else self._rows.mandate(row)
        if held is None or not held.is_usable(self._clock.now()):
            raise MandateMissing
        await self.require(held)
        return held


def _named(person: Person) -> Named:
    return Named(person.name, person.id_number)
