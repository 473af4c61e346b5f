"""What is asked for and why, sealed to its request: the rows of approvals and emergencies, opened and shown."""

import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from auth.staff.types import Aftermath, ApprovalState, ApprovalView, Finding, Left, Undone
from core.crypto import Vault
from core.db import as_json, as_moment, as_uuid

_PAYLOAD: Final = "approval.payload"
_REASON: Final = "approval.reason"
_BEFORE: Final = "approval.before"
_FOLLOW_UP: Final = "approval.follow_up"


class Papers:
    """Seals and opens what stands in a request."""

    def __init__(self, *, vault: Vault) -> None:
        self._vault = vault

    def seal_payload(self, approval_id: UUID, payload: Mapping[str, object]) -> bytes:
        """Seal what is asked for."""
        return self._vault.seal(_PAYLOAD, approval_id, json.dumps(payload, ensure_ascii=False))

    def open_payload(self, approval_id: UUID, sealed: bytes) -> Mapping[str, Any]:
        """Return what is asked for.

        Raises:
            RecordUnreadable: it was changed or moved.
        """
        payload: Mapping[str, Any] = json.loads(self._vault.open(_PAYLOAD, approval_id, sealed))
        return payload

    def seal_reason(self, approval_id: UUID, reason: str) -> bytes:
        """Seal why it is asked for: people write names into such lines."""
        return self._vault.seal(_REASON, approval_id, reason)

    def open_reason(self, approval_id: UUID, sealed: bytes) -> str:
        """Return why it is asked for.

        Raises:
            RecordUnreadable: it was changed or moved.
        """
        return self._vault.open(_REASON, approval_id, sealed)

    def seal_before(self, approval_id: UUID, before: Mapping[str, object]) -> bytes:
        """Seal what stood where an emergency changes something."""
        return self._vault.seal(_BEFORE, approval_id, json.dumps(before, ensure_ascii=False))

    def open_before(self, approval_id: UUID, sealed: bytes) -> Mapping[str, Any]:
        """Return what stood there.

        Raises:
            RecordUnreadable: it was changed or moved.
        """
        before: Mapping[str, Any] = json.loads(self._vault.open(_BEFORE, approval_id, sealed))
        return before

    def seal_follow_up(self, approval_id: UUID, note: str) -> bytes:
        """Seal what somebody says who has seen to an unjustified emergency."""
        return self._vault.seal(_FOLLOW_UP, approval_id, note)

    def open_follow_up(self, approval_id: UUID, sealed: bytes) -> str:
        """Return what they said.

        Raises:
            RecordUnreadable: it was changed or moved.
        """
        return self._vault.open(_FOLLOW_UP, approval_id, sealed)


def view_of(row: Mapping[str, Any], now: datetime, *, papers: Papers | None = None) -> ApprovalView:
    """Return a row of `approval` as it is shown; with `papers` also what it says."""
    approval_id, state = as_uuid(row["id"]), ApprovalState(row["state"])
    expires_at = as_moment(row["expires_at"])
    if state in {ApprovalState.WAITING, ApprovalState.APPROVED} and expires_at <= now:
        state = ApprovalState.EXPIRED
    return ApprovalView(
        id=approval_id,
        action=row["action"],
        payload_hash=row["payload_hash"],
        state=state,
        emergency=bool(row["emergency"]),
        requested_by=as_uuid(row["requested_by"]),
        requested_at=as_moment(row["requested_at"]),
        expires_at=expires_at,
        decided_by=_id(row["decided_by"]),
        decided_at=_moment(row["decided_at"]),
        executed_at=_moment(row["executed_at"]),
        reviewed_by=_id(row["reviewed_by"]),
        reviewed_at=_moment(row["reviewed_at"]),
        finding=Finding(row["finding"]) if row["finding"] else None,
        aftermath=_aftermath(row["aftermath"]),
        followed_up_by=_id(row["followed_up_by"]),
        followed_up_at=_moment(row["followed_up_at"]),
        payload=None if papers is None else papers.open_payload(approval_id, row["payload_sealed"]),
        reason=None if papers is None else papers.open_reason(approval_id, row["reason_sealed"]),
        follow_up=(
            None
            if papers is None or row["follow_up_sealed"] is None
            else papers.open_follow_up(approval_id, row["follow_up_sealed"])
        ),
    )


def kept(aftermath: Aftermath) -> dict[str, object]:
    """Return what became of an emergency as it stands in its row."""
    return {
        "undone": [each.value for each in aftermath.undone],
        "left": {each.value: count for each, count in aftermath.left.items()},
    }


def _aftermath(value: object) -> Aftermath:
    found = as_json(value)
    if found is None:
        return Aftermath()
    left = {Left(each): int(count) for each, count in found["left"].items()}
    return Aftermath(tuple(Undone(each) for each in found["undone"]), left)


def _id(value: object) -> UUID | None:
    return None if value is None else as_uuid(value)


def _moment(value: object) -> datetime | None:
    return None if value is None else as_moment(value)
