"""What the wallet stores about a person: their certificates, and the codes they have shown."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from auth.types import Erasure, Outlook, Plain, Section
from certificates.records import Record, Records
from core.db import as_json, as_moment, as_uuid, execute, fetch, require_transaction

_SHOWN: Final = """
SELECT id, certificate_id, mandate_id, field_names, claims, purpose, created_at, expires_at, used_at
FROM certificate_presentation WHERE citizen_id = $1 ORDER BY id
"""
_FORGET_SHOWN: Final = "DELETE FROM certificate_presentation WHERE citizen_id = $1"
_FORGET: Final = "DELETE FROM certificate WHERE citizen_id = $1"


class WalletData:
    """What certificates store about people. A wallet holds copies: the originals stay with their issuers."""

    def __init__(self, *, records: Records) -> None:
        self._records = records

    async def export(self, citizen_id: UUID) -> Sequence[Section]:
        """Return every certificate with all its fields, and every code that was shown.

        Raises:
            RecordUnreadable: a certificate does not open.
            DatabaseUnavailable: the database could not be reached.
        """
        held = [_certificate(record) for record in await self._records.all_of(citizen_id)]
        shown = [_presentation(row) for row in await fetch(_SHOWN, citizen_id)]
        return [
            Section("certificates", "电子证照", "Certificates", ("certificate",), held),
            Section("presentations", "亮证记录", "Presentations", ("certificate_presentation",), shown),
        ]

    async def foresee(self, citizen_id: UUID, now: datetime) -> Outlook:
        """Return that nothing is stopped and nothing kept: the copies go.

        Raises:
            DatabaseUnavailable: never; nothing is asked.
        """
        del citizen_id, now
        return Outlook()

    async def erase(self, citizen_id: UUID, now: datetime) -> Erasure:
        """Erase the wallet.

        Raises:
            OutsideTransaction: no transaction is running.
            DatabaseUnavailable: the database could not be reached.
        """
        require_transaction()
        del now
        shown = await execute(_FORGET_SHOWN, citizen_id)
        return Erasure({"certificate_presentation": shown, "certificate": await execute(_FORGET, citizen_id)})

    async def owns(self, citizen_id: UUID, certificate_id: UUID) -> bool:
        """Tell whether a person holds a certificate.

        Raises:
            DatabaseUnavailable: the database could not be reached.
        """
        return await self._records.find(certificate_id, citizen_id) is not None


def _certificate(record: Record) -> dict[str, Plain]:
    content = record.content
    return {
        "id": str(record.id),
        "kind": record.kind,
        "state": content.state.value,
        "number": content.number,
        "identifier": content.identifier,
        "version": content.version,
        "issuer": content.issuer,
        "valid_until": None if content.valid_until is None else content.valid_until.isoformat(),
        "fields": dict(content.fields),
        "fetched_at": record.fetched_at.isoformat(),
        "stale_since": None if record.stale_since is None else record.stale_since.isoformat(),
    }


def _presentation(row: Mapping[str, Any]) -> dict[str, Plain]:
    return {
        "id": str(as_uuid(row["id"])),
        "certificate_id": str(as_uuid(row["certificate_id"])),
        "fields": as_json(row["field_names"]),
        "claims": as_json(row["claims"]),
        "purpose": row["purpose"],
        "by": "self" if row["mandate_id"] is None else "agent",
        "created_at": as_moment(row["created_at"]).isoformat(),
        "expires_at": as_moment(row["expires_at"]).isoformat(),
        "used_at": None if row["used_at"] is None else as_moment(row["used_at"]).isoformat(),
    }
