"""The decision on paper: promised with the decision, made a little later, checked by whoever holds it."""

import asyncio
import json
from collections.abc import Awaitable, Callable, Mapping
from datetime import timedelta
from typing import Any, Final
from uuid import UUID

from auth.errors import LevelTooLow
from auth.rights.document import LayoutFailed, pdf_by
from auth.types import Caller, ReadPurpose
from core.audit.actors import NOBODY, SYSTEM
from core.audit.record import Audit
from core.cache import Limits
from core.clock import CHINA, Clock
from core.crypto import Vault, sha256_hex
from core.db import as_moment, as_uuid, execute, fetch_one, later, transaction
from core.ids import Ids
from core.jobs.queue import Jobs
from core.log import get_logger
from matters.applications.progress import branches, result
from matters.applications.records import Record, read_own, read_record
from matters.cases.history import History
from matters.cases.rules import fold, target_of
from matters.catalogue.catalogue import Catalogue
from matters.errors import FileStoreUnavailable
from matters.files.sealing import DECISION, as_bytes, as_text
from matters.papers import decision_layout
from matters.papers.decisions import Decided, content_of, title_of
from matters.ports import FileStore, People
from matters.results.deliveries import ResultDeliveries
from matters.results.errors import NothingDecided
from matters.results.ports import Sealer
from matters.results.types import Decision, DecisionCheck, DecisionOutcome
from matters.settings import MatterSettings
from matters.types import State

log = get_logger(__name__)

Change = Callable[[], Awaitable[None]]
LayOut = Callable[[str, str], Awaitable[bytes]]

_CODE_BYTES: Final = 16
# Who has taken a paper up has so long for it; then another worker may.
_AT_WORK: Final = timedelta(seconds=60)

_PROMISE: Final = """
INSERT INTO decision_document (id, application_id, seq, outcome, number, sha256, decided_at, next_at)
VALUES ($1, $2, $3, $4, $5, '', $6, $7) ON CONFLICT DO NOTHING RETURNING id
"""
_DUE: Final = """
SELECT id, application_id, seq, next_at FROM decision_document WHERE next_at <= $1 ORDER BY next_at LIMIT 1
"""
_TAKE: Final = "UPDATE decision_document SET next_at = $3 WHERE id = $1 AND next_at = $2"
_MADE: Final = """
UPDATE decision_document SET code_hash = $2, sha256 = $3, file_name = $4, made_at = $5, next_at = NULL
WHERE id = $1 AND file_name IS NULL
"""
_FIND: Final = "SELECT * FROM decision_document WHERE application_id = $1 AND seq = $2"
_FORGET: Final = "DELETE FROM decision_document WHERE id = $1 AND file_name IS NULL"
_BY_CODE: Final = """
SELECT decision_document.id, decision_document.application_id, decision_document.seq, decision_document.outcome,
       decision_document.number, decision_document.sha256, decision_document.decided_at, application.citizen_id,
       application.matter_code, application.matter_version
FROM decision_document JOIN application ON application.id = decision_document.application_id
WHERE decision_document.code_hash = $1
"""


class DecisionDocuments:
    """Makes decisions on paper, one after another, and opens and checks them.

    Laying out keeps a processor busy for a second or two. So the decision only promises its paper, workers make one at
    a time beside everything else, and who does not want to wait gets theirs made when they ask for it.
    """

    def __init__(
        self,
        *,
        catalogue: Catalogue,
        people: People,
        history: History,
        deliveries: ResultDeliveries,
        files: FileStore,
        sealer: Sealer,
        audit: Audit,
        jobs: Jobs,
        vault: Vault,
        limits: Limits,
        clock: Clock,
        ids: Ids,
        settings: MatterSettings,
        lay_out: LayOut = pdf_by,
    ) -> None:
        self._catalogue = catalogue
        self._people = people
        self._history = history
        self._deliveries = deliveries
        self._files = files
        self._sealer = sealer
        self._audit = audit
        self._jobs = jobs
        self._vault = vault
        self._limits = limits
        self._clock = clock
        self._ids = ids
        self._settings = settings
        self._lay_out = lay_out

    # --- making ---------------------------------------------------------------------------------------------------

    async def promise(self, application_id: str) -> Change | None:
        """Promise the paper of the decision that stands (job `matters.promise-decision`); again it does nothing.

        Raises:
            RecordUnreadable: the application does not open.
            DatabaseUnavailable: the database could not be reached.
        """
        record = await read_record(self._vault, UUID(application_id))
        decision = fold(line.action for line in await self._history.read(record.id)).decision
        if decision is None:
            return None
        outcome = target_of(decision.step)

        async def work() -> None:
            now = self._clock.now()
            number = f"{record.number}-{decision.seq:02d}"
            values = (self._ids.uuid(), record.id, decision.seq, outcome.value, number, decision.at, now)
            await later(_PROMISE, *values)
            await self._deliveries.begin(record.id, decided=outcome)

        return work

    async def make_next(self) -> int:
        """Make the paper that has waited longest; return how many were made. The timetable calls this.

        Raises:
            DatabaseUnavailable: the database could not be reached.
        """
        now = self._clock.now()
        row = await fetch_one(_DUE, now)
        if row is None:
            return 0
        claim = (as_uuid(row["id"]), as_moment(row["next_at"]), now + _AT_WORK)
        if not await transaction(lambda: execute(_TAKE, *claim)):
            return 0
        try:
            await self._make(await read_record(self._vault, as_uuid(row["application_id"])), int(row["seq"]))
        except NothingDecided:
            # Before it was on paper, earlier news of the department came in late and decided otherwise.
            await transaction(lambda: execute(_FORGET, claim[0]))
            return 0
        except (LayoutFailed, FileStoreUnavailable) as problem:
            log.warning("a decision could not be put on paper", code=problem.code)
            return 0
        return 1

    async def _make(self, record: Record, seq: int) -> tuple[Decision, bool]:
        """Lay out, seal and keep the paper of one decision; return it, and whether it is the one that is kept."""
        decided = await self._decided(record, seq)
        code = self._ids.token(_CODE_BYTES)
        content = json.dumps(content_of(decided, code), ensure_ascii=False)
        plain = await self._lay_out(decision_layout.__name__, content)
        pdf = await self._sealer.on_paper(plain, title_of(decided))
        row = await fetch_one(_FIND, record.id, seq)
        row_id = as_uuid(row["id"]) if row else self._ids.uuid()
        file_name = self._ids.uuid().hex
        sealed = await asyncio.to_thread(lambda: self._vault.seal(DECISION, row_id, as_text(pdf)))
        await self._files.put(file_name, sealed)

        async def work() -> bool:
            now = self._clock.now()
            if not await execute(_MADE, row_id, sha256_hex(code.encode()), sha256_hex(pdf), file_name, now):
                # Somebody else has made it meanwhile, or the case need not be kept any more.
                await self._jobs.enqueue("matters.remove-file", file_name=file_name)
                return False
            await self._audit.record(
                "matters.decision-made",
                actor=SYSTEM,
                subject_id=record.citizen_id,
                purpose=decided.published.matter.title.zh,
                object_kind="application",
                object_id=record.id,
                outcome=decided.result.outcome.value,
            )
            await self._deliveries.hand_over(record.id)
            return True

        kept = await transaction(work)
        return Decision(decided.number, sha256_hex(pdf), _file_name(decided), pdf), kept

    async def _decided(self, record: Record, seq: int) -> Decided:
        published = self._catalogue.of_case(record.matter_code, record.matter_version)
        lines = await self._history.read(record.id)
        found = result(lines, with_details=True)
        decision = fold(line.action for line in lines).decision
        if decision is None or decision.seq != seq or found is None or not record.number or not record.submitted_at:
            raise NothingDecided
        told = next(line for line in lines if line.action.seq == seq)
        return Decided(
            published=published,
            number=f"{record.number}-{seq:02d}",
            application=record.number,
            applicant=await self._name_of(record.citizen_id),
            submitted_at=record.submitted_at,
            result=found,
            branches=branches(lines, published),
            facts_digest=str(told.data.get("facts_digest", "")),
        )

    async def _name_of(self, citizen_id: UUID) -> str:
        try:
            person = await self._people.person_of(citizen_id, ReadPurpose.DECISION)
        except LevelTooLow:  # They have closed their account.
            return ""
        return person.name.reveal()

    # --- reading --------------------------------------------------------------------------------------------------

    async def read(self, caller: Caller, application_id: UUID) -> Decision:
        """Return the paper of the caller's own decision, making it where it is still waited for.

        Raises:
            NoSuchApplication: there is none, or it is somebody else's.
            NothingDecided: it has not been decided.
            LayoutFailed: it could not be laid out in time.
            FileStoreUnavailable: it cannot be read or kept now.
            TooManyRequests: fetched too often within the hour.
        """
        record = await read_own(self._vault, application_id, caller)
        seq = await self._standing(application_id)
        await self._limits.hit("matters.copy", self._settings.copy_limit, f"citizen:{caller.citizen_id}")
        paper = await self.find(record, seq) or await self._made_now(record, seq)

        async def work() -> None:
            await self._audit.record(
                "matters.decision-fetched",
                actor=caller.actor,
                subject_id=record.citizen_id,
                purpose=self._catalogue.of_case(record.matter_code, record.matter_version).matter.title.zh,
                object_kind="application",
                object_id=application_id,
            )

        await transaction(work)
        return paper

    async def standing_paper(self, record: Record) -> Decision | None:
        """Return the paper of the decision that stands, for whoever packs the case; None where nothing was decided.

        Raises:
            LayoutFailed: it could not be laid out in time.
            FileStoreUnavailable: it cannot be read or kept now.
        """
        try:
            seq = await self._standing(record.id)
        except NothingDecided:
            return None
        return await self.find(record, seq) or await self._made_now(record, seq)

    async def _made_now(self, record: Record, seq: int) -> Decision:
        paper, kept = await self._make(record, seq)
        return paper if kept else (await self.find(record, seq) or paper)

    async def _standing(self, application_id: UUID) -> int:
        decision = fold(line.action for line in await self._history.read(application_id)).decision
        if decision is None or await fetch_one(_FIND, application_id, decision.seq) is None:
            raise NothingDecided
        return decision.seq

    async def find(self, record: Record, seq: int) -> Decision | None:
        """Return a paper that was made, None while there is none.

        Raises:
            FileStoreUnavailable: it cannot be read now.
            RecordUnreadable: it does not open.
        """
        row = await fetch_one(_FIND, record.id, seq)
        if row is None or row["file_name"] is None:
            return None
        sealed = await self._files.get(row["file_name"])
        text = await asyncio.to_thread(lambda: self._vault.open(DECISION, as_uuid(row["id"]), sealed))
        at = as_moment(row["decided_at"]).astimezone(CHINA)
        return Decision(row["number"], row["sha256"], f"decision-{at:%Y%m%d}-{row['number'][-7:]}.pdf", as_bytes(text))

    async def check(self, code: str, *, sha256: str | None = None, address: str = "") -> DecisionCheck:
        """Say what a paper is worth by the code on it; `sha256` is the digest of the file where there is one, in hex.

        Raises:
            TooManyRequests: too many checks from this address.
            DatabaseUnavailable: the database could not be reached.
        """
        await self._limits.hit_address("matters.decision-check", self._settings.query_address_limit, address)
        row = await fetch_one(_BY_CODE, sha256_hex(code.encode()))
        if row is None:
            return DecisionCheck(DecisionOutcome.UNKNOWN)
        published = self._catalogue.of_case(row["matter_code"], int(row["matter_version"]))
        lines = await self._history.read(as_uuid(row["application_id"]))
        standing = fold(line.action for line in lines).decision
        stands = standing is not None and standing.seq == int(row["seq"])
        outcome = DecisionOutcome.OK if stands else DecisionOutcome.REPLACED
        if sha256 is not None and sha256 != row["sha256"]:
            outcome = DecisionOutcome.ALTERED
        await self._note_check(row, published.matter.title.zh, outcome)
        return DecisionCheck(
            outcome,
            number=row["number"],
            matter=published.matter.title.zh,
            department=published.department.name.zh,
            decision=State(row["outcome"]),
            decided_at=as_moment(row["decided_at"]),
        )

    async def _note_check(self, row: Mapping[str, Any], purpose: str, outcome: DecisionOutcome) -> None:
        async def work() -> None:
            await self._audit.record(
                "matters.decision-checked",
                actor=NOBODY,
                subject_id=as_uuid(row["citizen_id"]),
                purpose=purpose,
                object_kind="application",
                object_id=as_uuid(row["application_id"]),
                outcome=outcome.value,
            )

        await transaction(work)


def _file_name(decided: Decided) -> str:
    return f"decision-{decided.result.at.astimezone(CHINA):%Y%m%d}-{decided.number[-7:]}.pdf"
