"""Checking what somebody shows: a code once, a token as often as it lives; the holder sees every try."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

from auth.delegation.effects import mandate_stands
from auth.registers.types import VerifierTerms
from certificates import rules
from certificates.definitions import Kinds
from certificates.errors import PurposeRequired, VerifierUnknown
from certificates.keys import IssuerKeys
from certificates.offline.sd_jwt import find_token, read
from certificates.offline.status_lists import StatusLists
from certificates.offline.types import Contents, Mark, Place
from certificates.ports import OpenSessions, Verifiers
from certificates.records import Record, Records, opened
from certificates.selection import Selection
from certificates.settings import CertificateSettings
from certificates.types import Kind, Outcome, State, Value, Verified
from core.audit.actors import NOBODY, Actor, ActorKind
from core.audit.record import Audit
from core.cache import Limits
from core.clock import Clock, china_date
from core.crypto import Vault, sha256_hex
from core.db import as_json, as_uuid, fetch_one, in_one_statement, in_one_statement_if, transaction
from core.errors import FieldError
from core.jobs.queue import Jobs

_CODE: Final = re.compile(r"[A-Za-z0-9_-]{22}")  # 128 bits in base64url

# Two scans at once: the row is locked by the first, and the second finds it used and writes nothing.
_USE: Final = """
UPDATE certificate_presentation SET used_at = $2 WHERE code_hash = $1 AND used_at IS NULL AND expires_at > $2
RETURNING id
"""
_STAND: Final = "SELECT used_at FROM certificate_presentation WHERE code_hash = $1"
# The certificate comes along, with its holder's own key: each round trip more is half a scan.
_FIND: Final = """
SELECT p.certificate_id, p.citizen_id AS holder_id, p.session_id, p.mandate_id, p.verifier_id, p.used_at,
       p.field_names, p.claims, p.purpose, c.*, k.wrapped
FROM certificate_presentation p
LEFT JOIN certificate c ON c.id = p.certificate_id AND c.citizen_id = p.citizen_id
LEFT JOIN person_key k ON k.person_id = p.citizen_id
WHERE p.code_hash = $1
"""


@dataclass(frozen=True, slots=True, repr=False)
class _Scan:
    """One look at what is shown: who looks, and for what."""

    verifier: VerifierTerms | None
    purpose: str

    @property
    def actor(self) -> Actor:
        return NOBODY if self.verifier is None else Actor(ActorKind.VERIFIER, str(self.verifier.id))

    def is_meant(self, verifier_id: object) -> bool:
        """Say whether a code is for whoever looks: for anybody where it names no verifier, else for that one alone."""
        return verifier_id is None or (self.verifier is not None and self.verifier.id == as_uuid(verifier_id))

    def may_read(self, name: str) -> bool:
        return self.verifier is not None and self.verifier.may_read(name, self.purpose)


@dataclass(frozen=True, slots=True)
class _Seen:
    """What a scan was of: the certificate and its holder."""

    certificate_id: UUID
    citizen_id: UUID


class Verification:
    """Checks codes and tokens. Who is not registered learns validity and a masked name, and no more."""

    def __init__(
        self,
        *,
        kinds: Kinds,
        records: Records,
        sessions: OpenSessions,
        verifiers: Verifiers,
        keys: IssuerKeys,
        lists: StatusLists,
        vault: Vault,
        audit: Audit,
        jobs: Jobs,
        limits: Limits,
        clock: Clock,
        settings: CertificateSettings,
    ) -> None:
        self._kinds = kinds
        self._records = records
        self._sessions = sessions
        self._verifiers = verifiers
        self._keys = keys
        self._lists = lists
        self._vault = vault
        self._audit = audit
        self._jobs = jobs
        self._limits = limits
        self._clock = clock
        self._settings = settings

    async def verify(
        self, code: str, *, purpose: str = "", verifier: UUID | None = None, address: str = ""
    ) -> Verified:
        """Use a code up, or look at a token, and say what it was worth. Whatever was scanned, the answer is an outcome.

        `verifier` is the registered one who asks, `address` where an unregistered one asks from.

        A code that names a verifier is used up by that one alone, and tells nobody else of the certificate, whether it
        still lives or not. Another registered verifier is told so (`other_verifier`): it has a name, a quota and a line
        in the holder's ledger. Strangers get the very answer of a code that never was: else whoever picks up a picture
        could learn that its holder has dealings with a named verifier, and when it is used. The holder reads of both.

        Raises:
            PurposeRequired: a registered verifier does not say what for.
            VerifierUnknown: the verifier was suspended a moment ago.
            QuotaUsedUp: the verifier has asked as often today as it may.
            TooManyRequests: too many scans, or too many of codes that never were.
            CacheUnavailable: the scans of strangers cannot be counted now, so none is answered.
            DatabaseUnavailable: the database could not be reached.
        """
        scan = _Scan(None if verifier is None else await self._let_in(verifier, purpose), purpose)
        if scan.verifier is None:
            await self._count_stranger("certificates.verify", self._settings.verify_limit, address)
        verified = Verified(Outcome.UNREADABLE)
        if _CODE.fullmatch(code):
            verified = await self._look(scan, sha256_hex(code.encode()))
        elif token := find_token(code):
            verified = await transaction(lambda: self._look_at_token(scan, token))
        if scan.verifier is None and not verified.holder_notified:
            await self._count_stranger("certificates.verify-failed", self._settings.verify_failed_limit, address)
        return verified

    async def _let_in(self, verifier: UUID, purpose: str) -> VerifierTerms:
        if not purpose.strip():
            wrong = FieldError("/purpose", "required", "请说明用途", "Say what for")
            raise PurposeRequired(errors=[wrong])
        terms = await self._verifiers.find(verifier)
        if terms is None:
            raise VerifierUnknown
        await self._limits.hit("certificates.verify", self._settings.verifier_limit, f"verifier:{verifier}")
        await self._verifiers.count(terms)
        return terms

    async def _count_stranger(self, action: str, rule: str, address: str) -> None:
        await self._limits.hit_address(action, rule, address, fail_open=False)

    # --- codes --------------------------------------------------------------------------------------------------------

    async def _look(self, scan: _Scan, code_hash: str) -> Verified:
        row = await fetch_one(_FIND, code_hash)
        if row is None:
            return Verified(Outcome.UNKNOWN)
        seen = _Seen(as_uuid(row["certificate_id"]), as_uuid(row["holder_id"]))
        record = None if row["id"] is None else opened(row, self._vault)
        if not scan.is_meant(row["verifier_id"]):
            return await in_one_statement(lambda: self._turn_away(scan, seen, record))
        is_shown = row["used_at"] is None and await self._is_still_shown(row)
        if is_shown:
            taken, names = (_USE, code_hash, self._clock.now()), _agreed(scan, row)
            used = await in_one_statement_if(taken, lambda: self._judge(scan, seen, record, names))
            if used is not None:
                return used
            row = await fetch_one(_STAND, code_hash) or row  # Somebody else has just used it, or it ran out.
        outcome = Outcome.EXPIRED if row["used_at"] is None else Outcome.USED
        return await in_one_statement(lambda: self._turn_down(scan, seen, record, outcome))

    async def _is_still_shown(self, row: Mapping[str, Any]) -> bool:
        """Tell whether the session that shows the code is open, and the mandate, if it is shown under one, in force."""
        session_id, mandate_id = row["session_id"], row["mandate_id"]
        if session_id is None or not await self._sessions.is_open(as_uuid(session_id)):
            return False
        return mandate_id is None or await mandate_stands(as_uuid(mandate_id), self._clock.now())

    # --- tokens -------------------------------------------------------------------------------------------------------

    async def _look_at_token(self, scan: _Scan, token: str) -> Verified:
        contents = read(token, self._keys.accepted(), self._keys.accepted_sm2())
        if isinstance(contents, Outcome):
            return Verified(contents)
        place = await self._lists.find_place(contents.status_uri, contents.status_index)
        if place is None:
            return Verified(Outcome.UNKNOWN)
        return await self._judge_token(scan, contents, place)

    async def _judge_token(self, scan: _Scan, contents: Contents, place: Place) -> Verified:
        if place.citizen_id is None:  # The holder has given the certificate back: nobody is left to be told.
            return Verified(Outcome.REVOKED)
        seen = _Seen(place.certificate_id, place.citizen_id)
        record = await self._records.find(seen.certificate_id, seen.citizen_id)
        if self._clock.now() >= contents.expires_at:
            return await self._turn_down(scan, seen, record, Outcome.EXPIRED)
        if place.mark is Mark.INVALID:
            return await self._turn_down(scan, seen, record, Outcome.REVOKED)
        return await self._judge(scan, seen, record, [name for name in contents.values if scan.may_read(name)])

    # --- answers ------------------------------------------------------------------------------------------------------

    async def _turn_away(self, scan: _Scan, seen: _Seen, record: Record | None) -> Verified:
        await self._tell(scan, seen, record, Outcome.OTHER_VERIFIER, ())
        if scan.verifier is None:
            return Verified(Outcome.UNKNOWN)
        return Verified(Outcome.OTHER_VERIFIER, holder_notified=True)

    async def _turn_down(self, scan: _Scan, seen: _Seen, record: Record | None, outcome: Outcome) -> Verified:
        await self._tell(scan, seen, record, outcome, ())
        return Verified(outcome, holder_notified=True)

    async def _judge(self, scan: _Scan, seen: _Seen, record: Record | None, names: Sequence[str]) -> Verified:
        """Answer for the certificate as it stands; `names` are the fields and claims that are read of it."""
        kind = None if record is None else self._kinds.find(record.kind)
        if record is None or kind is None:  # The holder has given the certificate back meanwhile.
            await self._tell(scan, seen, record, Outcome.REVOKED, ())
            return Verified(Outcome.REVOKED, holder_notified=True)
        today, state = china_date(self._clock.now()), self._state(record)
        chosen = Selection.of(kind, names)
        fields = self._validity(record, kind, state) | chosen.read(kind, record.content.fields, today)
        outcome = rules.outcome_of(state)
        await self._tell(scan, seen, record, outcome, tuple(fields))
        return Verified(outcome, kind.slug, fields, holder_notified=True)

    def _validity(self, record: Record, kind: Kind, state: State) -> dict[str, Value | bool]:
        """Return all that anybody may learn from what is shown."""
        content = record.content
        return {
            "name": rules.mask_name(str(content.fields[kind.name_field])),
            "state": state.value,
            "valid_until": None if content.valid_until is None else content.valid_until.isoformat(),
            "colour": rules.colour_of(kind, state, content.fields).value,
        }

    def _state(self, record: Record) -> State:
        today = china_date(self._clock.now())
        content = record.content
        return rules.state_on(content.state, content.valid_until, today, expiring_days=self._settings.expiring_days)

    async def _tell(
        self, scan: _Scan, seen: _Seen, record: Record | None, outcome: Outcome, field_names: Sequence[str]
    ) -> None:
        await self._audit.record(
            "certificates.verified",
            actor=scan.actor,
            subject_id=seen.citizen_id,
            purpose=scan.purpose,
            object_kind="" if record is None else record.kind,
            object_id=seen.certificate_id,
            field_names=field_names,
            outcome=outcome.value,
        )
        kind = None if record is None else self._kinds.find(record.kind)
        await self._jobs.enqueue(
            "notices.tell",
            event="certificates.shown" if outcome is Outcome.OK else "certificates.scan-failed",
            citizen_id=seen.citizen_id,
            object_id=seen.certificate_id,
            certificate="证照" if kind is None else kind.title,
            certificate_en="a certificate" if kind is None else kind.title_en,
        )


def _agreed(scan: _Scan, shown: Mapping[str, Any]) -> list[str]:
    """Return what the holder lets this verifier read, as far as the register lets it."""
    if shown["verifier_id"] is not None and scan.purpose != shown["purpose"]:
        return []
    return [name for column in ("field_names", "claims") for name in as_json(shown[column]) if scan.may_read(name)]
