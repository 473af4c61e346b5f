"""The real name: an account becomes a person when name and number agree with the population registry."""

from typing import Final
from uuid import UUID

from auth.account.deaths import Deaths
from auth.attempts import Attempts
from auth.consent import Consents
from auth.errors import AccountClosed, AlreadyBound, IdentityFixed, IdentityMismatch, LevelTooLow, RegistryUnavailable
from auth.places.recent import RecentSessions
from auth.ports import PopulationRegistry
from auth.records import HOLD_ACTIVE, ID_NUMBER, NAME, Record, Records
from auth.rules import is_elder, parse_person
from auth.settings import LevelSettings
from auth.types import Caller, Level, Person, ReadPurpose, Verdict
from core.audit.actors import SYSTEM, Actor
from core.audit.record import Audit
from core.clock import Clock, china_date
from core.crypto import Vault, destroy_person_key
from core.db import IntegrityError, as_uuid, execute, fetch, fetch_one, require_transaction, transaction
from core.ids import Ids
from core.jobs.queue import Jobs
from core.pii import IdNumber, PersonName

_BY_NUMBER: Final = "SELECT id FROM citizen WHERE id_number_hash IN ($1, $2)"
# Held as well: whoever says that they live waits for what follows from here, and has the last word.
_STATE: Final = "UPDATE citizen SET state = state WHERE id = $1 RETURNING state"
# Compare and set: an account is bound once. A name may change, its number may not.
_BIND: Final = """
UPDATE citizen SET name_sealed = $2, id_number_sealed = $3, id_number_hash = $4, identified_at = $5
WHERE id = $1 AND state = 'active' AND (id_number_hash IS NULL OR id_number_hash IN ($4, $6))
"""
_ADD_PERSON: Final = """
INSERT INTO citizen (id, name_sealed, id_number_sealed, id_number_hash, elder_chosen, state, identified_at, created_at)
VALUES ($1, $2, $3, $4, $5, 'active', $6, $6) ON CONFLICT (id_number_hash) DO NOTHING RETURNING id
"""
_BIND_ACCOUNTS: Final = "UPDATE wechat_account SET bound_at = $2 WHERE citizen_id = $1 AND bound_at IS NULL"
_RAISE_SESSIONS: Final = "UPDATE citizen_session SET level = $2, elder = $3 WHERE citizen_id = $1 AND ended_at IS NULL"


class RealName:
    """Who residents really are. One person has one account; unknown people and wrong names look the same."""

    def __init__(
        self,
        *,
        registry: PopulationRegistry,
        recent: RecentSessions,
        records: Records,
        consents: Consents,
        vault: Vault,
        attempts: Attempts,
        deaths: Deaths,
        audit: Audit,
        jobs: Jobs,
        clock: Clock,
        ids: Ids,
        levels: LevelSettings,
    ) -> None:
        self._registry = registry
        self._recent = recent
        self._records = records
        self._consents = consents
        self._vault = vault
        self._attempts = attempts
        self._deaths = deaths
        self._audit = audit
        self._jobs = jobs
        self._clock = clock
        self._ids = ids
        self._policy = levels.fresh_for()

    async def bind(self, caller: Caller, *, name: str, id_number: str, consent: str) -> None:
        """Give the caller's account its real name; their sessions are at `real_name` at once.

        Repeating what is bound to this account already changes nothing and counts as no attempt.

        Raises:
            IdNumberInvalid: the number cannot be one.
            NameInvalid: the name cannot be one.
            ConsentRequired: the consent is not to this purpose's text.
            IdentityMismatch: name and number do not agree; also when nobody has that number.
            IdentityFixed: the account belongs to somebody else already.
            AlreadyBound: another account holds this person.
            RegistryUnavailable: the population registry could not be reached.
            RegistryRefused: the population registry does not take the question.
            TooManyRequests: this account or this number was tried too often.
        """
        self._consents.check(consent, purpose="real-name")
        person_name, number = parse_person(name, id_number)
        hashes = self._vault.indexes(ID_NUMBER, number.reveal())
        record = await self._active(caller.citizen_id)
        if record.id_number_hash is not None and record.id_number_hash not in hashes:
            raise IdentityFixed
        if record.id_number_hash is not None and record.name == person_name:
            return
        await self._verify(caller, person_name, number, hashes)
        await self._write(caller, person_name, number, consent)

    async def holder_of(self, caller: Caller, *, name: PersonName, id_number: IdNumber) -> UUID | None:
        """Return who holds a person whom the caller names correctly; it is an attempt at that number like binding it.

        Raises:
            IdentityMismatch: name and number do not agree; also when nobody has that number.
            RegistryUnavailable: the population registry could not be reached.
            RegistryRefused: the population registry does not take the question.
            TooManyRequests: this account or this number was tried too often.
        """
        hashes = self._vault.indexes(ID_NUMBER, id_number.reveal())
        await self._verify(caller, name, id_number, hashes)
        return await _holder_of(hashes)

    async def _verify(self, caller: Caller, name: PersonName, number: IdNumber, hashes: tuple[str, str]) -> None:
        attempt_id = await self._attempts.start(caller.citizen_id, *hashes)
        try:
            verdict = await self._registry.verify(name, number)
        except RegistryUnavailable:
            # The registry's outage is not the resident's attempt.
            await self._attempts.give_back(attempt_id)
            raise
        if verdict is Verdict.DECEASED:
            await self._deaths.record(number, actor=SYSTEM)
        if verdict is not Verdict.MATCH:
            await self._record_failure(caller, hashes, "mismatch")
            raise IdentityMismatch

    async def agrees(self, name: PersonName, id_number: IdNumber) -> bool:
        """Ask the population registry whether name and number are one person. Counting attempts is the caller's.

        Raises:
            RegistryUnavailable: the registry could not be reached.
            RegistryRefused: the registry does not take the question.
        """
        verdict = await self._registry.verify(name, id_number)
        if verdict is Verdict.DECEASED:
            await self._deaths.record(id_number, actor=SYSTEM)
        return verdict is Verdict.MATCH

    async def person_of(self, citizen_id: UUID, purpose: ReadPurpose, *, reader: Actor | None = None) -> Person:
        """Return a resident under their real name, for a purpose of the closed list.

        `reader` is who gets to see the values when that is somebody else whose own act tells the ledger nothing of it;
        then a line with the purpose is written here.

        Raises:
            LevelTooLow: it is not known.
            ValueError: what is given is no purpose: nothing is read without one.
        """
        why = ReadPurpose(purpose)
        record = await self._records.find(citizen_id)
        if record is None:
            raise LevelTooLow.needing(Level.REAL_NAME)
        person = record.person()
        if reader is not None and reader.id != str(citizen_id):
            fields = ("name", "id_number") if person.mobile is None else ("name", "id_number", "mobile")
            await transaction(
                lambda: self._audit.record(
                    "auth.person-read", actor=reader, subject_id=citizen_id, purpose=why.value, field_names=fields
                )
            )
        return person

    async def find_citizen(self, id_number: IdNumber) -> UUID | None:
        """Return the resident with this number, if they have an account.

        Raises:
            DatabaseUnavailable: the database could not be reached.
        """
        return await _holder_of(self._vault.indexes(ID_NUMBER, id_number.reveal()))

    async def has_died(self, citizen_id: UUID) -> bool:
        """Tell whether a resident counts as dead, which does not change before the running transaction ends.

        Raises:
            OutsideTransaction: no transaction is running.
            DatabaseUnavailable: the database could not be reached.
        """
        require_transaction()
        row = await fetch_one(_STATE, citizen_id)
        return row is not None and row["state"] == "deceased"

    async def ensure_citizen(self, name: PersonName, id_number: IdNumber, *, by: Actor | None = None) -> UUID:
        """Return the resident with this number, making their account if the registry knows them: no WeChat is needed.

        `by` is who does so where it is not the resident.

        Raises:
            IdentityMismatch: name and number do not agree; also when nobody has that number.
            RegistryUnavailable: the registry could not be reached.
            RegistryRefused: the registry does not take the question.
            AccountClosed: the account was closed at this very moment.
        """
        if not await self.agrees(name, id_number):
            raise IdentityMismatch

        async def work() -> UUID:
            # Within the transaction: while the key of the index changes, its claim lasts as long as that.
            holder, number_hash = await self._claimed(id_number)
            holder = holder or await _holder_of((number_hash, number_hash))
            if holder is not None:
                return holder
            citizen_id = self._ids.uuid()
            person = await self._vault.ensure_person(citizen_id)
            name_sealed = person.seal(NAME, citizen_id, name.reveal())
            number_sealed = person.seal(ID_NUMBER, citizen_id, id_number.reveal())
            now = self._clock.now()
            if not await fetch(_ADD_PERSON, citizen_id, name_sealed, number_sealed, number_hash, False, now):
                # Somebody else has made it at this very moment; the key of the one that is not made is not needed.
                await destroy_person_key(citizen_id)
                holder = await _holder_of((number_hash, number_hash))
                if holder is None:
                    raise AccountClosed
                return holder
            await self._record_bound(citizen_id, by)
            return citizen_id

        return await transaction(work)

    async def _claimed(self, number: IdNumber) -> tuple[UUID | None, str]:
        """Return the index to write for a number, and who holds it if that has to be known before (`Vault.claim`)."""
        is_claimed = await self._vault.claim(ID_NUMBER, number.reveal())
        hashes = self._vault.indexes(ID_NUMBER, number.reveal())
        return await _holder_of(hashes) if is_claimed else None, hashes[0]

    async def _active(self, citizen_id: UUID) -> Record:
        record = await self._records.find(citizen_id)
        if record is None or not record.is_active:
            raise AccountClosed
        return record

    async def _write(self, caller: Caller, name: PersonName, number: IdNumber, consent: str) -> None:
        citizen_id = caller.citizen_id
        now = self._clock.now()

        async def work() -> bool:
            if await execute(HOLD_ACTIVE, citizen_id) != 1:
                raise AccountClosed
            holder, number_hash = await self._claimed(number)
            if holder not in {None, citizen_id}:
                raise IntegrityError
            person = await self._vault.ensure_person(citizen_id)
            bound = await execute(
                _BIND,
                citizen_id,
                person.seal(NAME, citizen_id, name.reveal()),
                person.seal(ID_NUMBER, citizen_id, number.reveal()),
                number_hash,
                now,
                self._vault.indexes(ID_NUMBER, number.reveal())[1],
            )
            if bound != 1:
                return False
            record = await self._active(citizen_id)
            elder = is_elder(number, chosen=record.elder_chosen, day=china_date(now), policy=self._policy)
            await execute(_BIND_ACCOUNTS, citizen_id, now)
            await execute(_RAISE_SESSIONS, citizen_id, Level.REAL_NAME.value, elder)
            self._recent.changed(citizen_id)
            await self._consents.give(citizen_id, consent)
            await self._record_bound(citizen_id)
            return True

        try:
            bound = await transaction(work)
        except IntegrityError:
            hashes = self._vault.indexes(ID_NUMBER, number.reveal())
            await self._record_failure(caller, hashes, "already-bound")
            raise AlreadyBound.with_ways_out() from None
        if not bound:
            raise IdentityFixed

    async def _record_bound(self, citizen_id: UUID, by: Actor | None = None) -> None:
        await self._audit.record(
            "auth.identity-bound",
            actor=by or Actor.citizen(citizen_id),
            subject_id=citizen_id,
            purpose="real-name",
            field_names=("name", "id_number"),
        )

    async def _record_failure(self, caller: Caller, hashes: tuple[str, str], outcome: str) -> None:
        """Tell of a failed attempt: who has made it, and whoever the number belongs to, in whose ledger it shows.

        Both lines are written also when the number belongs to nobody here, so that not even the time tells the caller.
        """

        async def work() -> None:
            holder = await _holder_of(hashes)
            lines: list[tuple[str, UUID | None]] = [("auth.identity-bound", caller.citizen_id)]
            if holder != caller.citizen_id:
                lines.append(("auth.identity-tried", holder))
            for action, subject_id in lines:
                await self._audit.record(
                    action,
                    actor=caller.actor,
                    subject_id=subject_id,
                    purpose="real-name",
                    field_names=("name", "id_number"),
                    outcome=outcome,
                )
            # Promised also for nobody: whether the number is known here costs no other work.
            told = "" if holder is None or holder == caller.citizen_id else str(holder)
            await self._jobs.enqueue("notices.tell", event="auth.identity-tried", citizen_id=told)

        await transaction(work)


async def _holder_of(hashes: tuple[str, str]) -> UUID | None:
    row = await fetch_one(_BY_NUMBER, *hashes)
    return None if row is None else as_uuid(row["id"])
