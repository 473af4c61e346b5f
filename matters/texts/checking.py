"""Looking at what residents wrote before others read it: risky texts wait for a person, and nothing is lost."""

import json
from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Protocol
from uuid import UUID

from core.clock import Clock
from core.db import execute, fetch, fetch_one, transaction
from core.ids import Ids
from core.log import get_logger
from matters.catalogue.catalogue import Catalogue
from matters.errors import TextCheckUnavailable
from matters.ports import Openids, TextCheck
from matters.texts.rules import free_texts, look_locally, pieces, worst
from matters.texts.types import CheckSource, CheckState
from matters.types import Suggestion, TextVerdict

log = get_logger(__name__)

Change = Callable[[], Awaitable[None]]

_FILE: Final = Path(__file__).with_name("words.json")
# WeChat looks at so many characters at a time.
_PIECE: Final = 2500
_KNOWN: Final = "SELECT state FROM text_check WHERE subject_id = $1"
_ADD: Final = """
INSERT INTO text_check (id, about, subject_id, application_id, department, matter_code, state, source, label,
                        created_at)
VALUES ($1, 'application', $2, $2, $3, $4, $5, $6, $7, $8) ON CONFLICT (subject_id) DO NOTHING RETURNING id
"""
_HOLD: Final = "UPDATE delivery SET state = 'held' WHERE application_id = $1 AND state = 'pending'"


class Written(Protocol):
    """An application as far as its texts go; `sources` has the fields that were filled in for the applicant."""

    @property
    def id(self) -> UUID:
        """The application."""
        ...

    @property
    def citizen_id(self) -> UUID:
        """Who wrote."""
        ...

    @property
    def matter_code(self) -> str:
        """For what."""
        ...

    @property
    def matter_version(self) -> int:
        """As it was published when the application was begun."""
        ...

    @property
    def department(self) -> str:
        """To whom."""
        ...

    @property
    def form(self) -> Mapping[str, object]:
        """What was written."""
        ...

    @property
    def sources(self) -> Mapping[str, Mapping[str, str]]:
        """What was filled in, and from where."""
        ...


@dataclass(frozen=True, slots=True)
class Looked:
    """What a look came to."""

    state: CheckState
    source: CheckSource
    verdict: TextVerdict


class TextChecks:
    """Asks the platform where it can be asked, and our own list in any case."""

    def __init__(
        self,
        *,
        catalogue: Catalogue,
        platform: TextCheck | None,
        openids: Openids,
        words: Collection[str],
        clock: Clock,
        ids: Ids,
    ) -> None:
        self._catalogue = catalogue
        self._platform = platform
        self._openids = openids
        told = json.loads(_FILE.read_text(encoding="utf-8"))["words"]
        self._words = tuple(word.lower() for word in (*told, *words))
        self._clock = clock
        self._ids = ids

    async def gate(self, written: Written) -> Change | None:
        """Return the change that holds an application back, None when it may go on. It is looked at once.

        Raises:
            DatabaseUnavailable: the database could not be reached.
        """
        if await fetch_one(_KNOWN, written.id) is not None:
            return None
        looked = await self.look(written)

        async def change() -> None:
            await self._write(written, looked)

        if looked.state is CheckState.HELD:
            return change
        await transaction(change)
        return None

    async def look(self, written: Written) -> Looked:
        """Look at what an applicant wrote. The platform being away stops nobody: then our own list decides.

        Raises:
            DatabaseUnavailable: the database could not be reached.
        """
        schema = self._catalogue.of_case(written.matter_code, written.matter_version).matter.form
        texts = free_texts(schema, written.form, written.sources.keys())
        return await self.judge(written.citizen_id, list(texts.values()))

    async def judge(self, citizen_id: UUID, texts: Sequence[str]) -> Looked:
        """Look at what somebody wrote; of nothing, nobody is asked.

        Raises:
            DatabaseUnavailable: the database could not be reached.
        """
        if not texts:
            return Looked(CheckState.PASSED, CheckSource.NOTHING, TextVerdict(Suggestion.PASS))
        whole = "\n".join(texts)
        ours = look_locally(whole, self._words)
        theirs = await self._ask(citizen_id, whole)
        verdict = ours if theirs is None else worst([theirs, ours])
        source = CheckSource.LOCAL if theirs is None or verdict is ours else CheckSource.WECHAT
        return Looked(CheckState.HELD if verdict.suggestion.holds else CheckState.PASSED, source, verdict)

    async def _ask(self, citizen_id: UUID, text: str) -> TextVerdict | None:
        openid = None if self._platform is None else await self._openids.openid_of(citizen_id)
        if self._platform is None or openid is None:
            return None
        try:
            return worst([await self._platform.check(piece, openid) for piece in pieces(text, _PIECE)])
        except TextCheckUnavailable:
            log.warning("texts are looked at by our own list alone", partner="wechat")
            return None

    async def _write(self, written: Written, looked: Looked) -> None:
        new = await fetch(
            _ADD,
            self._ids.uuid(),
            written.id,
            written.department,
            written.matter_code,
            looked.state.value,
            looked.source.value,
            looked.verdict.label,
            self._clock.now(),
        )
        if new and looked.state is CheckState.HELD:
            await execute(_HOLD, written.id)
