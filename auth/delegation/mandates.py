"""Mandates: offered by a principal, accepted by the agent, seen by both, revoked by either at once."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import UTC, timedelta
from typing import Final
from uuid import UUID

from auth.delegation.ending import Ending
from auth.delegation.errors import LinkStateForbids, MandateStateForbids, NoSelfDelegation
from auth.delegation.organisations import Organisations
from auth.delegation.records import Held, Link, Rows
from auth.delegation.rules import check_terms, require_adult, scope_columns, state_now
from auth.delegation.trail import Trail
from auth.delegation.types import LinkState, MandateState, MandateView, Named, Terms
from auth.realname import RealName
from auth.rules import parse_person
from auth.settings import DelegationSettings
from auth.types import Caller, MandateKind, Person, PrincipalKind, ReadPurpose
from core.audit.actors import Actor
from core.cache import Limits
from core.clock import Clock, china_date
from core.db import execute, fetch, fetch_one, require_transaction, transaction
from core.errors import FieldError
from core.ids import Ids

# Takes the tie's lock and changes nothing: whoever ends it waits, and then finds the mandate that rests on it.
_HOLD_LINK: Final = """
UPDATE relative SET state = state
WHERE id = $1 AND state <> 'ended' AND (citizen_id = $2 OR other_id = $2 OR person_mark = $3) RETURNING *
"""
# The same for the representative's mandate under which an organisation's agent is named.
_HOLD_ROOT: Final = """
UPDATE mandate SET state = state WHERE id = $1 AND agent_id = $2 AND state = 'active' AND ends_at > $3 RETURNING *
"""
_OFFER: Final = """
INSERT INTO mandate (id, kind, principal_kind, principal_id, granted_by, agent_mark, agent_name_sealed, relative_id,
                     under_id, certificates, matters, one_time, state, offered_at, ends_at, end_reason)
VALUES ($1, 'agent', $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, 'offered', $12, $13, '') RETURNING id
"""
_ACCEPT: Final = """
UPDATE mandate SET state = 'active', agent_id = $2, accepted_at = $4, agent_name_sealed = NULL
WHERE id = $1 AND state = 'offered' AND agent_mark = $3 AND ends_at > $4
  AND (relative_id IS NULL
       OR EXISTS (SELECT 1 FROM relative WHERE relative.id = mandate.relative_id AND relative.state = 'confirmed'))
  AND (under_id IS NULL
       OR EXISTS (SELECT 1 FROM mandate AS root WHERE root.id = mandate.under_id AND root.state = 'active'))
RETURNING *
"""
_VISIBLE: Final = """
id = $1 AND (principal_id = $2 OR granted_by = $2 OR agent_id = $2 OR (agent_mark = $3 AND state = 'offered'))
"""
_FIND: Final = f"SELECT * FROM mandate WHERE {_VISIBLE}"  # noqa: S608 — constant text
_TAKE: Final = f"UPDATE mandate SET state = state WHERE {_VISIBLE} RETURNING *"  # noqa: S608 — constant text
_AS_AGENT: Final = """
SELECT * FROM mandate
WHERE (agent_id = $1 OR (agent_mark = $2 AND state = 'offered')) AND id > $3 ORDER BY id LIMIT $4
"""
_AS_PRINCIPAL: Final = """
SELECT * FROM mandate WHERE (principal_id = $1 OR granted_by = $1) AND id > $2 ORDER BY id LIMIT $3
"""
_REFUSE: Final = """
UPDATE mandate SET state = 'refused', agent_id = $2, ended_at = $3, end_reason = 'refused', agent_name_sealed = NULL
WHERE id = $1 AND state = 'offered'
"""
_LIVE: Final = frozenset({MandateState.OFFERED, MandateState.ACTIVE, MandateState.USED})
_FIRST: Final = UUID(int=0)


@dataclass(frozen=True, slots=True)
class _Offer:
    """Who gives what to whom, and on what it rests."""

    principal: PrincipalKind
    principal_id: UUID
    agent: Named
    terms: Terms
    relative_id: UUID | None = None
    under_id: UUID | None = None


class Mandates:
    """What principals give to agents. Whether a mandate is over is looked at whenever it is used."""

    def __init__(
        self,
        *,
        organisations: Organisations,
        realname: RealName,
        ending: Ending,
        rows: Rows,
        trail: Trail,
        limits: Limits,
        clock: Clock,
        ids: Ids,
        settings: DelegationSettings,
    ) -> None:
        self._organisations = organisations
        self._realname = realname
        self._ending = ending
        self._rows = rows
        self._trail = trail
        self._limits = limits
        self._clock = clock
        self._ids = ids
        self._settings = settings

    async def offer_to_relative(self, caller: Caller, relative_id: UUID, terms: Terms) -> MandateView | None:
        """Offer a mandate to a relative; None when the caller has no such tie.

        Raises:
            MandateInvalid: scope or end cannot be.
            LinkStateForbids: the tie is not confirmed.
            TooYoung: one of the two is under 18.
            LevelTooLow: the caller has no real name yet.
            TooManyRequests: too many offers within the day.
        """
        terms = await self._checked(caller, terms)
        me = await self._realname.person_of(caller.citizen_id, ReadPurpose.DELEGATION)
        today = china_date(self._clock.now())
        require_adult(me.id_number, today)

        async def work() -> UUID | None:
            row = await fetch_one(_HOLD_LINK, relative_id, caller.citizen_id, self._hash(me))
            if row is None:
                return None
            link = self._rows.link(row)
            if link.state is not LinkState.CONFIRMED:
                raise LinkStateForbids
            agent = await self._other_side(caller, link)
            require_adult(agent.id_number, today)
            offer = _Offer(PrincipalKind.CITIZEN, caller.citizen_id, agent, terms, relative_id=relative_id)
            return await self._offer(caller, offer)

        mandate_id = await transaction(work)
        return None if mandate_id is None else await self.find(caller, mandate_id)

    async def offer_for_organisation(
        self, caller: Caller, organisation_id: UUID, terms: Terms, *, name: str, id_number: str
    ) -> MandateView | None:
        """Offer a mandate of an organisation that the caller represents; None when they represent no such one.

        Whether anybody is called so, or has an account, is not told.

        Raises:
            MandateInvalid: scope or end cannot be.
            IdNumberInvalid: the number cannot be one.
            NameInvalid: the name cannot be one.
            NoSelfDelegation: it is the caller's own number.
            TooYoung: by the number the agent is under 18.
            MandateMissing: the register names the caller no more.
            BusinessRegisterUnavailable: that has to be confirmed and the register is away.
            TooManyRequests: too many offers within the day.
        """
        terms = await self._checked(caller, terms)
        agent = Named(*parse_person(name, id_number))
        me = await self._realname.person_of(caller.citizen_id, ReadPurpose.DELEGATION)
        if me.id_number == agent.id_number:
            wrong = FieldError("/agent/id_number", "own", "这是您自己的号码", "This is your own number")
            raise NoSelfDelegation(errors=[wrong])
        require_adult(agent.id_number, china_date(self._clock.now()))
        root = await self._organisations.mandate_of(caller.citizen_id, organisation_id)
        if root is None:
            return None

        async def work() -> UUID:
            if await fetch_one(_HOLD_ROOT, root.id, caller.citizen_id, self._clock.now()) is None:
                raise MandateStateForbids
            within = replace(terms, ends_at=min(terms.ends_at, root.ends_at))
            offer = _Offer(PrincipalKind.ORGANISATION, organisation_id, agent, within, under_id=root.id)
            return await self._offer(caller, offer)

        return await self.find(caller, await transaction(work))

    async def accept(self, caller: Caller, mandate_id: UUID) -> MandateView | None:
        """Accept a mandate that was offered to the caller; None when there is none for them.

        Raises:
            MandateStateForbids: it is not on offer any more, or it is the caller's own offer.
            TooYoung: the caller is under 18.
            LevelTooLow: the caller has no real name yet.
        """
        me = await self._realname.person_of(caller.citizen_id, ReadPurpose.DELEGATION)
        now = self._clock.now()
        if await self.find(caller, mandate_id) is None:
            return None
        require_adult(me.id_number, china_date(now))

        async def work() -> None:
            row = await fetch_one(_ACCEPT, mandate_id, caller.citizen_id, self._hash(me), now)
            if row is None:
                raise MandateStateForbids
            held = self._rows.mandate(row)
            subjects = {held.principal_id, caller.citizen_id, *([held.granted_by] if held.granted_by else [])}
            await self._tell("auth.mandate-accepted", caller.actor, held.id, sorted(subjects))

        await transaction(work)
        return await self.find(caller, mandate_id)

    async def list_mandates(
        self, caller: Caller, *, as_agent: bool, after: UUID | None = None, limit: int = 20
    ) -> list[MandateView]:
        """Return what the caller was given, or has given, oldest first, at most `limit`, those after one when given.

        Raises:
            LevelTooLow: the caller has no real name yet.
            DatabaseUnavailable: the database could not be reached.
        """
        me = await self._realname.person_of(caller.citizen_id, ReadPurpose.DELEGATION)
        rows = await (
            fetch(_AS_AGENT, caller.citizen_id, self._hash(me), after or _FIRST, limit)
            if as_agent
            else fetch(_AS_PRINCIPAL, caller.citizen_id, after or _FIRST, limit)
        )
        return [await self._view(caller, self._rows.mandate(row)) for row in rows]

    async def find(self, caller: Caller, mandate_id: UUID) -> MandateView | None:
        """Return one mandate of which the caller is a side; None when there is none.

        Raises:
            LevelTooLow: the caller has no real name yet.
            DatabaseUnavailable: the database could not be reached.
        """
        me = await self._realname.person_of(caller.citizen_id, ReadPurpose.DELEGATION)
        row = await fetch_one(_FIND, mandate_id, caller.citizen_id, self._hash(me))
        return None if row is None else await self._view(caller, self._rows.mandate(row))

    async def revoke(self, caller: Caller, mandate_id: UUID) -> bool:
        """End a mandate at once, from either side; an offer is refused by whom it was made to. False: there is none.

        Raises:
            MandateStateForbids: it has ended already, or a ward wants to end a guardianship.
            LevelTooLow: the caller has no real name yet.
        """
        me = await self._realname.person_of(caller.citizen_id, ReadPurpose.DELEGATION)
        my_hash = self._hash(me)

        async def work() -> bool:
            row = await fetch_one(_TAKE, mandate_id, caller.citizen_id, my_hash)
            if row is None:
                return False
            held = self._rows.mandate(row)
            is_giver = caller.citizen_id in {held.principal_id, held.granted_by}
            if held.state not in _LIVE or (held.kind is MandateKind.GUARDIAN and is_giver):
                raise MandateStateForbids
            if held.state is MandateState.OFFERED and not is_giver:
                await self._refuse(caller, held)
            else:
                await self._ending.end_one(
                    held.id,
                    state=MandateState.REVOKED.value,
                    reason="by-principal" if is_giver else "by-agent",
                    actor=caller.actor,
                    action="auth.mandate-revoked",
                )
            return True

        return await transaction(work)

    async def _other_side(self, caller: Caller, link: Link) -> Named:
        """Return the other one of a tie, from their account or, where they have none yet, as they were named."""
        other_id = link.other_id if link.citizen_id == caller.citizen_id else link.citizen_id
        if other_id is not None:
            return _named(await self._realname.person_of(other_id, ReadPurpose.DELEGATION))
        other = await self._rows.open_other(link)
        if other is None:
            raise LinkStateForbids
        return other

    async def _refuse(self, caller: Caller, held: Held) -> None:
        await execute(_REFUSE, held.id, caller.citizen_id, self._clock.now())
        await self._tell("auth.mandate-refused", caller.actor, held.id, (held.principal_id, caller.citizen_id))

    async def _checked(self, caller: Caller, terms: Terms) -> Terms:
        check_terms(terms, self._clock.now(), longest=timedelta(days=self._settings.longest_days))
        await self._limits.hit("auth.mandate", self._settings.mandate_account, f"citizen:{caller.citizen_id}")
        # Moments are kept and compared in one zone.
        return replace(terms, ends_at=terms.ends_at.astimezone(UTC))

    async def _offer(self, caller: Caller, offer: _Offer) -> UUID:
        require_transaction()
        mandate_id, terms = self._ids.uuid(), offer.terms
        certificates, matters = scope_columns(terms.scope)
        await fetch(
            _OFFER,
            mandate_id,
            offer.principal.value,
            offer.principal_id,
            caller.citizen_id,
            self._rows.person_mark(offer.agent),
            await self._rows.seal_agent(caller.citizen_id, mandate_id, offer.agent.name),
            offer.relative_id,
            offer.under_id,
            certificates,
            matters,
            terms.one_time,
            self._clock.now(),
            terms.ends_at,
        )
        on_behalf_of = offer.principal_id if offer.principal_id != caller.citizen_id else None
        actor = Actor.citizen(caller.actor_id, on_behalf_of=on_behalf_of)
        both = (offer.principal_id, await self._trail.holder_of(offer.agent))
        await self._tell("auth.mandate-offered", actor, mandate_id, both)
        return mandate_id

    async def _view(self, caller: Caller, held: Held) -> MandateView:
        is_organisation = held.principal is PrincipalKind.ORGANISATION
        principal_name = (
            await self._organisations.name_of(held.principal_id)
            if is_organisation
            else await self._trail.masked_name_of(held.principal_id)
        )
        if held.agent_id is not None:
            agent_name = await self._trail.masked_name_of(held.agent_id)
        else:
            named = await self._rows.open_agent(held)
            agent_name = "" if named is None else named.masked()
        return MandateView(
            id=held.id,
            kind=held.kind,
            state=state_now(held.state, held.ends_at, self._clock.now()),
            is_agent=caller.citizen_id not in {held.principal_id, held.granted_by},
            principal=held.principal,
            principal_name=principal_name,
            organisation_id=held.principal_id if is_organisation else None,
            agent_name=agent_name,
            scope=held.scope,
            one_time=held.one_time,
            offered_at=held.offered_at,
            accepted_at=held.accepted_at,
            ends_at=held.ends_at,
            ended_at=held.ended_at,
            end_reason=held.end_reason,
        )

    async def _tell(self, action: str, actor: Actor, mandate_id: UUID, subjects: Iterable[UUID | None]) -> None:
        await self._trail.tell(action, actor=actor, subjects=subjects, object_kind="mandate", object_id=mandate_id)

    def _hash(self, me: Person) -> str:
        return self._rows.person_mark(_named(me))


def _named(person: Person) -> Named:
    return Named(person.name, person.id_number)
