"""The register of parties outside: verifiers, departments' keys, devices. What widens trust takes two people.

What narrows it (suspending a party, withdrawing a key) one person does at once.
"""

from collections.abc import Mapping
from typing import Any, Final
from uuid import UUID

from auth.registers.admission import Admission, read_key
from auth.registers.errors import KeyWithdrawn, NoSuchParty, PartySuspended, PartyTaken, TooManyKeys
from auth.registers.purposes import terms_of
from auth.registers.types import KeyView, PartyKind, PartyState, PartyView
from auth.types import StaffCaller
from core.audit.record import Audit
from core.clock import Clock
from core.crypto import Vault
from core.db import as_json, as_moment, as_uuid, execute, fetch, fetch_one, transaction
from core.ids import Ids
from core.signers.strength import fingerprint

CONTACT: Final = "party.contact"
_KEYS_AT_ONCE: Final = 2

_ADD: Final = """
INSERT INTO party (id, kind, slug, state, details, contact_sealed, registered_at, changed_at)
VALUES ($1, $2, $3, 'active', $4, $5, $6, $6) ON CONFLICT (slug) DO NOTHING RETURNING id
"""
_CHANGE: Final = """
UPDATE party SET details = $3, contact_sealed = $4, state = $5, changed_at = $6 WHERE id = $1 AND kind = $2 RETURNING id
"""
# Changes nothing: two keys added at once wait here for each other.
_HOLD: Final = "UPDATE party SET state = state WHERE kind = $1 AND slug = $2 RETURNING id"
_COUNT_KEYS: Final = "SELECT count(*) AS n FROM party_key WHERE party_id = $1 AND state = 'active'"
_ADD_KEY: Final = """
INSERT INTO party_key (id, party_id, key_id, public_key, fingerprint, state, added_at)
VALUES ($1, $2, $3, $4, $5, 'active', $6) ON CONFLICT DO NOTHING RETURNING id
"""
_WITHDRAW: Final = """
UPDATE party_key SET state = 'withdrawn', withdrawn_at = $2 WHERE id = $1 AND state = 'active' RETURNING party_id
"""
_SUSPEND: Final = """
UPDATE party SET state = 'suspended', changed_at = $3 WHERE id = $1 AND kind = $2 AND state = 'active'
"""
_LIST: Final = "SELECT * FROM party WHERE kind = $1 AND slug > $2 ORDER BY slug LIMIT $3"
_ONE: Final = "SELECT * FROM party WHERE id = $1 AND kind = $2"
_KEY: Final = "SELECT id FROM party_key WHERE id = $1"
_KEYS: Final = "SELECT * FROM party_key WHERE party_id = $1 ORDER BY added_at DESC, id DESC"


class Parties:
    """Who is registered. The first five are deeds: they run in the transaction that approves them."""

    def __init__(self, *, admission: Admission, vault: Vault, audit: Audit, clock: Clock, ids: Ids) -> None:
        self._admission = admission
        self._vault = vault
        self._audit = audit
        self._clock = clock
        self._ids = ids

    async def register_verifier(self, payload: Mapping[str, Any], caller: StaffCaller) -> None:
        """Register a verifier with its first key.

        Raises:
            PartyTaken: its name in addresses, its key or the id of that is registered already.
            KeyUnusable: the key is none that can be trusted.
            NameUnknown: it names something that there is not.
        """
        await self._register(PartyKind.VERIFIER, payload, caller)

    async def change_verifier(self, payload: Mapping[str, Any], caller: StaffCaller) -> None:
        """Change what a verifier may do.

        Raises:
            NoSuchParty: there is no such verifier.
            NameUnknown: it names something that there is not.
        """
        await self._change(PartyKind.VERIFIER, UUID(payload["verifier_id"]), payload, caller)

    async def register_device(self, payload: Mapping[str, Any], caller: StaffCaller) -> None:
        """Register a kiosk or an officer's device with its first key.

        Raises:
            PartyTaken: its name in addresses, its key or the id of that is registered already.
            KeyUnusable: the key is none that can be trusted.
            NameUnknown: it names something that there is not.
        """
        await self._register(PartyKind.DEVICE, payload, caller)

    async def change_device(self, payload: Mapping[str, Any], caller: StaffCaller) -> None:
        """Change where a device stands and what it may be used for.

        Raises:
            NoSuchParty: there is no such device.
            NameUnknown: it names something that there is not.
        """
        await self._change(PartyKind.DEVICE, UUID(payload["device_id"]), payload, caller)

    async def add_key(self, payload: Mapping[str, Any], caller: StaffCaller) -> None:
        """Give a party one more key; a department's first key registers it.

        Raises:
            NoSuchParty: there is no such verifier or device.
            TooManyKeys: it has two active keys.
            PartyTaken: this key, or one of that id, is or was somebody's.
            KeyUnusable: the key is none that can be trusted.
            NameUnknown: there is no such department.
        """
        self._admission.require_sound(payload)
        kind, slug, now = PartyKind(payload["kind"]), payload["slug"], self._clock.now()
        if kind is PartyKind.DEPARTMENT:
            await fetch(_ADD, self._ids.uuid(), kind.value, slug, {}, None, now)
        row = await fetch_one(_HOLD, kind.value, slug)
        if row is None:
            raise NoSuchParty
        party_id = as_uuid(row["id"])
        await self._add_key(party_id, payload["key"])
        await self._record("auth.party-key-added", caller, party_id)

    async def withdraw_key(self, caller: StaffCaller, key_id: UUID, *, reason: str) -> None:
        """Take no signature of this key any more, within a second.

        Raises:
            NoSuchParty: there is no such key.
            KeyWithdrawn: it was withdrawn before.
        """

        async def work() -> None:
            rows = await fetch(_WITHDRAW, key_id, self._clock.now())
            if not rows:
                raise KeyWithdrawn if await fetch_one(_KEY, key_id) else NoSuchParty
            await self._record("auth.party-key-withdrawn", caller, as_uuid(rows[0]["party_id"]), purpose=reason)

        await transaction(work)

    async def suspend(self, caller: StaffCaller, kind: PartyKind, party_id: UUID, *, reason: str) -> None:
        """Take no request of this party any more, within a second.

        Raises:
            NoSuchParty: there is no such party.
            PartySuspended: it is suspended already.
        """

        async def work() -> None:
            if await execute(_SUSPEND, party_id, kind.value, self._clock.now()) != 1:
                raise PartySuspended if await fetch_one(_ONE, party_id, kind.value) else NoSuchParty
            await self._record("auth.party-suspended", caller, party_id, purpose=reason)

        await transaction(work)

    async def list_parties(self, kind: PartyKind, *, after: str, limit: int) -> list[PartyView]:
        """Return the parties of a kind by their slug, those after one.

        Raises:
            DatabaseUnavailable: the database could not be reached.
        """
        return [self._view(row) for row in await fetch(_LIST, kind.value, after, limit)]

    async def get(self, kind: PartyKind, party_id: UUID) -> PartyView:
        """Return a party with its keys and whom to call there.

        Raises:
            NoSuchParty: there is no such party.
        """
        row = await fetch_one(_ONE, party_id, kind.value)
        if row is None:
            raise NoSuchParty
        keys = tuple(
            KeyView(
                id=as_uuid(key["id"]),
                key_id=key["key_id"],
                public_key=key["public_key"],
                active=key["state"] == "active",
                added_at=as_moment(key["added_at"]),
                withdrawn_at=None if key["withdrawn_at"] is None else as_moment(key["withdrawn_at"]),
            )
            for key in await fetch(_KEYS, party_id)
        )
        return self._view(row, keys=keys, with_contact=True)

    async def _register(self, kind: PartyKind, payload: Mapping[str, Any], caller: StaffCaller) -> None:
        self._admission.require_sound(payload)
        party_id = self._ids.uuid()
        sealed = self._vault.seal(CONTACT, party_id, payload["contact"])
        details = details_of(kind, payload)
        if not await fetch(_ADD, party_id, kind.value, payload["slug"], details, sealed, self._clock.now()):
            raise PartyTaken
        await self._add_key(party_id, payload["key"])
        await self._record("auth.party-registered", caller, party_id)

    async def _change(self, kind: PartyKind, party_id: UUID, payload: Mapping[str, Any], caller: StaffCaller) -> None:
        self._admission.require_sound(payload)
        sealed = self._vault.seal(CONTACT, party_id, payload["contact"])
        state, details = PartyState(payload["state"]), details_of(kind, payload)
        if not await fetch(_CHANGE, party_id, kind.value, details, sealed, state.value, self._clock.now()):
            raise NoSuchParty
        await self._record("auth.party-changed", caller, party_id)

    async def _add_key(self, party_id: UUID, key: Mapping[str, str]) -> None:
        mark = fingerprint(read_key(key["public_key"]))
        row = await fetch_one(_COUNT_KEYS, party_id)
        if row is not None and int(row["n"]) >= _KEYS_AT_ONCE:
            raise TooManyKeys
        now = self._clock.now()
        if not await fetch(_ADD_KEY, self._ids.uuid(), party_id, key["key_id"], key["public_key"], mark, now):
            raise PartyTaken

    def _view(self, row: Mapping[str, Any], *, keys: tuple[KeyView, ...] = (), with_contact: bool = False) -> PartyView:
        party_id, details, sealed = as_uuid(row["id"]), as_json(row["details"]), row["contact_sealed"]
        return PartyView(
            id=party_id,
            kind=PartyKind(row["kind"]),
            slug=row["slug"],
            state=PartyState(row["state"]),
            name=details.get("name", ""),
            networks=tuple(details.get("networks", ())),
            purposes={name: tuple(fields) for name, fields in details.get("purposes", {}).items()},
            quota_per_day=int(details.get("quota_per_day", 0)),
            purpose_titles=terms_of(details),
            place=details.get("place", ""),
            matters=tuple(details.get("matters", ())),
            registered_at=as_moment(row["registered_at"]),
            changed_at=as_moment(row["changed_at"]),
            contact=self._vault.open(CONTACT, party_id, sealed) if with_contact and sealed is not None else None,
            keys=keys,
        )

    async def _record(self, action: str, caller: StaffCaller, party_id: UUID, *, purpose: str = "") -> None:
        await self._audit.record(action, actor=caller.actor, object_kind="party", object_id=party_id, purpose=purpose)


def details_of(kind: PartyKind, payload: Mapping[str, Any]) -> dict[str, Any]:
    """Return what the register says of a party, by its kind."""
    if kind is not PartyKind.VERIFIER:
        return {name: payload[name] for name in ("place", "matters")}
    told = {name: payload[name] for name in ("name", "networks", "purposes", "quota_per_day")}
    titles = payload.get("purpose_titles")
    return {**told, "purpose_titles": titles} if titles else told
