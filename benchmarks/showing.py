"""Showing and scanning: residents made present, codes written as the product writes them, and both by hand."""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final
from uuid import UUID

import jwt

from auth.places.recent import CALLER
from benchmarks.residents import Resident
from benchmarks.store import Row, Statements, Store
from certificates.presentation import _END_EARLIER, _INSERT
from certificates.qr import qr_svg
from certificates.records import _FIND as _CERTIFICATE
from certificates.types import Colour
from certificates.verification import _FIND as _CODE
from certificates.verification import _USE
from core.audit.record import _INSERT as _ADD_AUDIT_LINE
from core.ids import RandomIds
from core.jobs.queue import _INSERT as _ADD_JOB

_CODE_BYTES: Final = 16
_LIVES: Final = timedelta(seconds=60)
# As long as everything is measured.
_PRESENT: Final = timedelta(hours=2)
_FIELDS: Final = '["number","name","sex","vehicle_class","valid_from","valid_until","status"]'
_TOLD: Final = '["name","state","valid_until","colour"]'
_MAKE_PRESENT: Final = "UPDATE citizen_session SET present_until = $2 WHERE id = $1"

_ids = RandomIds()


@dataclass(frozen=True, slots=True)
class Held:
    """A certificate, whose it is, and where they are logged in."""

    certificate_id: UUID
    citizen_id: UUID
    session_id: UUID


def session_of(resident: Resident) -> UUID:
    """Return the session of somebody's token."""
    return UUID(jwt.decode(resident.token, options={"verify_signature": False})["sid"])


async def make_present(store: Store, residents: Sequence[Resident]) -> None:
    """Lift everybody's session as a face check would: hundreds of those would be another measurement."""
    until = datetime.now(UTC) + _PRESENT
    async with store.transaction() as statements:
        for resident in residents:
            await statements.fetch(_MAKE_PRESENT, session_of(resident), until)


async def codes_for(store: Store, held: Sequence[Held], count: int) -> list[str]:
    """Write so many codes that can be scanned, of these certificates in turn, and return them.

    A holder's screen shows one code at a time; these are more.
    """
    codes, now = [_ids.token(_CODE_BYTES) for _ in range(count)], datetime.now(UTC)
    async with store.transaction() as statements:
        for number, code in enumerate(codes):
            await _add_code(statements, code, held[number % len(held)], now, lives=_PRESENT)
    return codes


async def show_by_hand(store: Store, held: Held, now: datetime) -> dict[str, Any]:
    """Show a certificate: the product's statements in its one transaction, and the picture, which nobody gets round."""
    code = _ids.token(_CODE_BYTES)
    async with store.transaction() as statements:
        [row] = await statements.fetch(_CERTIFICATE, held.certificate_id, held.citizen_id)
        await statements.fetch(_END_EARLIER, held.certificate_id, now)
        row_id = await _add_code(statements, code, held, now, lives=_LIVES)
        actor = ("certificates.shown", "citizen", str(held.citizen_id), _FIELDS)
        await _note(statements, actor, row, now)
    return {
        "id": str(row_id),
        "code": code,
        "qr_svg": qr_svg(code, Colour.BLACK),
        "colour": "black",
        "expires_at": (now + _LIVES).isoformat(),
    }


async def verify_by_hand(store: Store, code: str, now: datetime) -> dict[str, Any]:
    """Use a code up: the product's statements in its one transaction."""
    code_hash = hashlib.sha256(code.encode()).hexdigest()
    async with store.transaction() as statements:
        [row] = await statements.fetch(_CODE, code_hash)
        await statements.fetch(CALLER, _uuid(row["session_id"]), now)
        await statements.fetch(_USE, code_hash, now)
        request_id = await _note(statements, ("certificates.verified", "nobody", "", _TOLD), row, now)
        payload = {"event": "certificates.shown", "citizen_id": str(row["citizen_id"]), "object_id": str(row["id"])}
        told = json.dumps({**payload, "certificate": "驾驶证", "certificate_en": "Driving licence"})
        await statements.fetch(_ADD_JOB, _ids.uuid(), "notices.tell", told, now, request_id, now, "")
    fields = {"state": row["state"], "valid_until": str(row["valid_until"]), "colour": "black"}
    return {"outcome": "ok", "kind": row["kind"], "fields": fields, "holder_notified": True}


async def _add_code(statements: Statements, code: str, held: Held, now: datetime, *, lives: timedelta) -> UUID:
    row_id, code_hash = _ids.uuid(), hashlib.sha256(code.encode()).hexdigest()
    await statements.fetch(
        _INSERT, row_id, code_hash, held.certificate_id, held.citizen_id, held.session_id, _FIELDS, "[]", "", now,
        now + lives, None, None,
    )  # fmt: skip
    return row_id


async def _note(statements: Statements, what: tuple[str, str, str, str], row: Row, now: datetime) -> str:
    """Write the line of the ledger; `what` is the action, who acts, and the names of fields."""
    (action, kind, actor, fields), request_id = what, _ids.uuid().hex
    await statements.fetch(
        _ADD_AUDIT_LINE, _ids.uuid(), now, kind, actor, _uuid(row["citizen_id"]), None, action, "", row["kind"],
        str(row["id"]), fields, "ok", request_id,
    )  # fmt: skip
    return request_id


def _uuid(value: object) -> UUID:
    return value if isinstance(value, UUID) else UUID(str(value))
