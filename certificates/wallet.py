"""The wallet of a citizen: fetching certificates from who issues them, listing them, opening one."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final
from uuid import UUID

from auth.account.groups import Groups
from auth.delegation.effects import hold_mandate, require_unused
from auth.errors import MandateMissing
from auth.types import Caller, ReadPurpose
from certificates import rules
from certificates.definitions import Kinds
from certificates.errors import IssuerUnavailable, KindUnknown, NoneHeld
from certificates.ports import Issuer, Persons
from certificates.records import Content, Line, Record, Records
from certificates.settings import CertificateSettings
from certificates.types import (
    CertificateQuery,
    CertificateView,
    HeldCertificate,
    Issued,
    Kind,
    OpenedCertificate,
    State,
)
from core.audit.actors import SYSTEM, Actor
from core.audit.record import Audit
from core.cache import Limits
from core.clock import Clock, china_date
from core.db import transaction
from core.log import get_logger

log = get_logger(__name__)

Change = Callable[[], Awaitable[None]]

# Departments ask why; the holder reads the same words in the ledger.
FETCHED_BY_HOLDER: Final = "持证人领取电子证照"
REFRESHED: Final = "更新持证人的电子证照"
READ_BY_HOLDER: Final = "持证人查看电子证照"
# Each try reads again what somebody else has just written; more than this means that writers do not make way.
_TRIES: Final = 3


@dataclass(frozen=True, slots=True)
class _Why:
    """Who asks, and for what."""

    actor: Actor
    purpose: str


class Wallet:
    """The certificates of citizens. At most one of each kind is held by one citizen.

    Issuers are asked outside any transaction. What is held stays shown, marked stale, while its issuer is away.
    """

    def __init__(
        self,
        *,
        kinds: Kinds,
        issuers: Mapping[str, Issuer],
        persons: Persons,
        groups: Groups,
        records: Records,
        audit: Audit,
        limits: Limits,
        clock: Clock,
        settings: CertificateSettings,
    ) -> None:
        self._kinds = kinds
        self._issuers = issuers
        self._persons = persons
        self._groups = groups
        self._records = records
        self._audit = audit
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
        scope are there.

        Raises:
            DatabaseUnavailable: the database could not be reached.
        """
        lines = await self._records.list_of(caller.citizen_id, after=after, limit=limit, kinds=caller.certificates)
        return [self._view(line) for line in lines if self._kinds.find(line.kind)]

    async def fetch(self, caller: Caller, kind: str) -> tuple[CertificateView, bool]:
        """Fetch a certificate from its issuer; return it and whether it is new in the wallet.

        One that is held already is refreshed; while its issuer is away it stays in the wallet, marked stale.

        Raises:
            KindUnknown: certificates of this kind are not offered here.
            MandateMissing: the mandate does not cover certificates of this kind, or is used up.
            NoneHeld: the issuer has none for this person.
            IssuerUnavailable: the issuer is away; what is held can still be listed, opened and shown.
            TooManyRequests: fetched too often.
            LevelTooLow: the caller has no real name yet.
            DatabaseUnavailable: the database could not be reached.
        """
        definition, why = self._kinds.get(kind), _Why(caller.actor, FETCHED_BY_HOLDER)
        holder = caller.citizen_id
        if not caller.covers_certificate(kind):
            raise MandateMissing
        require_unused(caller)
        await self._limits.hit("certificates.fetch", self._settings.fetch_limit, f"citizen:{holder}")
        try:
            issued = await self._ask(definition, holder, why)
        except IssuerUnavailable:
            # What is held stays shown, marked with since when it is not confirmed.
            await transaction(lambda: self._keep_stale(definition, holder, why))
            raise
        if issued is None:
            await transaction(lambda: self._keep_none(definition, holder, why))
            raise NoneHeld

        async def keep() -> tuple[Record, bool]:
            await hold_mandate(caller, self._clock.now())
            return await self._keep(definition, holder, issued, why)

        record, is_new = await transaction(keep)
        return self._view(record.line), is_new

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
            why = _Why(caller.actor, READ_BY_HOLDER)
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
            await self._tell_opened(record, _Why(actor or Actor.citizen(citizen_id), purpose), names)
            return self._held(record, definition, names)

        return await transaction(work)

    async def refresh(self, citizen_id: str, kind: str) -> Change | None:
        """Ask the issuer again about a certificate that is held (job `certificates.refresh`).

        Raises:
            IssuerUnavailable: the issuer is away; what is held is marked stale meanwhile.
            KindUnknown: certificates of this kind are not offered here.
            DatabaseUnavailable: the database could not be reached.
        """
        definition, holder, why = self._kinds.get(kind), UUID(citizen_id), _Why(SYSTEM, REFRESHED)
        if await self._records.find_of_kind(holder, kind) is None:
            return None
        try:
            issued = await self._ask(definition, holder, why)
        except IssuerUnavailable:
            await transaction(lambda: self._keep_stale(definition, holder, why))
            raise

        async def change() -> None:
            if issued is None:
                await self._keep_none(definition, holder, why)
            else:
                await self._keep(definition, holder, issued, why)

        return change

    # --- asking and keeping -------------------------------------------------------------------------------------------

    async def _ask(self, kind: Kind, holder: UUID, why: _Why) -> Issued | None:
        issuer = self._issuers.get(kind.issuer)
        if issuer is None:
            raise KindUnknown(kinds=sorted(each.slug for each in self._kinds if each.issuer in self._issuers))
        person = await self._persons.person_of(holder, ReadPurpose.CERTIFICATE)
        issued = await issuer.fetch(CertificateQuery(kind.slug, person.name, person.id_number, why.purpose))
        if issued is not None:
            # An answer that does not fit is no answer: better known before anything is written.
            self._read(kind, issued, version=issued.version or 1)
        return issued

    def _read(self, kind: Kind, issued: Issued, *, version: int) -> Content:
        try:
            fields = rules.fit_fields(kind, issued.fields)
            identifier = rules.identifier_of(kind, issued, version=version)
        except ValueError as error:
            log.warning("an issuer's answer does not fit its kind", kind=kind.slug, reason=str(error))
            raise IssuerUnavailable from error
        return Content(
            state=issued.state,
            version=version,
            valid_until=rules.valid_until(kind, fields),
            issuer=issued.issuer,
            number=str(fields[kind.number_field]),
            identifier=identifier,
            fields=fields,
        )

    async def _keep(self, kind: Kind, holder: UUID, issued: Issued, why: _Why) -> tuple[Record, bool]:
        """Write what an issuer told, inside a transaction; return the row and whether it is new."""
        for _ in range(_TRIES):
            record = await self._records.find_of_kind(holder, kind.slug)
            if record is None:
                content = self._read(kind, issued, version=issued.version or 1)
                outcome = "ok" if await self._records.add(holder, kind.slug, content) else ""
            else:
                outcome = await self._renew(kind, record, issued)
            kept = await self._records.find_of_kind(holder, kind.slug) if outcome else None
            if kept is not None:
                await self._group(kind, kept)
                await self._tell_fetched(kind, holder, why, outcome, kept)
                return kept, record is None
        raise IssuerUnavailable(retry_after=1)

    async def _renew(self, kind: Kind, record: Record, issued: Issued) -> str:
        """Write what has changed and return what became of it; empty when somebody else has written meanwhile."""
        held = record.content
        as_told = self._read(kind, issued, version=issued.version or held.version)
        same = rules.same_certificate(held.identifier, as_told.identifier)
        if rules.is_outdated(held=held.version, told=issued.version, same=same):
            return "outdated"
        state = rules.next_state(held.state, issued.state, same=same)
        changed = (state, as_told.fields, as_told.issuer) != (held.state, held.fields, held.issuer) or not same
        version = rules.next_version(held=held.version if same else 0, told=issued.version, changed=changed)
        if not changed and version == held.version:
            await self._records.confirm(record.id)
            return "unchanged"
        content = self._read(kind, issued, version=version)
        if state is not content.state:
            log.warning(
                "an issuer made a revoked certificate valid again", kind=kind.slug, certificate_id=str(record.id)
            )
            content = replace(content, state=state)
        return "changed" if await self._records.change(record, content) else ""

    async def _group(self, kind: Kind, record: Record) -> None:
        """Put the holder into the group that the kind proves, as long as the certificate says."""
        if kind.group and record.content.state is State.ACTIVE:
            until = record.content.valid_until
            await self._groups.grant(record.citizen_id, kind.group, source=kind.slug, until=until)
        elif kind.group:
            await self._groups.take_back(record.citizen_id, source=kind.slug)

    async def _keep_stale(self, kind: Kind, holder: UUID, why: _Why) -> None:
        record = await self._records.find_of_kind(holder, kind.slug)
        if record is not None:
            await self._records.mark_stale(record.id)
        await self._tell_fetched(kind, holder, why, "issuer-unavailable", record)

    async def _keep_none(self, kind: Kind, holder: UUID, why: _Why) -> None:
        record = await self._records.find_of_kind(holder, kind.slug)
        if record is not None:
            await self._records.cancel(record.id)
            await self._groups.take_back(holder, source=kind.slug)
        await self._tell_fetched(kind, holder, why, "none-held", record)

    # --- telling the holder, and showing ------------------------------------------------------------------------------

    async def _tell_fetched(self, kind: Kind, holder: UUID, why: _Why, outcome: str, record: Record | None) -> None:
        await self._audit.record(
            "certificates.fetched",
            actor=why.actor,
            subject_id=holder,
            purpose=why.purpose,
            object_kind=kind.slug,
            object_id="" if record is None else record.id,
            field_names=kind.field_names if outcome in {"ok", "changed", "unchanged"} else (),
            outcome=outcome,
        )

    async def _tell_opened(self, record: Record, why: _Why, field_names: Sequence[str]) -> None:
        await self._audit.record(
            "certificates.opened",
            actor=why.actor,
            subject_id=record.citizen_id,
            purpose=why.purpose,
            object_kind=record.kind,
            object_id=record.id,
            field_names=field_names,
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

    def _state(self, line: Line) -> State:
        today = china_date(self._clock.now())
        return rules.state_on(line.state, line.valid_until, today, expiring_days=self._settings.expiring_days)
