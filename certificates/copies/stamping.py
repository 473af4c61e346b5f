"""Stamped copies: made for one consumer and one purpose, and checked by whoever holds the paper."""

import asyncio
import json
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

from auth.rights.document import LayoutFailed, pdf_by
from auth.rights.lettering import drawable
from auth.types import Caller
from certificates import rules
from certificates.copies import layout
from certificates.copies.errors import CopyOvertaken, CopyUndrawable
from certificates.copies.sealing import seal
from certificates.copies.types import CopyCheck, CopyOutcome, CopyView, StampedCopy
from certificates.copies.wording import printed, said, same_purpose
from certificates.definitions import Kinds
from certificates.errors import StateForbids
from certificates.keys import IssuerKeys
from certificates.offline.gm import COPY, countersigned
from certificates.records import Record, Records, hold_still
from certificates.selection import Selection
from certificates.settings import CertificateSettings
from certificates.types import Kind, Outcome, State
from core.audit.actors import NOBODY
from core.audit.record import Audit
from core.cache import Limits
from core.clock import CHINA, Clock, china_date
from core.crypto import sha256_hex
from core.db import as_json, as_moment, as_uuid, fetch, fetch_one, transaction
from core.errors import FieldError
from core.ids import Ids
from core.jobs.queue import Jobs

_CODE_BYTES: Final = 16
# Copies that are laid out at once, and those that wait their turn.
_AT_ONCE: Final = 2
_WAITING: Final = 6
_SIGNED_BY: Final = "指尖办事电子证照"
_ISSUER: Final = "issuer"
_IN_FORCE: Final = frozenset({State.ACTIVE, State.EXPIRING})

_ADD: Final = """
INSERT INTO certificate_copy (id, code_hash, sha256, certificate_id, citizen_id, version, field_names, consumer,
                              purpose, made_at, expires_at)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11) RETURNING id
"""
_MINE: Final = "SELECT * FROM certificate_copy WHERE id = $1 AND certificate_id = $2 AND citizen_id = $3"
_FIND: Final = "SELECT * FROM certificate_copy WHERE code_hash = $1"


class StampedCopies:
    """Makes copies and checks them. The paper is handed over and not kept here; its holder reads of every check."""

    def __init__(
        self,
        *,
        kinds: Kinds,
        records: Records,
        keys: IssuerKeys,
        audit: Audit,
        jobs: Jobs,
        limits: Limits,
        clock: Clock,
        ids: Ids,
        settings: CertificateSettings,
    ) -> None:
        self._kinds = kinds
        self._records = records
        self._keys = keys
        self._audit = audit
        self._jobs = jobs
        self._limits = limits
        self._clock = clock
        self._ids = ids
        self._settings = settings
        self._places = asyncio.Semaphore(_AT_ONCE)
        self._wanted = 0

    async def make(
        self, caller: Caller, certificate_id: UUID, *, consumer: str, purpose: str, fields: Sequence[str] | None = None
    ) -> StampedCopy | None:
        """Make a copy of one's own certificate; None when it does not exist or is somebody else's.

        `fields` are those that are printed; None means the card face.

        Raises:
            FieldUnknown: the kind has no such field.
            NothingChosen: neither a field nor a claim was chosen.
            StateForbids: the certificate is not in force.
            CopyUndrawable: the font lacks a character of what would be printed.
            CopyOvertaken: the certificate changed meanwhile.
            LayoutFailed: it could not be laid out in time.
            TooManyRequests: too many in a short time.
            DatabaseUnavailable: the database could not be reached.
        """
        record = await self._records.find(certificate_id, caller.citizen_id)
        kind = None if record is None else self._kinds.find(record.kind)
        if record is None or kind is None:
            return None
        chosen, purpose = Selection.choose(kind, fields, ()), said(purpose)
        self._require_in_force(record)
        told = _told(record, kind, chosen.names)
        await _require_drawable(told, consumer=consumer, purpose=purpose)
        await self._limits.hit("certificates.copy", self._settings.copy_limit, f"citizen:{caller.citizen_id}")
        now, code = self._clock.now(), self._ids.token(_CODE_BYTES)
        expires_at = now + timedelta(days=self._settings.copy_days)
        content = {
            "title": kind.title,
            "fields": told,
            "consumer": consumer,
            "purpose": purpose,
            "made_at": _moment(now),
            "expires_at": _moment(expires_at),
            "code": code,
        }
        text = json.dumps(await self._stamped(content), ensure_ascii=False)
        plain = await self._lay_out(text)
        pdf = await seal(
            plain, key=self._keys.current, chain=self._settings.seal_chain, name=_SIGNED_BY, reason="加注件"
        )

        async def work() -> StampedCopy:
            # Held, so that no copy is written down beside the change that ends those of before.
            if not await hold_still(record):
                raise CopyOvertaken
            row_id = self._ids.uuid()
            await fetch(
                _ADD,
                row_id,
                sha256_hex(code.encode()),
                sha256_hex(pdf),
                record.id,
                record.citizen_id,
                record.content.version,
                list(chosen.names),
                consumer,
                purpose,
                now,
                expires_at,
            )
            await self._audit.record(
                "certificates.copied",
                actor=caller.actor,
                subject_id=record.citizen_id,
                purpose=purpose,
                object_kind=record.kind,
                object_id=record.id,
                field_names=chosen.names,
            )
            return StampedCopy(row_id, expires_at, pdf)

        return await transaction(work)

    async def _lay_out(self, text: str) -> bytes:
        """Let a process of its own lay out, few of them at once: a crowd would starve everything else here."""
        if self._wanted >= _AT_ONCE + _WAITING:
            raise LayoutFailed(retry_after=10)
        self._wanted += 1
        try:
            async with self._places:
                return await pdf_by(layout.__name__, text, seconds=self._settings.copy_seconds)
        finally:
            self._wanted -= 1

    async def find(self, caller: Caller, certificate_id: UUID, copy_id: UUID) -> CopyView | None:
        """Return for whom and for what a copy of one's own certificate was made; None when there is no such copy.

        Raises:
            DatabaseUnavailable: the database could not be reached.
        """
        row = await fetch_one(_MINE, copy_id, certificate_id, caller.citizen_id)
        if row is None:
            return None
        return CopyView(
            id=copy_id,
            consumer=row["consumer"],
            purpose=row["purpose"],
            field_names=tuple(as_json(row["field_names"])),
            made_at=as_moment(row["made_at"]),
            expires_at=as_moment(row["expires_at"]),
        )

    async def check(self, code: str, *, purpose: str, sha256: str | None = None, address: str = "") -> CopyCheck:
        """Say what a copy is worth: for what it was made, whether that is what it is used for, and how it stands now.

        `purpose` is what it is used for, `sha256` the digest of the file where there is one, in hex.

        Raises:
            TooManyRequests: too many checks from this address.
            CacheUnavailable: they cannot be counted now, so none is answered.
            DatabaseUnavailable: the database could not be reached.
        """
        await self._limits.hit_address("certificates.copy-check", self._settings.verify_limit, address, fail_open=False)

        async def work() -> CopyCheck:
            row = await fetch_one(_FIND, sha256_hex(code.encode()))
            if row is None:
                return CopyCheck(CopyOutcome.UNKNOWN)
            return await self._judge(row, purpose, sha256)

        return await transaction(work)

    async def _judge(self, row: Mapping[str, Any], purpose: str, sha256: str | None) -> CopyCheck:
        record = await self._records.find(as_uuid(row["certificate_id"]), as_uuid(row["citizen_id"]))
        kind = None if record is None else self._kinds.find(record.kind)
        outcome = self._outcome(row, record, purpose, sha256)
        await self._audit.record(
            "certificates.copy-checked",
            actor=NOBODY,
            subject_id=as_uuid(row["citizen_id"]),
            purpose=purpose,
            object_kind="" if kind is None else kind.slug,
            object_id=as_uuid(row["certificate_id"]),
            outcome=outcome.value,
        )
        if outcome is CopyOutcome.OTHER_PURPOSE and kind is not None:
            await self._jobs.enqueue(
                "notices.tell",
                event="certificates.copy-misused",
                citizen_id=as_uuid(row["citizen_id"]),
                object_id=as_uuid(row["certificate_id"]),
                certificate=kind.title,
                certificate_en=kind.title_en,
            )
        if record is None or kind is None:
            return CopyCheck(outcome)
        return CopyCheck(
            outcome,
            kind.slug,
            rules.mask_name(str(record.content.fields[kind.name_field])),
            row["consumer"],
            row["purpose"],
            as_moment(row["made_at"]),
            as_moment(row["expires_at"]),
        )

    def _outcome(self, row: Mapping[str, Any], record: Record | None, purpose: str, sha256: str | None) -> CopyOutcome:
        if record is None:  # The holder has given the certificate back meanwhile.
            return CopyOutcome.REVOKED
        if sha256 is not None and sha256 != row["sha256"]:
            return CopyOutcome.ALTERED
        told = rules.outcome_of(self._state(record))
        if told is not Outcome.OK:
            return CopyOutcome(told.value)
        if as_moment(row["expires_at"]) <= self._clock.now():
            return CopyOutcome.EXPIRED
        if record.content.version != int(row["version"]):
            return CopyOutcome.CHANGED
        return CopyOutcome.OK if same_purpose(purpose, row["purpose"]) else CopyOutcome.OTHER_PURPOSE

    async def _stamped(self, content: Mapping[str, Any]) -> Mapping[str, Any]:
        """Return what is laid out, with the data signed by SM2 beside it where the profile says so."""
        sm2 = self._keys.current_sm2
        if sm2 is None:
            return content
        signed = await asyncio.to_thread(countersigned, content, sm2, what=COPY)
        return {**content, "attached": json.dumps(signed, ensure_ascii=False)}

    def _require_in_force(self, record: Record) -> None:
        state = self._state(record)
        if state not in _IN_FORCE:
            raise StateForbids(state=state.value)

    def _state(self, record: Record) -> State:
        content, today = record.content, china_date(self._clock.now())
        return rules.state_on(content.state, content.valid_until, today, expiring_days=self._settings.expiring_days)


def _told(record: Record, kind: Kind, names: Sequence[str]) -> list[tuple[str, str]]:
    """Return what is printed of a certificate, as titles and texts; who issued it always, and once."""
    content = record.content
    fields = {each.name: each for each in kind.fields if each.name in names}
    if not content.fields.get(_ISSUER):
        fields.pop(_ISSUER, None)
    told = [(each.title, printed(each, content.fields.get(name))) for name, each in fields.items()]
    return told if _ISSUER in fields else [*told, ("发证机关", content.issuer)]


async def _require_drawable(told: Sequence[tuple[str, str]], *, consumer: str, purpose: str) -> None:
    known = await asyncio.to_thread(drawable)
    errors = [
        FieldError(pointer, "undrawable", "有的字印不出来，请换一种写法", "Some characters cannot be printed")
        for pointer, text in (("/consumer", consumer), ("/purpose", purpose))
        if not known.issuperset(text)
    ]
    errors += [
        FieldError(
            "/fields",
            "undrawable",
            f"“{title}”里有的字印不出来，请不选这一项，或到发证窗口办理",
            "A value has characters that cannot be printed; leave it out, or ask at the issuer's counter",
        )
        for title, text in told
        if not known.issuperset(text)
    ]
    if errors:
        raise CopyUndrawable(errors=errors)


def _moment(moment: datetime) -> str:
    return moment.astimezone(CHINA).strftime("%Y-%m-%d %H:%M:%S")
