"""Organisations: who represents them by the business register, and for which of them somebody may act."""

from dataclasses import replace
from datetime import timedelta
from typing import Final
from uuid import UUID

from auth.delegation.attempts import Attempts
from auth.delegation.ending import Ending
from auth.delegation.errors import MandateStateForbids, NotRepresentative
from auth.delegation.ports import BusinessRegister
from auth.delegation.records import Held, Rows
from auth.delegation.rules import parse_organisation_name, parse_uscc
from auth.delegation.trail import Trail
from auth.delegation.types import MandateState, Named, OrganisationView
from auth.errors import MandateMissing
from auth.realname import RealName
from auth.settings import DelegationSettings
from auth.types import Caller, MandateKind, ReadPurpose
from core.audit.actors import SYSTEM, Actor
from core.clock import Clock
from core.db import as_moment, as_uuid, execute, fetch, fetch_one, transaction
from core.ids import Ids

_ADD: Final = """
INSERT INTO organisation (id, uscc, name, created_at) VALUES ($1, $2, $3, $4)
ON CONFLICT (uscc) DO UPDATE SET name = excluded.name RETURNING id
"""
_NAME: Final = "SELECT uscc, name FROM organisation WHERE id = $1"
_REPRESENT: Final = """
INSERT INTO mandate (id, kind, principal_kind, principal_id, agent_id, agent_mark, one_time, state, offered_at,
                     accepted_at, ends_at, end_reason, checked_at)
VALUES ($1, 'representative', 'organisation', $2, $3, $4, $5, 'active', $6, $6, $7, '', $6)
ON CONFLICT DO NOTHING RETURNING id
"""
_RENEW: Final = """
UPDATE mandate SET ends_at = $3, checked_at = $4
WHERE principal_id = $1 AND agent_id = $2 AND kind = 'representative' AND state = 'active' RETURNING id
"""
_CHECKED: Final = "UPDATE mandate SET checked_at = $2 WHERE id = $1"
_ROOT: Final = """
SELECT * FROM mandate
WHERE principal_id = $1 AND agent_id = $2 AND kind = 'representative' AND state = 'active' AND ends_at > $3
"""
_BY_ID: Final = "SELECT * FROM mandate WHERE id = $1"
_LIST: Final = """
SELECT mandate.id AS mandate_id, mandate.kind, mandate.ends_at, organisation.id, organisation.uscc, organisation.name
FROM mandate JOIN organisation ON organisation.id = mandate.principal_id
WHERE mandate.agent_id = $1 AND mandate.principal_kind = 'organisation' AND mandate.state IN ('active', 'used')
  AND mandate.ends_at > $2 AND mandate.id > $3
ORDER BY mandate.id LIMIT $4
"""
_FIRST: Final = UUID(int=0)


class Organisations:
    """Organisations and their legal representatives. The register's word counts for a while, then it is asked again."""

    def __init__(
        self,
        *,
        register: BusinessRegister,
        realname: RealName,
        attempts: Attempts,
        ending: Ending,
        rows: Rows,
        trail: Trail,
        clock: Clock,
        ids: Ids,
        settings: DelegationSettings,
    ) -> None:
        self._register = register
        self._realname = realname
        self._attempts = attempts
        self._ending = ending
        self._rows = rows
        self._trail = trail
        self._clock = clock
        self._ids = ids
        self._settings = settings

    async def add(self, caller: Caller, *, uscc: str, name: str) -> tuple[OrganisationView, bool]:
        """Let the caller act for an organisation that they represent; return it and whether that is new.

        Raises:
            UsccInvalid: the code cannot be one.
            NotRepresentative: the register does not name the caller; also for an organisation that it does not know.
            BusinessRegisterUnavailable: the register could not be reached.
            LevelTooLow: the caller has no real name yet.
            TooManyRequests: this account or this code was tried too often.
        """
        code, called = parse_uscc(uscc), parse_organisation_name(name)
        person = await self._realname.person_of(caller.citizen_id, ReadPurpose.DELEGATION)
        me = Named(person.name, person.id_number)
        await self._attempts.start(caller.citizen_id, self._rows.attempt_key("organisation", code))
        if not await self._register.represents(me, uscc=code, name=called):
            await transaction(lambda: self._tell_refused(caller))
            raise NotRepresentative
        return await transaction(lambda: self._represent(caller, me, code, called))

    async def list_organisations(
        self, caller: Caller, *, after: UUID | None = None, limit: int = 20
    ) -> list[OrganisationView]:  # fmt: skip
        """Return for which organisations the caller may act, at most `limit`, those after a mandate when it is given.

        Raises:
            DatabaseUnavailable: the database could not be reached.
        """
        rows = await fetch(_LIST, caller.citizen_id, self._clock.now(), after or _FIRST, limit)
        return [
            OrganisationView(
                id=as_uuid(row["id"]),
                uscc=row["uscc"],
                name=row["name"],
                mandate_id=as_uuid(row["mandate_id"]),
                kind=MandateKind(row["kind"]),
                ends_at=as_moment(row["ends_at"]),
            )
            for row in rows
        ]

    async def of(self, caller: Caller) -> OrganisationView:
        """Return the organisation for which this caller acts.

        Raises:
            MandateMissing: the caller acts for no organisation.
            DatabaseUnavailable: the database could not be reached.
        """
        row = await fetch_one(_BY_ID, caller.mandate.id) if caller.mandate is not None else None
        named = await fetch_one(_NAME, caller.citizen_id)
        if row is None or named is None:
            raise MandateMissing
        held = self._rows.mandate(row)
        return OrganisationView(held.principal_id, named["uscc"], named["name"], held.id, held.kind, held.ends_at)

    async def name_of(self, organisation_id: UUID) -> str:
        """Return what an organisation is called; an empty text when there is none.

        Raises:
            DatabaseUnavailable: the database could not be reached.
        """
        row = await fetch_one(_NAME, organisation_id)
        return "" if row is None else str(row["name"])

    async def mandate_of(self, citizen_id: UUID, organisation_id: UUID) -> Held | None:
        """Return the mandate by which somebody represents an organisation, confirmed; None when they do not.

        Raises:
            MandateMissing: the register names them no more.
            BusinessRegisterUnavailable: that has to be confirmed and the register is away.
        """
        row = await fetch_one(_ROOT, organisation_id, citizen_id, self._clock.now())
        if row is None:
            return None
        held = self._rows.mandate(row)
        await self._confirm(held)
        return held

    async def require(self, held: Held) -> None:
        """See that a mandate of an organisation rests on somebody whom the register still names.

        Raises:
            MandateMissing: it does not; the representative's mandate ends, and all that was given under it.
            BusinessRegisterUnavailable: the last word is too old and the register is away.
        """
        root = held
        if held.under_id is not None:
            row = await fetch_one(_BY_ID, held.under_id)
            if row is None:
                raise MandateMissing
            root = self._rows.mandate(row)
        if not root.is_usable(self._clock.now()):
            raise MandateMissing
        await self._confirm(root)

    async def _confirm(self, root: Held) -> None:
        now = self._clock.now()
        if root.checked_at is not None and now - root.checked_at < timedelta(hours=self._settings.representative_hours):
            return
        named = await fetch_one(_NAME, root.principal_id)
        if named is None or root.agent_id is None:
            raise MandateMissing
        person = await self._realname.person_of(root.agent_id, ReadPurpose.DELEGATION)
        me = Named(person.name, person.id_number)
        if await self._register.represents(me, uscc=named["uscc"], name=named["name"]):
            await transaction(lambda: execute(_CHECKED, root.id, now))
            return
        await transaction(
            lambda: self._ending.end_one(
                root.id,
                state=MandateState.ENDED.value,
                reason="register",
                actor=SYSTEM,
                action="auth.mandate-ended",
            )
        )
        raise MandateMissing

    async def _represent(self, caller: Caller, me: Named, code: str, name: str) -> tuple[OrganisationView, bool]:
        now = self._clock.now()
        ends_at = now + timedelta(days=self._settings.longest_days)
        rows = await fetch(_ADD, self._ids.uuid(), code, name, now)
        organisation_id = as_uuid(rows[0]["id"])
        view = OrganisationView(organisation_id, code, name, organisation_id, MandateKind.REPRESENTATIVE, ends_at)
        renewed = await fetch_one(_RENEW, organisation_id, caller.citizen_id, ends_at, now)
        if renewed is not None:
            return replace(view, mandate_id=as_uuid(renewed["id"])), False
        mandate_id = self._ids.uuid()
        new = await fetch(
            _REPRESENT,
            mandate_id,
            organisation_id,
            caller.citizen_id,
            self._rows.person_mark(me),
            False,
            now,
            ends_at,
        )
        if not new:  # Somebody's second tap was quicker.
            raise MandateStateForbids
        await self._trail.tell(
            "auth.representative-named",
            actor=Actor.citizen(caller.actor_id, on_behalf_of=organisation_id),
            subjects=(organisation_id, caller.citizen_id),
            object_kind="mandate",
            object_id=mandate_id,
        )
        return replace(view, mandate_id=mandate_id), True

    async def _tell_refused(self, caller: Caller) -> None:
        await self._trail.tell(
            "auth.representative-refused",
            actor=caller.actor,
            subjects=(caller.citizen_id,),
            object_kind="organisation",
            object_id=caller.citizen_id,
            outcome="not-representative",
        )
