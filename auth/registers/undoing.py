"""Taking back what one person did to the register alone, once others have found no reason for it."""

from collections.abc import Mapping
from contextlib import suppress
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from auth.registers.errors import KeyWithdrawn, PartySuspended
from auth.registers.parties import CONTACT, Parties, details_of
from auth.registers.types import PartyKind, PartyState
from auth.staff.types import Aftermath, Left, Undone
from auth.types import StaffCaller
from core.audit.actors import ActorKind
from core.audit.record import Audit
from core.clock import Clock
from core.crypto import Vault
from core.db import as_json, as_uuid, execute, fetch, fetch_one

_KINDS: Final = {
    "verifiers.register": PartyKind.VERIFIER,
    "verifiers.change": PartyKind.VERIFIER,
    "devices.register": PartyKind.DEVICE,
    "devices.change": PartyKind.DEVICE,
}
_WHY: Final = "an emergency without a reason"

_BY_ID: Final = "SELECT id, slug, state, details, contact_sealed FROM party WHERE id = $1 AND kind = $2"
_BY_SLUG: Final = "SELECT id, slug, state, details, contact_sealed FROM party WHERE kind = $1 AND slug = $2"
# Changes nothing: who changes it meanwhile waits, or is seen.
_HOLD: Final = "UPDATE party SET state = state WHERE id = $1 RETURNING state, details, contact_sealed"
_PUT_BACK: Final = """
UPDATE party SET details = $2, contact_sealed = $3, state = $4, changed_at = $5 WHERE id = $1
"""
_KEY: Final = "SELECT id FROM party_key WHERE party_id = $1 AND key_id = $2"
_COUNT: Final = "SELECT count(*) AS n FROM audit_line WHERE at >= $1 AND actor_kind = $2 AND actor_id = $3"


class RegisterUndoing:
    """Suspends what was let in, puts back what was changed, and counts what was done meanwhile."""

    def __init__(self, *, parties: Parties, vault: Vault, audit: Audit, clock: Clock) -> None:
        self._parties = parties
        self._vault = vault
        self._audit = audit
        self._clock = clock

    async def remember(self, action: str, payload: Mapping[str, Any]) -> Mapping[str, Any] | None:
        """Return how a party stands that is about to be changed; None for any other action, or without such a party.

        Raises:
            DatabaseUnavailable: the database could not be reached.
        """
        if not action.endswith(".change"):
            return None
        kind = _KINDS[action]
        row = await fetch_one(_BY_ID, UUID(payload[f"{kind.value}_id"]), kind.value)
        if row is None:
            return None
        contact = self._contact(as_uuid(row["id"]), row["contact_sealed"])
        return {"state": row["state"], "details": as_json(row["details"]), "contact": contact}

    async def undo(
        self,
        action: str,
        payload: Mapping[str, Any],
        before: Mapping[str, Any] | None,
        *,
        since: datetime,
        caller: StaffCaller,
    ) -> Aftermath:
        """Take back what was done at `since`, in the running transaction; return what was undone and what is left.

        Raises:
            OutsideTransaction: no transaction is running.
        """
        kind = PartyKind(payload["kind"]) if action == "keys.add" else _KINDS[action]
        if before is None:
            row = await fetch_one(_BY_SLUG, kind.value, payload["slug"])
        else:
            row = await fetch_one(_BY_ID, UUID(payload[f"{kind.value}_id"]), kind.value)
        if row is None:  # A party is never deleted: nothing of this was done.
            return Aftermath()
        party_id, left = as_uuid(row["id"]), dict[Left, int]()
        if before is not None:
            undone, changed_since = await self._put_back(kind, party_id, payload, before, caller)
            if changed_since:
                left[Left.PARTY_CHANGED_SINCE] = 0
        else:
            undone = await self._let_out(kind, party_id, payload, caller, whole=action != "keys.add")
        if count := await self._acted(kind, party_id, row["slug"], since):
            left[Left.PARTY_ACTED] = count
        return Aftermath(tuple(undone), left)

    async def _let_out(
        self, kind: PartyKind, party_id: UUID, payload: Mapping[str, Any], caller: StaffCaller, *, whole: bool
    ) -> list[Undone]:
        """Withdraw the key that came in, and suspend the party if it came in with it."""
        undone = []
        key = await fetch_one(_KEY, party_id, payload["key"]["key_id"])
        with suppress(KeyWithdrawn):
            if key is not None:
                await self._parties.withdraw_key(caller, as_uuid(key["id"]), reason=_WHY)
                undone.append(Undone.KEY_WITHDRAWN)
        with suppress(PartySuspended):
            if whole:
                await self._parties.suspend(caller, kind, party_id, reason=_WHY)
                undone.append(Undone.PARTY_SUSPENDED)
        return undone

    async def _put_back(
        self,
        kind: PartyKind,
        party_id: UUID,
        payload: Mapping[str, Any],
        before: Mapping[str, Any],
        caller: StaffCaller,
    ) -> tuple[list[Undone], bool]:
        """Put back what stood there, unless others have changed it since; then it is suspended."""
        (row,) = await fetch(_HOLD, party_id)
        as_done = as_json(row["details"]) == details_of(kind, payload)
        if not as_done or self._contact(party_id, row["contact_sealed"]) != payload["contact"]:
            with suppress(PartySuspended):
                await self._parties.suspend(caller, kind, party_id, reason=_WHY)
                return [Undone.PARTY_SUSPENDED], True
            return [], True
        # Who was suspended since stays so.
        state = PartyState(before["state"] if row["state"] == payload["state"] else PartyState.SUSPENDED)
        contact = before["contact"]
        sealed = None if contact is None else self._vault.seal(CONTACT, party_id, contact)
        await execute(_PUT_BACK, party_id, before["details"], sealed, state.value, self._clock.now())
        await self._audit.record(
            "auth.party-changed", actor=caller.actor, object_kind="party", object_id=party_id, purpose=_WHY
        )
        return [Undone.PARTY_RESTORED], False

    @staticmethod
    async def _acted(kind: PartyKind, party_id: UUID, slug: str, since: datetime) -> int:
        """Count the lines of the audit that tell of what a party has done since then."""
        who = {
            PartyKind.VERIFIER: (ActorKind.VERIFIER, str(party_id)),
            PartyKind.DEPARTMENT: (ActorKind.DEPARTMENT, slug),
        }
        if kind not in who:
            return 0
        actor_kind, actor_id = who[kind]
        row = await fetch_one(_COUNT, since, actor_kind.value, actor_id)
        return int(row["n"]) if row else 0

    def _contact(self, party_id: UUID, sealed: bytes | None) -> str | None:
        return None if sealed is None else self._vault.open(CONTACT, party_id, sealed)
