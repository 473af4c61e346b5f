"""By an officer at a counter: the resident's screen shows a code, the officer who has seen the card enters it."""

from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from auth.errors import RoleForbidden
from auth.realname import RealName
from auth.rules import parse_person
from auth.staff.budgets import Budget
from auth.staff.grants import hold, read_grants
from auth.types import Role, StaffCaller
from auth.ways.attempts import Allowance, Attempts
from auth.ways.errors import CounterMismatch, TooManyConfirmations, WayUnavailable
from auth.ways.rules import told_as
from auth.ways.settings import WaySettings
from auth.ways.types import Begun, Claim, Finding, Outcome, Prompt, Proof
from core.audit.actors import Actor
from core.audit.record import Audit
from core.clock import Clock
from core.crypto import Vault
from core.db import as_uuid, execute, fetch, fetch_one, require_transaction, transaction
from core.errors import Problem
from core.ids import Ids
from core.pii import IdNumber, PersonName, Secret

_CODE: Final = "counter_slip.code"
PERSON: Final = "counter_slip.person"
_DIGITS: Final = 8
# Codes of open slips are unlike each other: a hundred million of them, drawn again when one is taken.
_DRAWS: Final = 5
_WINDOW: Final = timedelta(minutes=10)

_ADD: Final = """
INSERT INTO counter_slip (id, code_hash, person_mark, state, expires_at) VALUES ($1, $2, $3, 'open', $4)
ON CONFLICT (code_hash) DO NOTHING RETURNING id
"""
_STATE: Final = "SELECT state FROM counter_slip WHERE id = $1"
# Compare and set: of two officers one confirms.
_CONFIRM: Final = """
UPDATE counter_slip SET state = 'confirmed', confirmed_by = $3, confirmed_at = $4
WHERE code_hash = $1 AND person_mark = $2 AND state = 'open' AND expires_at > $4 RETURNING id
"""
# Slips are forgotten when they run out: what was confirmed is counted where it stays.
_COUNT: Final = """
SELECT count(*) AS n, min(at) AS earliest FROM audit_line
WHERE actor_kind = 'operator' AND actor_id = $1 AND at > $2
      AND action = 'auth.counter-confirmed' AND outcome = 'ok'
"""
_FORGET: Final = "DELETE FROM counter_slip WHERE expires_at < $1"


# A card is looked at wherever the officer's counter stands: it is no department's and no matter's.
MAY_CONFIRM: Final = frozenset({Role.OPERATOR, Role.ACCEPTOR, Role.DEPARTMENT_OPERATOR})


class Counter:
    """The counter as a way, and the officer's side of it. Name and number on the card must be those of the check."""

    def __init__(
        self,
        *,
        realname: RealName,
        attempts: Attempts,
        audit: Audit,
        vault: Vault,
        clock: Clock,
        ids: Ids,
        settings: WaySettings,
    ) -> None:
        self._realname = realname
        self._attempts = attempts
        self._audit = audit
        self._vault = vault
        self._clock = clock
        self._ids = ids
        self._budget = Budget(_COUNT, an_hour=settings.counter_an_hour, a_day=settings.counter_a_day)
        self._allowance = Allowance("counter-entry", settings.counter_entries, _WINDOW)

    async def begin(self, claim: Claim, *, check_id: UUID, until: datetime) -> Begun:
        """Write a slip and return the code to show.

        Raises:
            WayUnavailable: no code could be found that is not on another screen.
            DatabaseUnavailable: the database could not be reached.
        """
        mark = self._mark(claim.name, claim.id_number)

        async def work() -> str | None:
            for _ in range(_DRAWS):
                code = self._ids.digits(_DIGITS)
                if await fetch(_ADD, check_id, self._vault.mark(_CODE, code), mark, until):
                    return code
            return None

        code = await transaction(work)
        if code is None:
            raise WayUnavailable(retry_after=5)
        return Begun(Secret(str(check_id)), Prompt("show", code=f"{code[:4]} {code[4:]}"))

    async def finish(self, proof: Proof, code: str | None) -> Finding:
        """Say whether an officer has confirmed; the resident has nothing to enter.

        Raises:
            DatabaseUnavailable: the database could not be reached.
        """
        del code
        row = await fetch_one(_STATE, proof.check_id)
        return Finding(Outcome.PASSED if row is not None and row["state"] == "confirmed" else Outcome.PENDING)

    async def confirm(self, officer: StaffCaller, code: str, *, name: str, id_number: str) -> tuple[UUID, datetime]:
        """Confirm that the person on the identity card is the one whose screen shows the code; return which and when.

        Raises:
            IdNumberInvalid: the number cannot be one.
            NameInvalid: the name cannot be one.
            CounterMismatch: no waiting check has this code, name and number.
            WayLocked: this officer has entered too much that was wrong.
            TooManyConfirmations: this officer has confirmed as many as anybody may within an hour or a day.
            RoleForbidden: the officer was disabled or has lost the role meanwhile.
        """
        person_name, number = parse_person(name, id_number)
        attempt_id = await transaction(lambda: self._attempts.start(self._allowance, (f"o:{officer.operator_id}",)))
        now, code_hash = self._clock.now(), self._vault.mark(_CODE, code.replace(" ", ""))

        async def work() -> UUID | Problem:
            # As they are now, until the end of this: who takes their role away waits.
            held = await hold((officer.operator_id,))
            if not held or not {grant.role for grant in await read_grants(officer.operator_id)} & MAY_CONFIRM:
                return RoleForbidden()
            spent = await self._budget.look(officer.operator_id, now)
            if spent.wait:
                await self._attempts.give_back(attempt_id)
                return TooManyConfirmations(retry_after=spent.wait)
            mark = self._mark(person_name, number)
            row = await fetch_one(_CONFIRM, code_hash, mark, officer.operator_id, now)
            if row is not None:
                await self._attempts.give_back(attempt_id)
            await self._audit.record(
                "auth.counter-confirmed",
                actor=Actor.operator(officer.operator_id),
                subject_id=await self._realname.find_citizen(number),
                object_kind="counter-check",
                object_id=told_as(as_uuid(row["id"])) if row else "",
                outcome="ok" if row else "mismatch",
            )
            return CounterMismatch() if row is None else told_as(as_uuid(row["id"]))

        # A problem comes back as a value: raised inside, it would undo what was written down.
        result = await transaction(work)
        if isinstance(result, Problem):
            raise result
        return result, now

    async def forget(self) -> None:
        """Delete the slips that have run out, in the running transaction: their codes may be drawn again.

        Raises:
            OutsideTransaction: no transaction is running.
        """
        require_transaction()
        await execute(_FORGET, self._clock.now())

    def _mark(self, name: PersonName, id_number: IdNumber) -> str:
        return self._vault.mark(PERSON, f"{id_number.reveal()}|{name.reveal()}")
