"""Questions of registered verifiers about people's certificates, after the sharing interface of GB/T 36906.

The holder is named by number, the purpose (`useCause`) is required, and nothing is told without the holder's consent.
"""

from collections.abc import Mapping
from typing import Any, Final
from uuid import UUID

from auth.registers.types import VerifierTerms
from certificates import rules
from certificates.definitions import Kinds
from certificates.errors import PurposeRequired, VerifierUnknown
from certificates.ports import Holders, Verifiers
from certificates.records import Record, Records
from certificates.selection import Selection
from certificates.settings import CertificateSettings
from certificates.sharing.errors import NotAgreed
from certificates.sharing.types import SharedCertificate
from certificates.types import Kind
from core.audit.actors import Actor, ActorKind
from core.audit.record import Audit
from core.cache import Limits
from core.clock import Clock, china_date
from core.db import as_json, as_uuid, execute, fetch_one, transaction
from core.errors import FieldError
from core.jobs.queue import Jobs
from core.pii import IdNumber

# A standing consent is used before one that is good for once.
_FIND: Final = """
SELECT id, field_names, claims, once FROM certificate_disclosure
WHERE citizen_id = $1 AND verifier_id = $2 AND kind = $3 AND purpose = $4
  AND withdrawn_at IS NULL AND used_at IS NULL AND expires_at > $5
ORDER BY once, id LIMIT 1
"""
# Of two questions at once on a consent for one time, the second finds it used.
_USE: Final = """
UPDATE certificate_disclosure SET used_at = $2 WHERE id = $1 AND withdrawn_at IS NULL AND used_at IS NULL
"""


class CertificateQueries:
    """Answers verifiers who ask about a person. Every question about somebody here stands in their ledger."""

    def __init__(
        self,
        *,
        kinds: Kinds,
        records: Records,
        holders: Holders,
        verifiers: Verifiers,
        audit: Audit,
        jobs: Jobs,
        limits: Limits,
        clock: Clock,
        settings: CertificateSettings,
    ) -> None:
        self._kinds = kinds
        self._records = records
        self._holders = holders
        self._verifiers = verifiers
        self._audit = audit
        self._jobs = jobs
        self._limits = limits
        self._clock = clock
        self._settings = settings

    async def ask(self, verifier: UUID, kind: str, holder: IdNumber, *, purpose: str) -> SharedCertificate | None:
        """Return what a holder lets this verifier read of a kind for this purpose; None when nothing may be told.

        None is one answer for all: no consent, no such person here, no such certificate held. It is committed, so that
        the holder reads of the question, and counted.

        Raises:
            KindUnknown: certificates of this kind are not offered here.
            PurposeRequired: no purpose is named, or one that the verifier is not registered for.
            VerifierUnknown: the verifier was suspended a moment ago.
            QuotaUsedUp: the verifier has asked as often today as it may.
            TooManyRequests: it asks too fast.
            DatabaseUnavailable: the database could not be reached.
        """
        definition = self._kinds.get(kind)
        terms = await self._verifiers.find(verifier)
        if terms is None:
            raise VerifierUnknown
        if purpose not in terms.purposes:
            wrong = FieldError("/use_cause", "unknown", "用途须已登记", "The purpose has to be registered")
            raise PurposeRequired(errors=[wrong])
        await self._limits.hit("certificates.verify", self._settings.verifier_limit, f"verifier:{verifier}")

        async def work() -> SharedCertificate | None:
            await self._verifiers.count(terms)
            citizen_id = await self._holders.find_holder(holder)
            if citizen_id is None:
                return None
            return await self._answer(terms, definition, citizen_id, purpose)

        return await transaction(work)

    async def _answer(
        self, terms: VerifierTerms, kind: Kind, citizen_id: UUID, purpose: str
    ) -> SharedCertificate | None:
        record = await self._records.find_of_kind(citizen_id, kind.slug)
        consent = None if record is None else await self._use_consent(terms, kind, citizen_id, purpose)
        if record is None or consent is None:
            await self._tell(terms, citizen_id, kind, purpose, outcome=NotAgreed.code.rpartition(".")[2])
            return None
        allowed = [name for name in consent["names"] if terms.may_read(name, purpose)]
        shared = self._shared(record, kind, as_uuid(consent["id"]), allowed)
        await self._tell(terms, citizen_id, kind, purpose, outcome=shared.outcome.value, names=tuple(shared.fields))
        await self._jobs.enqueue(
            "notices.tell",
            event="certificates.disclosed",
            citizen_id=citizen_id,
            object_id=record.id,
            certificate=kind.title,
            certificate_en=kind.title_en,
            verifier=terms.name,
        )
        return shared

    async def _use_consent(
        self, terms: VerifierTerms, kind: Kind, citizen_id: UUID, purpose: str
    ) -> Mapping[str, Any] | None:
        now = self._clock.now()
        row = await fetch_one(_FIND, citizen_id, terms.id, kind.slug, purpose, now)
        if row is None or (row["once"] and await execute(_USE, row["id"], now) != 1):
            return None
        return {"id": row["id"], "names": [*as_json(row["field_names"]), *as_json(row["claims"])]}

    def _shared(self, record: Record, kind: Kind, disclosure_id: UUID, names: list[str]) -> SharedCertificate:
        content, today = record.content, china_date(self._clock.now())
        state = rules.state_on(content.state, content.valid_until, today, expiring_days=self._settings.expiring_days)
        return SharedCertificate(
            disclosure_id=disclosure_id,
            kind=kind.slug,
            outcome=rules.outcome_of(state),
            fields=Selection.of(kind, names).read(kind, content.fields, today),
        )

    async def _tell(
        self,
        terms: VerifierTerms,
        citizen_id: UUID,
        kind: Kind,
        purpose: str,
        *,
        outcome: str,
        names: tuple[str, ...] = (),
    ) -> None:
        await self._audit.record(
            "certificates.queried",
            actor=Actor(ActorKind.VERIFIER, str(terms.id)),
            subject_id=citizen_id,
            purpose=purpose,
            object_kind=kind.slug,
            field_names=names,
            outcome=outcome,
        )
