"""Writing down what issuers told: one certificate of a kind for each citizen, its history, and what it proves."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final
from uuid import UUID

from auth.account.groups import Groups
from certificates import rules
from certificates.errors import EventConflict, IssuerUnavailable, MoveForbidden
from certificates.living.history import History
from certificates.offline.status_lists import end_tokens
from certificates.records import Content, Record, Records, hold_back, release
from certificates.types import Issued, Kind, News, Source, State
from core.audit.actors import SYSTEM, Actor
from core.audit.record import Audit
from core.clock import Clock, china_date
from core.db import execute
from core.log import get_logger

log = get_logger(__name__)

# The version is the issuer's count for one certificate: that of another one may be the same number.
_END_COPIES: Final = "UPDATE certificate_copy SET version = 0 WHERE certificate_id = $1"

# Each try reads again what somebody else has just written; more than this means that writers do not make way.
_TRIES: Final = 3
_KNOWN_TO_HOLDER: Final = frozenset({"ok", "changed", "unchanged"})


@dataclass(frozen=True, slots=True)
class Why:
    """Who asks, and for what."""

    actor: Actor
    purpose: str


class Keeping:
    """Writes certificates, in the caller's transaction. Nothing is written without its line of history and audit."""

    def __init__(self, *, records: Records, history: History, groups: Groups, audit: Audit, clock: Clock) -> None:
        self._records = records
        self._history = history
        self._groups = groups
        self._audit = audit
        self._clock = clock

    def read(self, kind: Kind, issued: Issued, *, version: int) -> Content:
        """Return what an issuer told as it is kept.

        Raises:
            IssuerUnavailable: the answer does not fit the kind: it is no answer.
        """
        try:
            fields = rules.fit_fields(kind, issued.fields)
            identifier = rules.identifier_of(kind, issued, version=version)
        except ValueError as error:
            log.warning("an issuer's answer does not fit its kind", kind=kind.slug, reason=str(error))
            raise IssuerUnavailable from error
        last_day = rules.valid_until(kind, fields)
        return Content(
            state=issued.state,
            version=version,
            valid_until=last_day,
            remind_on=rules.first_reminder(kind, last_day, china_date(self._clock.now())),
            issuer=issued.issuer,
            number=str(fields[kind.number_field]),
            identifier=identifier,
            fields=fields,
        )

    async def keep(self, kind: Kind, holder: UUID, issued: Issued, why: Why) -> tuple[Record, bool]:
        """Write what an issuer told; return the row and whether it is new.

        Raises:
            IssuerUnavailable: the answer does not fit, or others write all the time.
            OutsideTransaction: no transaction is running.
            DatabaseUnavailable: the database could not be reached.
        """
        for _ in range(_TRIES):
            record = await self._records.find_of_kind(holder, kind.slug)
            if record is None:
                content = self.read(kind, issued, version=issued.version or 1)
                outcome = "ok" if await self._records.add(holder, kind.slug, content) else ""
            else:
                outcome = await self._renew(kind, record, issued)
            kept = await self._records.find_of_kind(holder, kind.slug) if outcome else None
            if kept is not None:
                if outcome in {"ok", "changed"}:
                    reason = "fetched" if record is None else "changed"
                    await self._history.add(kind, kept, before=record, source=Source.PULL, reason=reason)
                await self._group(kind, kept)
                await self._tell_fetched(kind, holder, why, outcome, kept)
                return kept, record is None
        raise IssuerUnavailable(retry_after=1)

    async def _renew(self, kind: Kind, record: Record, issued: Issued) -> str:
        """Write what has changed and return what became of it; empty when somebody else has written meanwhile."""
        held = record.content
        as_told = self.read(kind, issued, version=issued.version or held.version)
        same = rules.same_certificate(held.identifier, as_told.identifier)
        if rules.is_outdated(held=held.version, told=issued.version, same=same):
            return "outdated"
        state = rules.next_state(record.told, issued.state, same=same)
        changed = (state, as_told.fields, as_told.issuer) != (record.told, held.fields, held.issuer) or not same
        version = rules.next_version(held=held.version if same else 0, told=issued.version, changed=changed)
        if not changed and version == held.version:
            await self._records.confirm(record.id)
            return "unchanged"
        content = self.read(kind, issued, version=version)
        if state is not content.state:
            log.warning(
                "an issuer tells a state that this certificate cannot come to",
                kind=kind.slug,
                certificate_id=str(record.id),
                before=state.value,
                after=content.state.value,
            )
            content = replace(content, state=state)
        if not await self._records.change(record, content):
            return ""
        if not same:
            # Another certificate in the place of this one: what was made of the one before proves nothing any more.
            await end_tokens(record.id)
            await execute(_END_COPIES, record.id)
        return "changed"

    async def keep_none(self, kind: Kind, holder: UUID, why: Why) -> None:
        """Write that an issuer has no certificate of a kind: what was held is cancelled.

        Raises:
            OutsideTransaction: no transaction is running.
            DatabaseUnavailable: the database could not be reached.
        """
        record = await self._records.find_of_kind(holder, kind.slug)
        if record is not None:
            if record.told is not State.CANCELLED and rules.may_move(record.told, State.CANCELLED):
                await self._move(kind, record, State.CANCELLED, source=Source.PULL, reason="none-held")
            await self._records.confirm(record.id)
        await self._tell_fetched(kind, holder, why, "none-held", record)

    async def keep_stale(self, kind: Kind, holder: UUID, why: Why, *, outcome: str) -> Record | None:
        """Write that an issuer could not say how a certificate stands; return what is held.

        Raises:
            OutsideTransaction: no transaction is running.
            DatabaseUnavailable: the database could not be reached.
        """
        record = await self._records.find_of_kind(holder, kind.slug)
        if record is not None:
            await self._records.mark_stale(record.id)
        await self._tell_fetched(kind, holder, why, outcome, record)
        return record

    async def holds(self, kind: Kind, holder: UUID) -> bool:
        """Tell whether somebody holds a certificate of a kind.

        Raises:
            DatabaseUnavailable: the database could not be reached.
        """
        return await self._records.find_of_kind(holder, kind.slug) is not None

    async def hear(self, kind: Kind, holder: UUID, news: News, state: State) -> bool:
        """Write what an issuer tells by itself; return whether the certificate has to be asked for now.

        The same news again, and news that was overtaken, have no effect. News of another certificate of the kind says
        nothing about this one, but that there is another.

        Raises:
            MoveForbidden: this certificate cannot come to that state.
            EventConflict: it contradicts what was told before.
            OutsideTransaction: no transaction is running.
            DatabaseUnavailable: the database could not be reached.
        """
        told = await self._history.find_told(kind.issuer, news.event_id)
        if told is not None:
            if told != (news.code, news.version):
                raise EventConflict
            return False
        record = await self._records.find_of_kind(holder, kind.slug)
        if record is None:
            return False
        held = record.content
        if rules.serial_of(held.identifier) != news.serial.upper():
            return True
        if news.version < held.version:
            return False
        if news.version == held.version:
            if state is not record.told:
                raise EventConflict
            return False
        if not rules.may_move(record.told, state):
            raise MoveForbidden(before=record.told.value, after=state.value)
        await self._move(kind, record, state, source=Source.PUSH, reason=news.reason, news=news)
        return True

    async def hold_back(self, kinds: dict[str, Kind], citizen_id: UUID, reason: str) -> None:
        """Freeze a whole wallet for a reason of our own.

        Raises:
            OutsideTransaction: no transaction is running.
            DatabaseUnavailable: the database could not be reached.
        """
        before = await self._records.all_of(citizen_id)
        await self._note(kinds, before, await hold_back(citizen_id, reason), reason)

    async def release(self, kinds: dict[str, Kind], citizen_id: UUID, reason: str) -> None:
        """Undo `hold_back`: everything is again what its issuer says.

        Raises:
            OutsideTransaction: no transaction is running.
            DatabaseUnavailable: the database could not be reached.
        """
        before = await self._records.all_of(citizen_id)
        await self._note(kinds, before, await release(citizen_id, reason), f"{reason}-taken-back")

    async def _note(self, kinds: dict[str, Kind], before: Sequence[Record], touched: set[UUID], reason: str) -> None:
        for earlier in before:
            record = await self._records.find(earlier.id, earlier.citizen_id) if earlier.id in touched else None
            kind = kinds.get(earlier.kind)
            if record is None or kind is None or record.content.state is earlier.content.state:
                continue
            await self._history.add(kind, record, before=earlier, source=Source.SYSTEM, reason=reason)
            await self._group(kind, record)
            await self._audit_move(kind, record, SYSTEM)

    async def _move(
        self, kind: Kind, record: Record, state: State, *, source: Source, reason: str, news: News | None = None
    ) -> None:
        version = record.content.version if news is None else news.version
        if not await self._records.move(record, state, version=version):
            raise IssuerUnavailable(retry_after=1)  # Somebody else has just written: whoever told it tells it again.
        moved = await self._records.find(record.id, record.citizen_id)
        if moved is None:
            return
        await self._history.add(
            kind,
            moved,
            before=record,
            source=source,
            reason=reason,
            code="" if news is None else news.code,
            event_id=None if news is None else news.event_id,
        )
        await self._group(kind, moved)
        if source is Source.PUSH:
            await self._audit_move(kind, moved, Actor.department(kind.issuer))

    async def _group(self, kind: Kind, record: Record) -> None:
        """Put the holder into the group that the kind proves, as long as the certificate says."""
        if kind.group and record.content.state is State.ACTIVE:
            until = record.content.valid_until
            await self._groups.grant(record.citizen_id, kind.group, source=kind.slug, until=until)
        elif kind.group:
            await self._groups.take_back(record.citizen_id, source=kind.slug)

    async def _audit_move(self, kind: Kind, record: Record, actor: Actor) -> None:
        await self._audit.record(
            "certificates.moved",
            actor=actor,
            subject_id=record.citizen_id,
            object_kind=kind.slug,
            object_id=record.id,
            outcome=record.content.state.value,
        )

    async def _tell_fetched(self, kind: Kind, holder: UUID, why: Why, outcome: str, record: Record | None) -> None:
        await self._audit.record(
            "certificates.fetched",
            actor=why.actor,
            subject_id=holder,
            purpose=why.purpose,
            object_kind=kind.slug,
            object_id="" if record is None else record.id,
            field_names=kind.field_names if outcome in _KNOWN_TO_HOLDER else (),
            outcome=outcome,
        )
