"""Checking a code that somebody shows: once, by one atomic write, and the holder sees every try."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

from auth.delegation.effects import mandate_stands
from certificates import rules
from certificates.definitions import Kinds
from certificates.ports import OpenSessions
from certificates.records import Record, Records
from certificates.settings import CertificateSettings
from certificates.types import Kind, Outcome, State, Value, Verified, Verifier
from core.audit.actors import NOBODY, Actor, ActorKind
from core.audit.record import Audit
from core.cache import Limits
from core.clock import Clock, china_date
from core.crypto import sha256_hex
from core.db import as_json, as_uuid, fetch_one, transaction
from core.jobs.queue import Jobs

_CODE: Final = re.compile(r"[A-Za-z0-9_-]{22}")  # 128 bits in base64url

# Two scans at once: the row is locked by the first, and the second finds it used.
_USE: Final = """
UPDATE certificate_presentation SET used_at = $2 WHERE code_hash = $1 AND used_at IS NULL AND expires_at > $2
RETURNING certificate_id, citizen_id, field_names, claims
"""
_FIND: Final = """
SELECT certificate_id, citizen_id, session_id, mandate_id, used_at FROM certificate_presentation WHERE code_hash = $1
"""


@dataclass(frozen=True, slots=True, repr=False)
class _Scan:
    """One look at a code: who looks, and for what."""

    code_hash: str
    verifier: Verifier | None
    purpose: str

    @property
    def actor(self) -> Actor:
        return NOBODY if self.verifier is None else Actor(ActorKind.VERIFIER, str(self.verifier.id))


class Verification:
    """Checks codes. A code answers once; who is not registered learns validity and a masked name, and no more."""

    def __init__(
        self,
        *,
        kinds: Kinds,
        records: Records,
        sessions: OpenSessions,
        audit: Audit,
        jobs: Jobs,
        limits: Limits,
        clock: Clock,
        settings: CertificateSettings,
    ) -> None:
        self._kinds = kinds
        self._records = records
        self._sessions = sessions
        self._audit = audit
        self._jobs = jobs
        self._limits = limits
        self._clock = clock
        self._settings = settings

    async def verify(
        self, code: str, *, purpose: str = "", verifier: Verifier | None = None, address: str = ""
    ) -> Verified:
        """Use a code up and say what it was worth. Whatever was scanned, the answer is an outcome.

        `address` is where an unregistered verifier asks from.

        Raises:
            TooManyRequests: too many scans, or too many of codes that never were.
            CacheUnavailable: the scans of strangers cannot be counted now, so none is answered.
            DatabaseUnavailable: the database could not be reached.
        """
        if verifier is None:
            await self._count_stranger("certificates.verify", self._settings.verify_limit, address)
        else:
            await self._limits.hit("certificates.verify", self._settings.verify_limit, f"verifier:{verifier.id}")
        verified = Verified(Outcome.UNREADABLE)
        if _CODE.fullmatch(code):
            scan = _Scan(sha256_hex(code.encode()), verifier, purpose)
            verified = await transaction(lambda: self._look(scan))
        if verifier is None and verified.outcome in {Outcome.UNREADABLE, Outcome.UNKNOWN}:
            await self._count_stranger("certificates.verify-failed", self._settings.verify_failed_limit, address)
        return verified

    async def _count_stranger(self, action: str, rule: str, address: str) -> None:
        await self._limits.hit_address(action, rule, address, fail_open=False)

    async def _look(self, scan: _Scan) -> Verified:
        now = self._clock.now()
        row = await fetch_one(_FIND, scan.code_hash)
        if row is None:
            return Verified(Outcome.UNKNOWN)
        if row["used_at"] is None and await self._is_still_shown(row):
            used = await fetch_one(_USE, scan.code_hash, now)
            if used is not None:
                return await self._judge(scan, used)
            row = await fetch_one(_FIND, scan.code_hash) or row  # Somebody else has just used it, or it ran out.
        outcome = Outcome.EXPIRED if row["used_at"] is None else Outcome.USED
        record = await self._records.find(as_uuid(row["certificate_id"]), as_uuid(row["citizen_id"]))
        await self._tell(scan, row, record, outcome, ())
        return Verified(outcome, holder_notified=True)

    async def _is_still_shown(self, row: Mapping[str, Any]) -> bool:
        """Tell whether the session that shows the code is open, and the mandate, if it is shown under one, in force."""
        session_id, mandate_id = row["session_id"], row["mandate_id"]
        if session_id is None or not await self._sessions.is_open(as_uuid(session_id)):
            return False
        return mandate_id is None or await mandate_stands(as_uuid(mandate_id), self._clock.now())

    async def _judge(self, scan: _Scan, used: Mapping[str, Any]) -> Verified:
        record = await self._records.find(as_uuid(used["certificate_id"]), as_uuid(used["citizen_id"]))
        kind = None if record is None else self._kinds.find(record.kind)
        if record is None or kind is None:  # The holder has given the certificate back meanwhile.
            await self._tell(scan, used, record, Outcome.REVOKED, ())
            return Verified(Outcome.REVOKED, holder_notified=True)
        state = self._state(record)
        fields: dict[str, Value | bool] = self._validity(record, kind, state)
        if scan.verifier is not None:
            names, claims = (
                [name for name in as_json(used[column]) if scan.verifier.may_read(name)]
                for column in ("field_names", "claims")
            )
            fields |= self._agreed(record, kind, names, claims)
        outcome = rules.outcome_of(state)
        await self._tell(scan, used, record, outcome, tuple(fields))
        return Verified(outcome, kind.slug, fields, holder_notified=True)

    def _validity(self, record: Record, kind: Kind, state: State) -> dict[str, Value | bool]:
        """Return all that anybody may learn from a code."""
        content = record.content
        return {
            "name": rules.mask_name(str(content.fields[kind.name_field])),
            "state": state.value,
            "valid_until": None if content.valid_until is None else content.valid_until.isoformat(),
            "colour": rules.colour_of(kind, state, content.fields).value,
        }

    def _agreed(
        self, record: Record, kind: Kind, names: Sequence[str], claims: Sequence[str]
    ) -> dict[str, Value | bool]:
        """Return what the holder agreed to let this verifier read."""
        told = record.content.fields
        today = china_date(self._clock.now())
        agreed: dict[str, Value | bool] = {name: told.get(name) for name in names}
        for text in claims:
            claim = rules.find_claim(kind, text)
            if claim is not None:
                agreed[text] = rules.holds(kind.claims[claim.name], claim, told, today)
        return agreed

    def _state(self, record: Record) -> State:
        today = china_date(self._clock.now())
        content = record.content
        return rules.state_on(content.state, content.valid_until, today, expiring_days=self._settings.expiring_days)

    async def _tell(
        self,
        scan: _Scan,
        row: Mapping[str, Any],
        record: Record | None,
        outcome: Outcome,
        field_names: Sequence[str],
    ) -> None:
        certificate_id: UUID = as_uuid(row["certificate_id"])
        await self._audit.record(
            "certificates.verified",
            actor=scan.actor,
            subject_id=as_uuid(row["citizen_id"]),
            purpose=scan.purpose,
            object_kind="" if record is None else record.kind,
            object_id=certificate_id,
            field_names=field_names,
            outcome=outcome.value,
        )
        kind = None if record is None else self._kinds.find(record.kind)
        await self._jobs.enqueue(
            "notices.tell",
            event="certificates.shown" if outcome is Outcome.OK else "certificates.scan-failed",
            citizen_id=as_uuid(row["citizen_id"]),
            object_id=certificate_id,
            certificate="证照" if kind is None else kind.title,
            certificate_en="a certificate" if kind is None else kind.title_en,
        )
