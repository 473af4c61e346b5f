"""Assistance: an officer acts for a resident who has confirmed it, by a code told to the officer or in their own app.

What comes of it is a session of the resident's, short and marked with the officer: all rules of the citizen's routes
hold in it, and the audit names the officer as who acted (docs/decisions/0016).
"""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, Final
from uuid import UUID

from auth.errors import RoleForbidden
from auth.realname import RealName
from auth.records import Record
from auth.records import Records as Residents
from auth.rules import parse_person
from auth.sessions import Sessions
from auth.staff.budgets import Budget
from auth.staff.grants import hold, holds_everywhere
from auth.types import Caller, Grant, Level, Role, StaffCaller
from auth.ways.attempts import Allowance, Attempts
from auth.ways.errors import (
    AssistanceCodeWrong,
    AssistanceEnded,
    AssistanceUnconfirmed,
    NoSuchAssistance,
    TooManyAssistances,
    WayLocked,
    WayRefused,
)
from auth.ways.rules import assistance_state_of
from auth.ways.settings import WaySettings
from auth.ways.texting import Texting
from auth.ways.types import AssistanceState, AssistanceView
from core.audit.actors import Actor
from core.audit.record import Audit
from core.clock import Clock
from core.crypto import Vault
from core.db import as_moment, as_uuid, execute, fetch, fetch_one, require_transaction, transaction
from core.errors import Problem
from core.ids import Ids
from core.jobs.queue import Jobs
from core.jobs.runner import Change
from core.pii import IdNumber

# What may be done in such a session is not limited to a department or a matter, so neither is who may ask for it.
MAY_ASSIST: Final = (Role.OPERATOR, Role.ACCEPTOR, Role.DEPARTMENT_OPERATOR)
PURPOSE: Final = "assistance.purpose"
PERSON: Final = "citizen.id_number"
_AFTER_ALL: Final = (datetime(9999, 1, 1, tzinfo=UTC), UUID(int=0))
_OBJECT: Final = "assistance"

_ADD: Final = """
INSERT INTO assistance (id, operator_id, citizen_id, purpose_sealed, state, code_hash, tries, created_at, expires_at)
VALUES ($1, $2, $3, $4, 'waiting', '', 0, $5, $6) RETURNING id
"""
_FIND: Final = """
SELECT id, operator_id, citizen_id, purpose_sealed, state, code_hash, tries, session_id, created_at, expires_at
FROM assistance WHERE id = $1
"""
_KEEP_CODE: Final = "UPDATE assistance SET code_hash = $2 WHERE id = $1 AND state = 'waiting'"
# A code that is tried counts from here, whatever comes of it.
_TRY: Final = """
UPDATE assistance SET tries = tries + 1
WHERE id = $1 AND operator_id = $2 AND state = 'waiting' AND expires_at > $3 AND tries < $4 RETURNING code_hash
"""
# Of many at once, one gets the session.
_USE: Final = """
UPDATE assistance SET state = 'used'
WHERE id = $1 AND operator_id = $2 AND state = $3 AND state <> 'used' AND expires_at > $4 RETURNING citizen_id
"""
_KEEP_SESSION: Final = "UPDATE assistance SET session_id = $2 WHERE id = $1"
_CONFIRM: Final = """
UPDATE assistance SET state = 'confirmed' WHERE id = $1 AND citizen_id = $2 AND state = 'waiting' AND expires_at > $3
"""
_LIST: Final = """
SELECT id, operator_id, citizen_id, purpose_sealed, state, code_hash, tries, session_id, created_at, expires_at
FROM assistance WHERE citizen_id = $1 AND (created_at < $2 OR (created_at = $2 AND id < $3))
ORDER BY created_at DESC, id DESC LIMIT $4
"""
_COUNT: Final = (
    "SELECT count(*) AS n, min(created_at) AS earliest FROM assistance WHERE operator_id = $1 AND created_at > $2"
)
_FORGET: Final = "DELETE FROM assistance WHERE created_at < $1"


class Assistances:
    """Officers who ask to act, residents who confirm. Whether there is such a resident, the officer does not learn."""

    def __init__(
        self,
        *,
        residents: Residents,
        realname: RealName,
        sessions: Sessions,
        texting: Texting,
        attempts: Attempts,
        jobs: Jobs,
        audit: Audit,
        vault: Vault,
        clock: Clock,
        ids: Ids,
        settings: WaySettings,
    ) -> None:
        self._residents = residents
        self._realname = realname
        self._sessions = sessions
        self._texting = texting
        self._attempts = attempts
        self._jobs = jobs
        self._audit = audit
        self._vault = vault
        self._clock = clock
        self._ids = ids
        self._settings = settings
        self._budget = Budget(_COUNT, an_hour=settings.assistances_an_hour, a_day=settings.assistances_a_day)
        self._allowance = Allowance(_OBJECT, settings.assistance_attempts, settings.window)

    async def request(self, officer: StaffCaller, *, name: str, id_number: str, purpose: str) -> AssistanceView:
        """Ask somebody to let the officer act for them; the answer is the same for people nobody knows.

        A code goes to the mobile that the resident has on record, by a job, so that not even the time tells whether
        there is one.

        Raises:
            IdNumberInvalid: the number cannot be one.
            NameInvalid: the name cannot be one.
            WayLocked: this person was asked for too often.
            TooManyAssistances: this officer has asked as often as anybody may within an hour or a day.
        """
        person_name, number = parse_person(name, id_number)
        assistance_id, now = self._ids.uuid(), self._clock.now()
        expires_at = now + timedelta(minutes=self._settings.assistance_wait_minutes)
        sealed = self._vault.seal(PURPOSE, assistance_id, purpose)

        async def work() -> None:
            spent = await self._budget.look(officer.operator_id, now)
            if spent.wait:
                raise TooManyAssistances(retry_after=spent.wait)
            await self._attempts.start(self._allowance, (f"p:{self._mark(number)}",))
            holder_id = await self._realname.find_citizen(number)
            record = await self._residents.find(holder_id or UUID(int=0))
            citizen_id = holder_id if record and record.is_active and record.name == person_name else None
            await fetch(_ADD, assistance_id, officer.operator_id, citizen_id, sealed, now, expires_at)
            await self._tell("requested", Actor.operator(officer.operator_id), holder_id, assistance_id)
            await self._jobs.enqueue("auth.send-assistance-code", assistance_id=assistance_id)

        await transaction(work)
        return AssistanceView(assistance_id, purpose, AssistanceState.WAITING, now, expires_at)

    async def send_code(self, assistance_id: str) -> Change | None:
        """Send the code of a request to the resident's mobile; return what is to be written.

        Raises:
            WayUnavailable: the provider could not be reached; try again later.
        """
        row = await fetch_one(_FIND, UUID(assistance_id))
        now = self._clock.now()
        if row is None or row["citizen_id"] is None or row["state"] != "waiting" or as_moment(row["expires_at"]) <= now:
            return None
        record = await self._residents.find(as_uuid(row["citizen_id"]))
        if record is None or record.mobile is None:
            return None
        row_id = as_uuid(row["id"])
        try:
            code_hash = await self._texting.send(record.mobile, of=row_id, lifetime=as_moment(row["expires_at"]) - now)
        except (WayLocked, WayRefused):
            return None  # The resident can still confirm in their own app.

        async def keep() -> None:
            await execute(_KEEP_CODE, row_id, code_hash)

        return keep

    async def collect(self, officer: StaffCaller, assistance_id: UUID, code: str | None, *, device: str) -> Grant:
        """Give the officer the session, by the code that the person has told them, or once the person has confirmed.

        Raises:
            NoSuchAssistance: there is none, or it is another officer's.
            AssistanceUnconfirmed: the person has not confirmed, and no code came.
            AssistanceCodeWrong: the code is not the one that was sent; also when none was.
            AssistanceEnded: it has run out or was used, or too many codes were tried.
            AccountClosed: the person's account is closed.
            RoleForbidden: the officer was disabled or has lost the role meanwhile.
        """
        now = self._clock.now()

        async def work() -> Grant | Problem:
            # As they are now, until the end of this: who takes their role away waits, and then ends this session too.
            held = await hold((officer.operator_id,))
            if not held or not await holds_everywhere(officer.operator_id, MAY_ASSIST):
                return RoleForbidden()
            row = await fetch_one(_FIND, assistance_id)
            if row is None or as_uuid(row["operator_id"]) != officer.operator_id:
                return NoSuchAssistance()
            state = row["state"]
            if state == "waiting" and code is None:
                return AssistanceUnconfirmed() if as_moment(row["expires_at"]) > now else AssistanceEnded()
            if state == "waiting" and code is not None:
                tried = await fetch_one(_TRY, assistance_id, officer.operator_id, now, self._settings.codes)
                if tried is None:
                    return AssistanceEnded()
                if not self._texting.fits(code, of=assistance_id, code_hash=tried["code_hash"]):
                    citizen_id = row["citizen_id"] and as_uuid(row["citizen_id"])
                    await self._tell("refused", Actor.operator(officer.operator_id), citizen_id, assistance_id)
                    return AssistanceCodeWrong()
            used = await fetch_one(_USE, assistance_id, officer.operator_id, state, now)
            if used is None or used["citizen_id"] is None:
                return AssistanceEnded()
            return await self._open(officer, as_uuid(used["citizen_id"]), assistance_id, device, by=state)

        # A problem comes back as a value: raised inside, it would undo that a code was tried.
        result = await transaction(work)
        if isinstance(result, Problem):
            raise result
        return result

    async def list_of(
        self, caller: Caller, *, before: tuple[datetime, UUID] | None = None, limit: int = 20
    ) -> list[AssistanceView]:
        """Return what officers have asked the caller, newest first, at most `limit`, those before one when given.

        Raises:
            DatabaseUnavailable: the database could not be reached.
        """
        rows = await fetch(_LIST, caller.actor_id, *(before or _AFTER_ALL), limit)
        return [self._view(row) for row in rows]

    async def confirm(self, caller: Caller, assistance_id: UUID) -> AssistanceView:
        """Let an officer act for the caller; the officer then collects the session.

        Raises:
            NoSuchAssistance: there is none, or it is about somebody else.
            AssistanceEnded: it has run out, or was confirmed or used before.
        """

        async def work() -> AssistanceView:
            confirmed = await execute(_CONFIRM, assistance_id, caller.actor_id, self._clock.now()) == 1
            row = await fetch_one(_FIND, assistance_id)
            if row is None or row["citizen_id"] is None or as_uuid(row["citizen_id"]) != caller.actor_id:
                raise NoSuchAssistance
            if not confirmed:
                raise AssistanceEnded
            await self._tell("confirmed", caller.self_actor, caller.actor_id, assistance_id)
            return self._view(row)

        return await transaction(work)

    async def forget(self, before: datetime) -> None:
        """Delete requests made before a moment, in the running transaction.

        Raises:
            OutsideTransaction: no transaction is running.
        """
        require_transaction()
        await execute(_FORGET, before)

    async def _open(
        self, officer: StaffCaller, citizen_id: UUID, assistance_id: UUID, device: str, *, by: str
    ) -> Grant | Problem:
        record: Record | None = await self._residents.find(citizen_id)
        if record is None:
            return AssistanceEnded()
        if by == "waiting":  # The person has told the code to the officer, who has passed it on.
            actor = Actor.operator(officer.operator_id, on_behalf_of=citizen_id)
            await self._tell("confirmed", actor, citizen_id, assistance_id)
        grant = await self._sessions.open_for(
            record,
            level=Level.REAL_NAME,
            device=device,
            operator_id=officer.operator_id,
            lifetime=timedelta(minutes=self._settings.assistance_minutes),
        )
        await execute(_KEEP_SESSION, assistance_id, grant.session_id)
        return grant

    def _mark(self, id_number: IdNumber) -> str:
        return self._vault.mark(PERSON, id_number.reveal())

    def _view(self, row: Mapping[str, Any]) -> AssistanceView:
        row_id, expires_at = as_uuid(row["id"]), as_moment(row["expires_at"])
        return AssistanceView(
            id=row_id,
            purpose=self._vault.open(PURPOSE, row_id, row["purpose_sealed"]),
            state=assistance_state_of(row["state"], expires_at, self._clock.now()),
            created_at=as_moment(row["created_at"]),
            expires_at=expires_at,
            session_id=row["session_id"] and as_uuid(row["session_id"]),
        )

    async def _tell(self, what: str, actor: Actor, subject_id: UUID | None, assistance_id: UUID) -> None:
        await self._audit.record(
            f"auth.assistance-{what}",
            actor=actor,
            subject_id=subject_id,
            object_kind=_OBJECT,
            object_id=assistance_id,
        )
