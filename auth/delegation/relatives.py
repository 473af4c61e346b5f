"""Relatives: named by one, confirmed by the register of kinship or by the other one, ended by either."""

from typing import Final
from uuid import UUID

from auth.consent import Consents
from auth.delegation.attempts import Attempts
from auth.delegation.ending import Ending
from auth.delegation.errors import KinshipUnavailable, LinkStateForbids, NoSelfDelegation
from auth.delegation.guardians import Guardians
from auth.delegation.ports import KinshipRegister
from auth.delegation.records import Link, Rows
from auth.delegation.rules import require_adult
from auth.delegation.trail import Trail
from auth.delegation.types import Kinship, LinkState, Named, Relation, RelativeView, Ward
from auth.errors import IdentityMismatch, RegistryRefused, RegistryUnavailable
from auth.realname import RealName
from auth.rules import parse_person
from auth.types import Caller, Person, ReadPurpose
from core.clock import Clock, china_date
from core.db import execute, fetch, fetch_one, transaction
from core.errors import FieldError
from core.ids import Ids
from core.log import get_logger

log = get_logger(__name__)

_ADD: Final = """
INSERT INTO relative (id, citizen_id, person_mark, number_hash, name_sealed, id_number_sealed, relation, state, basis,
                      asked_at)
VALUES ($1, $2, $3, $4, $5, $6, $7, 'waiting', '', $8) ON CONFLICT DO NOTHING RETURNING id
"""
_ASKED: Final = "SELECT * FROM relative WHERE citizen_id = $1 AND person_mark = $2 AND state <> 'ended'"
_BY_REGISTER: Final = """
UPDATE relative SET state = 'confirmed', basis = 'register', relation = $2, other_id = $3, confirmed_at = $4
WHERE id = $1 AND state = 'waiting' RETURNING id
"""
# Who is known by their account is told from there: nothing of them stays with the one who asked.
_KNOWN: Final = "UPDATE relative SET name_sealed = NULL, id_number_sealed = NULL WHERE id = $1 AND other_id IS NOT NULL"
_CONFIRM: Final = """
UPDATE relative SET state = 'confirmed', basis = 'both', other_id = $2, confirmed_at = $4, name_sealed = NULL,
                    id_number_sealed = NULL
WHERE id = $1 AND state = 'waiting' AND person_mark = $3 RETURNING *
"""
_MINE: Final = """
SELECT * FROM relative
WHERE id = $1 AND state <> 'ended' AND (citizen_id = $2 OR other_id = $2 OR person_mark = $3)
"""
_LIST: Final = """
SELECT * FROM relative
WHERE (citizen_id = $1 OR other_id = $1 OR person_mark = $2) AND state <> 'ended' AND id > $3 ORDER BY id LIMIT $4
"""
_END: Final = """
UPDATE relative SET state = 'ended', ended_at = $2, name_sealed = NULL, id_number_sealed = NULL
WHERE id = $1 AND state <> 'ended' RETURNING id
"""
_FIRST: Final = UUID(int=0)


class Relatives:
    """Ties between relatives.

    Asking never tells whether the other one exists: a tie waits alike for everybody whom the register does not name.
    Only who has both the number and the name that were given finds it.
    """

    def __init__(
        self,
        *,
        register: KinshipRegister,
        guardians: Guardians,
        ending: Ending,
        realname: RealName,
        consents: Consents,
        attempts: Attempts,
        rows: Rows,
        trail: Trail,
        clock: Clock,
        ids: Ids,
    ) -> None:
        self._register = register
        self._guardians = guardians
        self._ending = ending
        self._realname = realname
        self._consents = consents
        self._attempts = attempts
        self._rows = rows
        self._trail = trail
        self._clock = clock
        self._ids = ids

    async def add(
        self, caller: Caller, *, relation: Relation, name: str, id_number: str, consent: str
    ) -> tuple[RelativeView, bool]:
        """Ask for a tie with somebody; return it and whether it is new. Asking again asks the register again.

        Raises:
            ConsentRequired: the consent is not to this purpose's text.
            IdNumberInvalid: the number cannot be one.
            NameInvalid: the name cannot be one.
            NoSelfDelegation: it is the caller's own number.
            LevelTooLow: the caller has no real name yet.
            TooManyRequests: this account or this number was tried too often.
        """
        self._consents.check(consent, purpose="delegation")
        other = Named(*parse_person(name, id_number))
        me = await self._realname.person_of(caller.citizen_id, ReadPurpose.DELEGATION)
        if me.id_number == other.id_number:
            wrong = FieldError("/id_number", "own", "这是您自己的号码", "This is your own number")
            raise NoSelfDelegation(errors=[wrong])
        await self._attempts.start(caller.citizen_id, self._rows.attempt_key("relative", other.id_number.reveal()))
        link_id, is_new = await transaction(lambda: self._ask(caller, other, relation, consent))
        await self._ask_register(caller, _named(me), other, link_id)
        view = await self.find(caller, link_id)
        if view is None:  # The other one has ended it at this very moment.
            raise LinkStateForbids
        return view, is_new

    async def list_relatives(
        self, caller: Caller, *, after: UUID | None = None, limit: int = 20
    ) -> list[RelativeView]:  # fmt: skip
        """Return the caller's ties in both directions, oldest first, at most `limit`, those after one when given.

        Raises:
            LevelTooLow: the caller has no real name yet.
            DatabaseUnavailable: the database could not be reached.
        """
        me = await self._realname.person_of(caller.citizen_id, ReadPurpose.DELEGATION)
        rows = await fetch(_LIST, caller.citizen_id, self._hash(me), after or _FIRST, limit)
        return [await self._view(caller, self._rows.link(row)) for row in rows]

    async def find(self, caller: Caller, link_id: UUID) -> RelativeView | None:
        """Return one of the caller's ties; None when there is none, or it is between others.

        Raises:
            LevelTooLow: the caller has no real name yet.
            DatabaseUnavailable: the database could not be reached.
        """
        link = await self._mine(caller, link_id)
        return None if link is None else await self._view(caller, link)

    async def confirm(self, caller: Caller, link_id: UUID, consent: str) -> RelativeView | None:
        """Confirm a tie that somebody has asked the caller for; None when there is none, or it is between others.

        Raises:
            ConsentRequired: the consent is not to this purpose's text.
            TooYoung: the caller is under 18.
            LinkStateForbids: it is confirmed already, or it was the caller who asked.
            LevelTooLow: the caller has no real name yet.
        """
        self._consents.check(consent, purpose="delegation")
        me = await self._realname.person_of(caller.citizen_id, ReadPurpose.DELEGATION)
        if await self._mine(caller, link_id) is None:
            return None
        now = self._clock.now()
        require_adult(me.id_number, china_date(now))

        async def work() -> None:
            row = await fetch_one(_CONFIRM, link_id, caller.citizen_id, self._hash(me), now)
            if row is None:
                raise LinkStateForbids
            link = self._rows.link(row)
            await self._consents.give(caller.citizen_id, consent)
            await self._tell("auth.relative-confirmed", caller, link.id, (link.citizen_id, caller.citizen_id))

        await transaction(work)
        return await self.find(caller, link_id)

    async def remove(self, caller: Caller, link_id: UUID) -> bool:
        """End a tie and the mandates that rest on it, at once; return whether the caller had it.

        Raises:
            LinkStateForbids: a guardianship rests on it, and the caller is not the guardian.
            LevelTooLow: the caller has no real name yet.
        """
        link = await self._mine(caller, link_id)
        if link is None:
            return False

        async def work() -> bool:
            now = self._clock.now()
            if not await fetch(_END, link_id, now):
                return False
            # Looked at with the tie in hand: a guardianship that is being appointed has seen its end, or is here.
            if link.citizen_id != caller.citizen_id and await self._guardians.mandate_on(link_id) is not None:
                raise LinkStateForbids
            other = await self._rows.open_other(link)
            other_id = link.other_id if other is None else await self._trail.holder_of(other)
            both = (link.citizen_id, caller.citizen_id if link.citizen_id != caller.citizen_id else other_id)
            await self._tell("auth.relative-ended", caller, link_id, both)
            await self._ending.end_on_link(link_id, caller.actor)
            return True

        return await transaction(work)

    async def _ask(self, caller: Caller, other: Named, relation: Relation, consent: str) -> tuple[UUID, bool]:
        link_id = self._ids.uuid()
        person_mark, number_hash = self._rows.person_mark(other), self._rows.number_hash(other.id_number)
        new = await fetch(
            _ADD,
            link_id,
            caller.citizen_id,
            person_mark,
            number_hash,
            *await self._rows.seal_other(caller.citizen_id, link_id, other),
            relation.value,
            self._clock.now(),
        )
        if not new:
            row = await fetch_one(_ASKED, caller.citizen_id, person_mark)
            if row is None:
                raise LinkStateForbids
            link_id = self._rows.link(row).id
        await self._consents.give(caller.citizen_id, consent)
        both = (caller.citizen_id, await self._trail.holder_of(other))
        await self._tell("auth.relative-asked", caller, link_id, both)
        return link_id, bool(new)

    async def _ask_register(self, caller: Caller, me: Named, other: Named, link_id: UUID) -> None:
        """Ask the register; when it is away, or knows of nothing, the tie waits for the other one."""
        try:
            kinship = await self._register.ask(me, other)
        except KinshipUnavailable:
            log.warning("a tie waits: the register of kinship is away")
            return
        ward = await self._ward(caller, other, kinship)
        if kinship.relation is None and ward is None:
            return
        relation, now = kinship.relation or Relation.OTHER, self._clock.now()

        async def work() -> None:
            other_id = await self._trail.holder_of(other) if ward is None else ward.citizen_id
            changed = await fetch(_BY_REGISTER, link_id, relation.value, other_id, now)
            if changed:
                await execute(_KNOWN, link_id)
                await self._tell("auth.relative-confirmed", caller, link_id, (caller.citizen_id, other_id), "register")
            if ward is not None:
                await self._guardians.appoint(caller, me, link_id, ward)

        await transaction(work)

    async def _ward(self, caller: Caller, other: Named, kinship: Kinship) -> Ward | None:
        """Return the other one where the caller is their guardian; an account is made where there is none."""
        if not self._guardians.is_needed(other, kinship.guardianship):
            return None
        try:
            citizen_id = await self._realname.ensure_citizen(other.name, other.id_number, by=caller.actor)
        except (IdentityMismatch, RegistryUnavailable, RegistryRefused) as problem:
            # One register knows a guardianship and the other not the person: the tie stands or waits without it.
            log.warning("a guardian cannot be named yet", code=problem.code)
            return None
        return Ward(citizen_id, other, kinship.guardianship)

    async def _mine(self, caller: Caller, link_id: UUID) -> Link | None:
        me = await self._realname.person_of(caller.citizen_id, ReadPurpose.DELEGATION)
        row = await fetch_one(_MINE, link_id, caller.citizen_id, self._hash(me))
        return None if row is None else self._rows.link(row)

    async def _view(self, caller: Caller, link: Link) -> RelativeView:
        asked_by_me = link.citizen_id == caller.citizen_id
        other_id = link.other_id if asked_by_me else link.citizen_id
        if other_id is not None:
            name = await self._trail.masked_name_of(other_id)
        else:
            other = await self._rows.open_other(link)
            name = "" if other is None else other.name.masked()
        return RelativeView(
            id=link.id,
            relation=link.relation if asked_by_me else link.relation.seen_from_the_other,
            name=name,
            asked_by_me=asked_by_me,
            state=link.state,
            basis=link.basis,
            asked_at=link.asked_at,
            confirmed_at=link.confirmed_at,
            guardian_mandate=await self._guardians.mandate_on(link.id) if link.state is LinkState.CONFIRMED else None,
        )

    async def _tell(
        self, action: str, caller: Caller, link_id: UUID, subjects: tuple[UUID | None, ...], outcome: str = "ok"
    ) -> None:
        await self._trail.tell(
            action,
            actor=caller.actor,
            subjects=subjects,
            object_kind="relative",
            object_id=link_id,
            outcome=outcome,
        )

    def _hash(self, me: Person) -> str:
        return self._rows.person_mark(_named(me))


def _named(person: Person) -> Named:
    return Named(person.name, person.id_number)
