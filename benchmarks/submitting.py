"""The floor of a durable submission: the statements of the product, in one transaction, with nothing between them."""

import hashlib
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from api.idempotency import _CLAIM as _CLAIM_KEY
from api.idempotency import _CLAIM_OR_TURN_BACK as _CLAIM_KEY_OR_TURN_BACK
from api.idempotency import _KEEP
from benchmarks.store import SqliteStore, Statements, Store
from certificates.records import _STANDING as _HELD
from core.audit.record import _INSERT as _ADD_AUDIT_LINE
from core.ids import RandomIds
from core.jobs.queue import _INSERT as _ADD_JOB
from matters.applications.numbers import _TAKE as _TAKE_NUMBER
from matters.applications.records import _FILES
from matters.applications.records import _MINE as _RECORD
from matters.applications.submission import _MINE as _DRAFT
from matters.applications.submission import _NUMBERED, _PLAN, _RECENT
from matters.cases.history import _ACTIONS, _APPEND, _CACHE, _TAKE
from matters.materials.resolving import _GIVEN, _SETTLE

# As long as what the product keeps: the answer of a submission with its headers, sealed.
_KEPT: Final = bytes(420)
_SUBMITTED: Final = "submitted"
# How the materials of the matter that is submitted are satisfied.
_WAYS: Final = {"identity": "verified", "residence-permit": "shared", "proof-of-residence": "promise"}

_ids = RandomIds()


@dataclass(frozen=True, slots=True)
class Draft:
    """What is submitted, by whom, under which key."""

    application_id: UUID
    citizen_id: UUID
    key: str


async def submit_by_hand(store: Store, draft: Draft, now: datetime) -> dict[str, str]:
    """Take a number, then write everything a submission is in one transaction; return the answer."""
    rows = await store.fetch(_DRAFT, draft.application_id, draft.citizen_id)
    matter_code = rows[0]["matter_code"]
    taken = await store.fetch(_TAKE_NUMBER, f"floor:{matter_code}")
    # No number of the product's is ever taken twice: the day is one that never comes.
    number = f"{matter_code}0000000{int(taken[0]['value']):05d}"
    async with store.transaction() as statements:
        kept_id = await _claim(statements, draft, now, sqlite=isinstance(store, SqliteStore))
        answer = await _write(statements, draft, number, now)
        await statements.fetch(_KEEP, kept_id, 202, _KEPT)
    return answer


async def _claim(statements: Statements, draft: Draft, now: datetime, *, sqlite: bool) -> UUID:
    kept_id = _ids.uuid()
    scope = hashlib.sha256(f"{draft.citizen_id}\n{draft.application_id}\n{draft.key}".encode()).hexdigest()
    values = (kept_id, scope, hashlib.sha256(b"").hexdigest(), now + timedelta(seconds=60), now)
    if sqlite:
        await statements.fetch(_CLAIM_KEY, *values)
    else:
        lock = int.from_bytes(bytes.fromhex(scope[:16]), "big", signed=True)
        await statements.fetch(_CLAIM_KEY_OR_TURN_BACK, *values, lock)
    return kept_id


async def _write(statements: Statements, draft: Draft, number: str, now: datetime) -> dict[str, str]:
    application_id, citizen_id = draft.application_id, draft.citizen_id
    record = (await statements.fetch(_RECORD, application_id, citizen_id))[0]
    matter_code, department = record["matter_code"], record["department"]
    await statements.fetch(_FILES, application_id)
    await statements.fetch(_HELD, citizen_id, 100)
    await statements.fetch(_GIVEN, citizen_id, matter_code)
    await statements.fetch(_RECENT, citizen_id, matter_code, now - timedelta(hours=1))
    taken = (await statements.fetch(_TAKE, application_id, now))[0]
    await statements.fetch(_ACTIONS, application_id)
    await statements.fetch(
        _APPEND, _ids.uuid(), application_id, taken["actions"], _SUBMITTED, now, "citizen", str(citizen_id), None, 0,
        "", None, None, "{}", now,
    )  # fmt: skip
    await statements.fetch(_CACHE, application_id, _SUBMITTED, None, None, None, "", None, now)
    query_code = _ids.digits(6)
    code_hash = hashlib.sha256(f"{number}:{query_code}".encode()).hexdigest()[:32]
    form, sources = record["form_sealed"], record["sources"]
    await statements.fetch(_NUMBERED, application_id, number, code_hash, now, "mobile", form, sources, form)
    await statements.fetch(_PLAN, _ids.uuid(), application_id, department, now)
    for material, way in _WAYS.items():
        await statements.fetch(
            _SETTLE, _ids.uuid(), application_id, matter_code, department, material, "1", way, "", now
        )
    request_id = _ids.uuid().hex
    await statements.fetch(
        _ADD_AUDIT_LINE, _ids.uuid(), now, "citizen", str(citizen_id), citizen_id, None, "matters.submitted", "",
        "application", str(application_id), "[]", "ok", request_id,
    )  # fmt: skip
    payload = f'{{"application_id":"{application_id}"}}'
    await statements.fetch(_ADD_JOB, _ids.uuid(), "matters.deliver", payload, now, request_id, now, department)
    return {"number": number, "query_code": query_code, "state": _SUBMITTED}
