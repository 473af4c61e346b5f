"""The wallet of a citizen: fetching certificates from who issues them, listing them, opening one."""

from collections.abc import Awaitable, Callable, Sequence
from datetime import timedelta
from typing import Final
from uuid import UUID

from auth.delegation.effects import hold_mandate, require_unused
from auth.errors import MandateMissing
from auth.types import Caller
from certificates import rules
from certificates.definitions import Kinds
from certificates.errors import IssuerUnavailable, KindUnknown, NoneHeld, NotConfirmed
from certificates.living.asking import Asking, Outcome, Told
from certificates.living.history import History
from certificates.living.keeping import Keeping, Why
from certificates.records import Line, Record, Records, Standing, standing_of
from certificates.settings import CertificateSettings
from certificates.types import CertificateView, Change, HeldCertificate, Kind, OpenedCertificate, State
from core.audit.actors import SYSTEM, Actor
from core.audit.record import Audit
from core.cache import Limits
from core.clock import Clock, china_date
from core.db import transaction
from core.jobs.queue import Jobs

Work = Callable[[], Awaitable[None]]

# Departments ask why; the holder reads the same words in the ledger.
FETCHED_BY_HOLDER: Final = "持证人领取电子证照"
REFRESHED: Final = "更新持证人的电子证照"
READ_BY_HOLDER: Final = "持证人查看电子证照"
# At most one of each kind is held.
_AT_MOST: Final = 100
_IN_FORCE: Final = frozenset({State.ACTIVE, State.EXPIRING})


class Wallet:
    """The certificates of citizens. At most one of each kind is held by one citizen.

    Issuers are asked outside any transaction. What is held stays shown, marked stale, while its issuer is away.
    """

    def __init__(
        self,
        *,
        kinds: Kinds,
        asking: Asking,
        keeping: Keeping,
        history: History,
        records: Records,
        audit: Audit,
        jobs: Jobs,
        limits: Limits,
        clock: Clock,
        settings: CertificateSettings,
    ) -> None:
        self._kinds = kinds
        self._asking = asking
        self._keeping = keeping
        self._history = history
        self._records = records
        self._audit = audit
        self._jobs = jobs
        self._limits = limits
        self._clock = clock
        self._settings = settings

    @property
    def kinds(self) -> Kinds:
        """The kinds of certificates that are defined."""
        return self._kinds

    async def list_held(self, caller: Caller, *, after: UUID | None, limit: int) -> list[CertificateView]:
        """Return the caller's certificates, oldest first, at most `limit`, those after one when it is given.

        Numbers are masked; nothing is disclosed, so nothing stands in the ledger. Under a mandate only those in its
        scope are there. What has grown old is fetched anew in the background.

        Raises:
            DatabaseUnavailable: the database could not be reached.
        """
        lines = await self._records.list_of(caller.citizen_id, after=after, limit=limit, kinds=caller.certificates)
        await self._look_after(caller.citizen_id, lines)
        return [self._view(line) for line in lines if self._kinds.find(line.kind)]

    async def kinds_in_force(self, citizen_id: UUID) -> frozenset[str]:
        """Return the kinds of which a citizen holds a valid certificate; what has grown old is fetched anew, too.

        Raises:
            DatabaseUnavailable: the database could not be reached.
        """
        held = await standing_of(citizen_id, limit=_AT_MOST)
        await self._look_after(citizen_id, held)
        return frozenset(each.kind for each in held if self._state(each) in _IN_FORCE and self._kinds.find(each.kind))

    async def fetch(self, caller: Caller, kind: str) -> tuple[CertificateView, bool]:
        """Fetch a certificate from its issuer; return it and whether it is new in the wallet.

        One that is held already is refreshed; while its issuer is away it stays in the wallet, marked stale.

        Raises:
            KindUnknown: certificates of this kind are not offered here.
            MandateMissing: the mandate does not cover certificates of this kind, or is used up.
            NoneHeld: the issuer has none for this person.
            NotConfirmed: the issuer does not stand for what it has on record yet.
            IssuerUnavailable: the issuer is away; what is held can still be listed, opened and shown.
            TooManyRequests: fetched too often.
            LevelTooLow: the caller has no real name yet.
            DatabaseUnavailable: the database could not be reached.
        """
        definition, why = self._kinds.get(kind), Why(caller.actor, FETCHED_BY_HOLDER)
        holder = caller.citizen_id
        if not caller.covers_certificate(kind):
            raise MandateMissing
        require_unused(caller)
        await self._limits.hit("certificates.fetch", self._settings.fetch_limit, f"citizen:{holder}")
        told = await self._ask(definition, holder, why)

        async def settle() -> tuple[Record | None, bool]:
            if told.outcome is Outcome.OK:
                await hold_mandate(caller, self._clock.now())
            return await self._settle(definition, holder, told, why)

        record, is_new = await transaction(settle)
        return self._view(_in_hand(told, record).line), is_new

    async def find_opened(self, caller: Caller, certificate_id: UUID) -> OpenedCertificate | None:
        """Open one certificate for its holder; None when it does not exist, is somebody else's or out of scope.

        Raises:
            DatabaseUnavailable: the database could not be reached.
        """

        async def work() -> OpenedCertificate | None:
            record = await self._records.find(certificate_id, caller.citizen_id)
            kind = None if record is None else self._kinds.find(record.kind)
            if record is None or kind is None or not caller.covers_certificate(kind.slug):
                return None
            await self._look_after(caller.citizen_id, [record.line])
            why = Why(caller.actor, READ_BY_HOLDER)
            await self._tell_opened(record, why, kind.field_names)
            return OpenedCertificate(self._view(record.line), self._held(record, kind, kind.field_names))

        return await transaction(work)

    async def find_held(
        self, citizen_id: UUID, kind: str, *, purpose: str, fields: Sequence[str] = (), actor: Actor | None = None
    ) -> HeldCertificate | None:
        """Open what a citizen holds of a kind, for a purpose the holder reads in the ledger; None when none is held.

        `actor` is who reads it where it is not the holder. `fields` names those that are needed: only these are
        returned and named in the ledger. Without it, all are. Whether the state suffices is the caller's to judge.
        Joins a running transaction.

        Raises:
            DatabaseUnavailable: the database could not be reached.
        """
        definition = self._kinds.find(kind)
        if definition is None:
            return None
        names = tuple(name for name in definition.field_names if not fields or name in fields)

        async def work() -> HeldCertificate | None:
            record = await self._records.find_of_kind(citizen_id, kind)
            if record is None:
                return None
            await self._tell_opened(record, Why(actor or Actor.citizen(citizen_id), purpose), names)
            return self._held(record, definition, names)

        return await transaction(work)

    async def refresh(self, citizen_id: str, kind: str) -> Work | None:
        """Ask the issuer again about a certificate that is held (job `certificates.refresh`).

        While somebody else is asking it waits, and asks again: what they are told may be of before.

        Raises:
            IssuerUnavailable: the issuer is away; what is held is marked stale meanwhile.
            KindUnknown: certificates of this kind are not offered here.
            DatabaseUnavailable: the database could not be reached.
        """
        definition, holder, why = self._kinds.get(kind), UUID(citizen_id), Why(SYSTEM, REFRESHED)
        if await self._records.find_of_kind(holder, kind) is None:
            return None
        told = await self._ask(definition, holder, why, again=True)
        if told.outcome is Outcome.UNAVAILABLE:
            await transaction(lambda: self._settle(definition, holder, told, why))
            raise IssuerUnavailable(retry_after=told.retry_after)

        async def change() -> None:
            await self._settle(definition, holder, told, why)

        return change

    async def look_after(self, citizen_id: str, kind: str) -> Work | None:
        """Refresh what has grown old (job `certificates.look-after`); an issuer that is away is left alone.

        Whoever reads the certificate next promises it again.

        Raises:
            KindUnknown: certificates of this kind are not offered here.
            DatabaseUnavailable: the database could not be reached.
        """
        try:
            return await self.refresh(citizen_id, kind)
        except IssuerUnavailable:
            return None

    async def history_of(
        self, caller: Caller, certificate_id: UUID, *, after: UUID | None, limit: int
    ) -> list[Change] | None:
        """Return what became of one certificate, oldest first; None when it is not there, not theirs or out of scope.

        What somebody else reads on the holder's behalf stands in the holder's ledger.

        Raises:
            DatabaseUnavailable: the database could not be reached.
        """
        record = await self._records.find(certificate_id, caller.citizen_id)
        if record is None or not caller.covers_certificate(record.kind):
            return None
        if caller.actor.on_behalf_of is not None:
            await transaction(lambda: self._tell_history_read(caller, record))
        return await self._history.list_of(certificate_id, caller.citizen_id, after=after, limit=limit)

    # --- asking and keeping -------------------------------------------------------------------------------------------

    async def _ask(self, kind: Kind, holder: UUID, why: Why, *, again: bool = False) -> Told:
        if not self._asking.is_connected(kind.issuer):
            raise KindUnknown(kinds=sorted(each.slug for each in self._kinds if self._asking.is_connected(each.issuer)))
        told = await self._asking.ask(kind, holder, why.purpose, again=again)
        if told.issued is not None:
            try:
                # An answer that does not fit is no answer: better known before anything is written.
                self._keeping.read(kind, told.issued, version=told.issued.version or 1)
            except IssuerUnavailable:
                return Told(Outcome.UNAVAILABLE)
        return told

    async def _settle(self, kind: Kind, holder: UUID, told: Told, why: Why) -> tuple[Record | None, bool]:
        """Write what was told, inside a transaction; return what is held now and whether it is new."""
        if not told.asked:
            return await self._records.find_of_kind(holder, kind.slug), False
        await self._asking.note(kind, holder, told.outcome)
        if told.issued is not None:
            return await self._keeping.keep(kind, holder, told.issued, why)
        if told.outcome is Outcome.NONE_HELD:
            await self._keeping.keep_none(kind, holder, why)
            return None, False
        # What is held stays shown, marked with since when it is not confirmed.
        return await self._keeping.keep_stale(kind, holder, why, outcome=told.outcome.value), False

    async def _look_after(self, holder: UUID, lines: Sequence[Standing]) -> None:
        """Promise a fetch of what has grown old, one at a time for each certificate, however many read it."""
        now, lives = self._clock.now(), self._settings.lifetimes
        old, tried = now - timedelta(seconds=lives.fresh_seconds), now - timedelta(seconds=lives.retry_seconds)
        due = [
            line
            for line in lines
            if (line.stale_since is not None or line.fetched_at <= old)
            and (line.looked_after_at is None or line.looked_after_at <= tried)
        ]
        if not due:
            return

        async def work() -> None:
            for line in due:
                if await self._records.look_after(line.id, not_since=tried):
                    await self._jobs.enqueue("certificates.look-after", citizen_id=holder, kind=line.kind)

        await transaction(work)

    # --- telling the holder, and showing ------------------------------------------------------------------------------

    async def _tell_opened(self, record: Record, why: Why, field_names: Sequence[str]) -> None:
        await self._audit.record(
            "certificates.opened",
            actor=why.actor,
            subject_id=record.citizen_id,
            purpose=why.purpose,
            object_kind=record.kind,
            object_id=record.id,
            field_names=field_names,
        )

    async def _tell_history_read(self, caller: Caller, record: Record) -> None:
        await self._audit.record(
            "certificates.history-read",
            actor=caller.actor,
            subject_id=record.citizen_id,
            object_kind=record.kind,
            object_id=record.id,
        )

    def _view(self, line: Line) -> CertificateView:
        kind = self._kinds.get(line.kind)
        return CertificateView(
            id=line.id,
            kind=kind.slug,
            title=kind.title,
            title_en=kind.title_en,
            number=rules.mask_number(line.number),
            state=self._state(line),
            valid_until=line.valid_until,
            issuer=line.issuer,
            stale_since=line.stale_since,
        )

    def _held(self, record: Record, kind: Kind, names: Sequence[str]) -> HeldCertificate:
        content = record.content
        return HeldCertificate(
            id=record.id,
            kind=kind,
            state=self._state(record.line),
            valid_until=content.valid_until,
            issuer=content.issuer,
            version=content.version,
            identifier=content.identifier,
            fields={name: content.fields.get(name) for name in names},
            fetched_at=record.fetched_at,
            stale_since=record.stale_since,
        )

    def _state(self, line: Standing) -> State:
        today = china_date(self._clock.now())
        return rules.state_on(line.state, line.valid_until, today, expiring_days=self._settings.expiring_days)


def _in_hand(told: Told, record: Record | None) -> Record:
    """Return what the holder has asked for.

    Raises:
        NoneHeld: there is none.
        NotConfirmed: the issuer does not stand for it yet.
        IssuerUnavailable: nobody knows now; tells of when what is held is.
    """
    if told.outcome is Outcome.NOT_CONFIRMED:
        raise NotConfirmed
    if told.outcome is Outcome.UNAVAILABLE:
        last = None if record is None else record.fetched_at.isoformat()
        raise IssuerUnavailable(retry_after=told.retry_after or 5, last_data_at=last)
    if told.outcome is Outcome.NONE_HELD or record is None:
        raise NoneHeld
    return record
