"""Beginning an application: a draft filled with what is known already, amended until it is submitted."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from auth.delegation.effects import hold_mandate, require_unused
from auth.errors import MandateMissing
from auth.types import Caller, ReadPurpose
from certificates.types import HeldCertificate
from core.audit.record import Audit
from core.cache import Limits
from core.clock import Clock, china_date
from core.crypto import Vault
from core.db import execute, fetch, transaction
from core.ids import Ids
from matters.applications.progress import Progress
from matters.applications.records import CERTIFICATE, COMPUTED_SOURCE, read_own, seal_form
from matters.applications.rules import change_errors
from matters.cases.history import Entry, History
from matters.catalogue.catalogue import Catalogue
from matters.catalogue.knowing import Knowing
from matters.catalogue.terms.types import Offer
from matters.catalogue.types import Matter, Prefill
from matters.errors import ChangedMeanwhile, FormInvalid, NothingToApplyFor, StateForbids
from matters.forms.rules import shape
from matters.ports import Holdings, People
from matters.settings import MatterSettings
from matters.types import State, Step
from matters.views.types import ApplicationView

_INSERT: Final = """
INSERT INTO application (id, citizen_id, matter_code, matter_version, department, state, version, actions, form_sealed,
                         sources, query_code_hash, limit_days, due_note, channel, created_at, updated_at, expires_at,
                         limit_hours, legal_days, legal_hours, unit, region, home_region, taken_region)
VALUES ($1, $2, $3, $4, $5, 'draft', 0, 0, $6, $7, '', $8, '', '', $9, $9, $10, $11, $12, $13, '', '', '', '')
RETURNING id
"""
_AMEND: Final = """
UPDATE application SET form_sealed = $3, sources = $4, updated_at = $5, expires_at = $6, reminded_at = NULL,
                       version = version + 1
WHERE id = $1 AND version = $2 AND state IN ('draft', 'supplement_requested')
"""
_EDITABLE: Final = frozenset({State.DRAFT, State.SUPPLEMENT_REQUESTED})


@dataclass(slots=True)
class _Filled:
    """A form under way, and where its values came from."""

    form: dict[str, object] = field(default_factory=dict)
    sources: dict[str, dict[str, str]] = field(default_factory=dict)


class Drafts:
    """Starts and amends drafts. `start` calls nobody outside: it runs within the edge's transaction."""

    def __init__(
        self,
        *,
        catalogue: Catalogue,
        people: People,
        holdings: Holdings,
        knowing: Knowing,
        history: History,
        progress: Progress,
        audit: Audit,
        vault: Vault,
        limits: Limits,
        clock: Clock,
        ids: Ids,
        settings: MatterSettings,
    ) -> None:
        self._catalogue = catalogue
        self._people = people
        self._holdings = holdings
        self._knowing = knowing
        self._history = history
        self._progress = progress
        self._audit = audit
        self._vault = vault
        self._limits = limits
        self._clock = clock
        self._ids = ids
        self._settings = settings

    async def start(
        self,
        caller: Caller,
        name: str,
        form: Mapping[str, object],
        *,
        prefill: bool = True,
        without: Collection[str] = (),
    ) -> ApplicationView:
        """Make a draft with what the state knows already and what the applicant says.

        Who wants nothing filled in (`prefill`), or not some fields (`without`), finds them empty and fills them in
        themselves; what is not wanted is not read.

        Raises:
            MatterUnknown: nothing published has this name.
            MandateMissing: the mandate does not cover this matter, has ended or is used up.
            NothingToApplyFor: it is only looked up or explained.
            FormInvalid: fields that the form does not have, or values that do not fit.
            RequirementUnmet: what is known already rules it out.
            LevelTooLow: no real name is bound.
            TooManyRequests: too many drafts.
        """
        published = self._catalogue.find(name)
        matter = published.matter
        if not caller.covers_matter(matter.code):
            raise MandateMissing
        if matter.offer is not Offer.HANDLING:
            raise NothingToApplyFor
        require_unused(caller)
        await self._limits.hit("matters.start", self._settings.start_limit, f"citizen:{caller.citizen_id}")
        wanted = {field: rule for field, rule in matter.prefill.items() if prefill and field not in without}
        filled = await self._prefill(caller, matter, wanted)
        self._apply(matter, filled, form)
        await self._knowing.require_met(caller, matter, filled.form)
        application_id, now = self._ids.uuid(), self._clock.now()

        async def work() -> None:
            await hold_mandate(caller, now)
            await fetch(
                _INSERT,
                application_id,
                caller.citizen_id,
                matter.code,
                matter.version,
                published.department.slug,
                seal_form(self._vault, application_id, filled.form),
                filled.sources,
                matter.promised_limit.days,
                now,
                self._expires(now),
                matter.promised_limit.hours,
                matter.legal_limit.days,
                matter.legal_limit.hours,
            )
            await self._history.append(application_id, Entry(step=Step.CREATED, actor=caller.actor))
            await self._audit.record(
                "matters.drafted",
                actor=caller.actor,
                subject_id=caller.citizen_id,
                purpose=matter.title.zh,
                object_kind="application",
                object_id=application_id,
                field_names=sorted(filled.form),
            )

        await transaction(work)
        return await self._progress.get(caller, application_id)

    async def amend(
        self, caller: Caller, application_id: UUID, changes: Mapping[str, object], *, version: int | None
    ) -> ApplicationView:
        """Change fields of a draft that has not been changed since `version`; a null value empties a field.

        Without a version any state of now will do, as long as nobody else changes it at this very moment.

        Raises:
            NoSuchApplication: there is none, or it is somebody else's.
            ChangedMeanwhile: it was changed since.
            StateForbids: it is submitted already.
            FormInvalid: fields that the form does not have, that are locked, or values that do not fit.
            RequirementUnmet: what is known then rules it out.
        """
        record = await read_own(self._vault, application_id, caller)
        if version not in {None, record.version}:
            raise ChangedMeanwhile
        if record.state not in _EDITABLE:
            raise StateForbids(state=record.state.value)
        matter = self._catalogue.of_case(record.matter_code, record.matter_version).matter
        filled = _Filled(dict(record.form), {name: dict(source) for name, source in record.sources.items()})
        self._apply(matter, filled, changes)
        await self._knowing.require_met(caller, matter, filled.form)
        now = self._clock.now()

        async def work() -> None:
            await hold_mandate(caller, now)
            count = await execute(
                _AMEND,
                application_id,
                record.version,
                seal_form(self._vault, application_id, filled.form),
                filled.sources,
                now,
                self._expires(now),
            )
            if count != 1:
                raise ChangedMeanwhile

        await transaction(work)
        return await self._progress.get(caller, application_id)

    def _apply(self, matter: Matter, filled: _Filled, changes: Mapping[str, object]) -> None:
        errors = change_errors(matter.form, matter.prefill, changes, filled=filled.sources.keys())
        if errors:
            raise FormInvalid(errors=errors)
        for name, value in changes.items():
            filled.sources.pop(name, None)
            if value is None:
                filled.form.pop(name, None)
            else:
                filled.form[name] = value
        self._compute(matter, filled)

    def _compute(self, matter: Matter, filled: _Filled) -> None:
        """Bring computed values up to date; what is not asked for any more stays in the draft, in case it is again."""
        shaped = shape(matter.form, filled.form, china_date(self._clock.now()))
        for name in shaped.computed:
            filled.form.pop(name, None)
            filled.sources.pop(name, None)
            if name in shaped.form:
                filled.form[name] = shaped.form[name]
                filled.sources[name] = {"source": COMPUTED_SOURCE}

    def _expires(self, now: datetime) -> datetime:
        return now + timedelta(days=self._settings.draft_days)

    async def _prefill(self, caller: Caller, matter: Matter, wanted: Mapping[str, Prefill]) -> _Filled:
        filled = _Filled()
        # Also where nothing is filled in: who has no real name applies for nothing.
        person = await self._people.person_of(caller.citizen_id, ReadPurpose.APPLICATION)
        known: dict[str, str | None] = {
            "name": person.name.reveal(),
            "id_number": person.id_number.reveal(),
            "mobile": person.mobile.reveal() if person.mobile else None,
        }
        held = await self._held(caller, matter, wanted)
        for name, rule in wanted.items():
            if rule.source == "real-name":
                value, source = known.get(rule.item), {"source": "real-name"}
            else:
                certificate = held.get(rule.source.removeprefix(CERTIFICATE))
                value, source = _from_certificate(certificate, rule.item, rule.source)
            if value is not None:
                filled.form[name] = value
                filled.sources[name] = source
        return filled

    async def _held(
        self, caller: Caller, matter: Matter, wanted: Mapping[str, Prefill]
    ) -> dict[str, HeldCertificate | None]:
        kinds: dict[str, list[str]] = {}
        for rule in wanted.values():
            if rule.source.startswith(CERTIFICATE):
                kinds.setdefault(rule.source.removeprefix(CERTIFICATE), []).append(rule.item)
        purpose = f"预填申请表：{matter.title.zh}"
        return {
            kind: await self._holdings.find_held(
                caller.citizen_id, kind, purpose=purpose, fields=items, actor=caller.actor
            )
            for kind, items in kinds.items()
        }


def _from_certificate(certificate: HeldCertificate | None, item: str, source: str) -> tuple[str | None, dict[str, str]]:
    if certificate is None or certificate.fields.get(item) is None:
        return None, {}
    told = {"source": source, "as_of": certificate.fetched_at.isoformat(), "certificate": str(certificate.id)}
    return str(certificate.fields[item]), told
