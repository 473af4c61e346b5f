"""Showing a certificate: a code that lives for a minute, works once, and says nothing by itself."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from auth.delegation.effects import use_mandate
from auth.types import Caller
from certificates import rules
from certificates.definitions import Kinds
from certificates.errors import StateForbids
from certificates.ports import Verifiers
from certificates.qr import qr_svg
from certificates.records import Record, Records
from certificates.selection import Selection, require_allowed
from certificates.settings import CertificateSettings
from certificates.types import Colour, Kind, Showing, ShowingState, Shown
from core.audit.record import Audit
from core.cache import Limits
from core.clock import Clock, china_date
from core.crypto import sha256_hex
from core.db import as_json, as_moment, as_uuid, execute, fetch_one, in_one_statement, later, transaction
from core.ids import Ids

CODE_BYTES: Final = 16  # 128 random bits: nothing to guess.

_INSERT: Final = """
INSERT INTO certificate_presentation (id, code_hash, certificate_id, citizen_id, session_id, field_names, claims,
                                      purpose, created_at, expires_at, mandate_id, verifier_id)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12) RETURNING id
"""
# A holder's screen shows one code at a time: the one before it ends now, so a picture of it is worth nothing.
_END_EARLIER: Final = """
UPDATE certificate_presentation SET expires_at = $2 WHERE certificate_id = $1 AND expires_at > $2 AND used_at IS NULL
RETURNING id
"""
_FIND: Final = """
SELECT p.*, c.kind FROM certificate_presentation p JOIN certificate c ON c.id = p.certificate_id
WHERE p.id = $1 AND p.certificate_id = $2 AND p.citizen_id = $3
"""
_FORGET: Final = "DELETE FROM certificate_presentation WHERE expires_at < $1"


@dataclass(frozen=True, slots=True)
class _Order:
    """What the holder lets out, for what, and how the code will look."""

    chosen: Selection
    verifier: UUID | None
    purpose: str
    colour: Colour


class Presentation:
    """Shows certificates. The code is a random reference; what it lets out stands in our row, not in the picture."""

    def __init__(
        self,
        *,
        kinds: Kinds,
        records: Records,
        verifiers: Verifiers,
        audit: Audit,
        limits: Limits,
        clock: Clock,
        ids: Ids,
        settings: CertificateSettings,
    ) -> None:
        self._kinds = kinds
        self._records = records
        self._verifiers = verifiers
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
        the mandate under which it is shown. A mandate for once is used up by it. With a `verifier` the code is the
        holder's consent to that one alone, for that `purpose` alone: nobody else uses it up or learns anything by it.

        Raises:
            FieldUnknown: the kind has no such field, or the verifier may not read it for this purpose.
            NothingChosen: neither a field nor a claim was chosen.
            ClaimUnknown: the kind cannot support such a claim.
            VerifierUnknown: no such verifier is registered.
            PurposeRequired: the verifier is not registered for this purpose, or none is named.
            StateForbids: the certificate is out of force for good.
            MandateMissing: the mandate has ended or is used up.
            TooManyRequests: too many codes in a short time.
            DatabaseUnavailable: the database could not be reached.
        """
        await self._limits.hit("certificates.show", self._settings.show_limit, f"citizen:{caller.citizen_id}")

        record = await self._records.find(certificate_id, caller.citizen_id)
        kind = None if record is None else self._kinds.find(record.kind)
        if record is None or kind is None or not caller.covers_certificate(kind.slug):
            return None
        chosen = Selection.choose(kind, fields, claims)
        if verifier is not None:
            require_allowed(await self._verifiers.find(verifier), purpose, chosen)
        order = _Order(chosen, verifier, purpose, self._colour(record, kind))
        code = self._ids.token(CODE_BYTES)
        # Drawing takes milliseconds: before anything is held.
        picture = qr_svg(code, order.colour)

        async def work() -> tuple[UUID, datetime]:
            return await self._make(caller, record, order, code)

        # Without a mandate nothing is left to be read: the scan looks again at how the certificate stands.
        row_id, expires_at = await (in_one_statement(work) if caller.mandate is None else transaction(work))
        return Shown(row_id, code, picture, order.colour, expires_at)

    async def find(self, caller: Caller, certificate_id: UUID, presentation_id: UUID) -> Showing | None:
        """Return what became of a code; None when it is not of this certificate, somebody else's or out of scope.

        Raises:
            DatabaseUnavailable: the database could not be reached.
        """
        row = await fetch_one(_FIND, presentation_id, certificate_id, caller.citizen_id)
        if row is None or not caller.covers_certificate(row["kind"]):
            return None
        expires_at, used_at = as_moment(row["expires_at"]), row["used_at"]
        state = ShowingState.OPEN if expires_at > self._clock.now() else ShowingState.ENDED
        return Showing(
            id=presentation_id,
            state=state if used_at is None else ShowingState.USED,
            field_names=tuple(as_json(row["field_names"])),
            claims=tuple(as_json(row["claims"])),
            verifier=None if row["verifier_id"] is None else as_uuid(row["verifier_id"]),
            purpose=row["purpose"],
            created_at=as_moment(row["created_at"]),
            expires_at=expires_at,
            used_at=None if used_at is None else as_moment(used_at),
        )

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

    async def _make(self, caller: Caller, record: Record, order: _Order, code: str) -> tuple[UUID, datetime]:
        now = self._clock.now()
        if caller.mandate is not None:
            await use_mandate(caller, now)
        expires_at = now + timedelta(seconds=self._settings.code_seconds)
        row_id = self._ids.uuid()
        await later(_END_EARLIER, record.id, now)
        await later(
            _INSERT,
            row_id,
            sha256_hex(code.encode()),
            record.id,
            record.citizen_id,
            caller.session_id,
            list(order.chosen.names),
            list(order.chosen.claims),
            order.purpose,
            now,
            expires_at,
            None if caller.mandate is None else caller.mandate.id,
            order.verifier,
        )
        await self._audit.record(
            "certificates.shown",
            actor=caller.actor,
            subject_id=record.citizen_id,
            purpose=order.purpose,
            object_kind=record.kind,
            object_id=record.id,
            field_names=order.chosen.all,
        )
        return row_id, expires_at
