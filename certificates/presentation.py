"""Showing a certificate: a code that lives for a minute, works once, and says nothing by itself."""

import io
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

import segno

from auth.delegation.effects import use_mandate
from auth.types import Caller
from certificates import rules
from certificates.definitions import Kinds
from certificates.errors import ClaimUnknown, FieldUnknown, StateForbids, VerifierUnknown
from certificates.records import Record, Records
from certificates.settings import CertificateSettings
from certificates.types import Colour, Kind, Shown
from core.audit.record import Audit
from core.cache import Limits
from core.clock import Clock, china_date
from core.crypto import sha256_hex
from core.db import execute, fetch, transaction
from core.errors import FieldError
from core.ids import Ids

CODE_BYTES: Final = 16  # 128 random bits: nothing to guess.
_QUIET_ZONE: Final = 4  # modules, ISO/IEC 18004
_MODULE: Final = 8  # pixels
_INK: Final = {Colour.BLACK: "#000000", Colour.RED: "#c00000"}

_INSERT: Final = """
INSERT INTO certificate_presentation (id, code_hash, certificate_id, citizen_id, session_id, field_names, claims,
                                      purpose, created_at, expires_at, mandate_id)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11) RETURNING id
"""
# A holder's screen shows one code at a time: the one before it ends now, so a picture of it is worth nothing.
_END_EARLIER: Final = """
UPDATE certificate_presentation SET expires_at = $2 WHERE certificate_id = $1 AND expires_at > $2 AND used_at IS NULL
"""
_FORGET: Final = "DELETE FROM certificate_presentation WHERE expires_at < $1"


@dataclass(frozen=True, slots=True)
class _Order:
    """What the holder lets out, for what, and how the code will look."""

    names: Sequence[str]
    claims: Sequence[str]
    purpose: str
    colour: Colour


class Presentation:
    """Shows certificates. The code is a random reference; what it lets out stands in our row, not in the picture."""

    def __init__(
        self,
        *,
        kinds: Kinds,
        records: Records,
        audit: Audit,
        limits: Limits,
        clock: Clock,
        ids: Ids,
        settings: CertificateSettings,
    ) -> None:
        self._kinds = kinds
        self._records = records
        self._audit = audit
        self._limits = limits
        self._clock = clock
        self._ids = ids
        self._settings = settings

    async def show(
        self,
        caller: Caller,
        certificate_id: UUID,
        *,
        fields: Sequence[str] | None = None,
        claims: Sequence[str] = (),
        verifier: UUID | None = None,
        purpose: str = "",
    ) -> Shown | None:
        """Make a code for one certificate; None when it does not exist, is somebody else's or out of scope.

        `fields` are those a verifier may read; None means the card face, or nothing when there are claims. The code
        that was shown before for the same certificate ends, and each code ends with the session that shows it and with
        the mandate under which it is shown. A mandate for once is used up by it.

        Raises:
            FieldUnknown: the kind has no such field.
            ClaimUnknown: the kind cannot support such a claim.
            VerifierUnknown: no such verifier is registered.
            StateForbids: the certificate is out of force for good.
            MandateMissing: the mandate has ended or is used up.
            TooManyRequests: too many codes in a short time.
            DatabaseUnavailable: the database could not be reached.
        """
        await self._limits.hit("certificates.show", self._settings.show_limit, f"citizen:{caller.citizen_id}")

        async def work() -> Shown | None:
            record = await self._records.find(certificate_id, caller.citizen_id)
            kind = None if record is None else self._kinds.find(record.kind)
            if record is None or kind is None or not caller.covers_certificate(kind.slug):
                return None
            names = _chosen_fields(kind, fields, has_claims=bool(claims))
            chosen = _chosen_claims(kind, claims)
            if verifier is not None:
                # Nobody is registered here yet, so no id can be right.
                raise VerifierUnknown(
                    errors=[FieldError("/verifier", "unknown", "没有这个用证单位", "There is no such verifier")]
                )
            return await self._make(caller, record, _Order(names, chosen, purpose, self._colour(record, kind)))

        return await transaction(work)

    async def forget(self, before: datetime) -> int:
        """Delete codes that ran out before a time and return how many went; the ledger keeps what became of them.

        Raises:
            DatabaseUnavailable: the database could not be reached.
        """

        async def work() -> int:
            return await execute(_FORGET, before)

        return await transaction(work)

    def _colour(self, record: Record, kind: Kind) -> Colour:
        content = record.content
        today = china_date(self._clock.now())
        state = rules.state_on(content.state, content.valid_until, today, expiring_days=self._settings.expiring_days)
        if not rules.may_be_shown(state):
            raise StateForbids(state=state.value)
        return rules.colour_of(kind, state, content.fields)

    async def _make(self, caller: Caller, record: Record, order: _Order) -> Shown:
        now = self._clock.now()
        await use_mandate(caller, now)
        expires_at = now + timedelta(seconds=self._settings.code_seconds)
        row_id, code = self._ids.uuid(), self._ids.token(CODE_BYTES)
        await execute(_END_EARLIER, record.id, now)
        await fetch(
            _INSERT,
            row_id,
            sha256_hex(code.encode()),
            record.id,
            record.citizen_id,
            caller.session_id,
            list(order.names),
            list(order.claims),
            order.purpose,
            now,
            expires_at,
            None if caller.mandate is None else caller.mandate.id,
        )
        await self._audit.record(
            "certificates.shown",
            actor=caller.actor,
            subject_id=record.citizen_id,
            purpose=order.purpose,
            object_kind=record.kind,
            object_id=record.id,
            field_names=[*order.names, *order.claims],
        )
        return Shown(row_id, code, qr_svg(code, order.colour), order.colour, expires_at)


def qr_svg(code: str, colour: Colour) -> str:
    """Return a complete SVG document with a QR code of exactly `code`, dark on white, with its quiet zone."""
    out = io.BytesIO()
    segno.make_qr(code, error="m").save(
        out, kind="svg", border=_QUIET_ZONE, scale=_MODULE, dark=_INK[colour], light="#ffffff", nl=False
    )
    return out.getvalue().decode()


def _chosen_fields(kind: Kind, fields: Sequence[str] | None, *, has_claims: bool) -> tuple[str, ...]:
    """Return the fields that leave, in the order of the card.

    Raises:
        FieldUnknown: a name is not of this kind.
    """
    if fields is None:
        return () if has_claims else kind.card_face
    strange = [index for index, name in enumerate(fields) if name not in kind.field_names]
    if strange:
        raise FieldUnknown(
            errors=[
                FieldError(f"/fields/{index}", "unknown", "这种证照没有这一项", "This kind has no such field")
                for index in strange
            ]
        )
    return tuple(name for name in kind.field_names if name in fields)


def _chosen_claims(kind: Kind, claims: Sequence[str]) -> tuple[str, ...]:
    """Return the claims that leave, each once.

    Raises:
        ClaimUnknown: one is not written like a claim, or this kind cannot support it.
    """
    strange = [index for index, text in enumerate(claims) if rules.find_claim(kind, text) is None]
    if strange:
        raise ClaimUnknown(
            errors=[
                FieldError(
                    f"/claims/{index}", "unknown", "这种证照不能证明这一点", "This kind cannot support this claim"
                )
                for index in strange
            ]
        )
    return tuple(dict.fromkeys(claims))
