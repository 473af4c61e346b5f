"""A copy of what was submitted, as PDF, for the applicant to keep: each answer with its source."""

import json
from collections.abc import Awaitable, Callable, Mapping
from typing import Final
from uuid import UUID

from auth.rights.document import pdf_by
from auth.types import Caller
from core.audit.record import Audit
from core.cache import Limits
from core.clock import CHINA
from core.crypto import Vault
from core.db import as_moment, fetch_one, transaction
from matters.applications.records import SUBMITTED, read_files, read_own
from matters.catalogue.catalogue import Catalogue
from matters.errors import StateForbids
from matters.materials.resolving import Materials
from matters.materials.types import Asked
from matters.papers import layout
from matters.papers.wording import Submitted, content_of
from matters.settings import MatterSettings

# Lays a JSON text out by a module of ours; a process of its own does it.
LayOut = Callable[[str, str], Awaitable[bytes]]

_FIND: Final = "SELECT submitted_sealed, submitted_at, channel FROM application WHERE id = $1"


class SubmissionCopies:
    """Makes copies. Nothing of one is kept: again it is made of the same content."""

    def __init__(
        self,
        *,
        catalogue: Catalogue,
        materials: Materials,
        kinds: Mapping[str, str],
        vault: Vault,
        audit: Audit,
        limits: Limits,
        settings: MatterSettings,
        lay_out: LayOut = pdf_by,
    ) -> None:
        self._catalogue = catalogue
        self._materials = materials
        self._kinds = kinds
        self._vault = vault
        self._audit = audit
        self._limits = limits
        self._settings = settings
        self._lay_out = lay_out

    async def make(self, caller: Caller, application_id: UUID) -> tuple[str, bytes]:
        """Return the name of the file and the copy of a submission, as it was when it was submitted.

        Raises:
            NoSuchApplication: there is none, or it is somebody else's.
            StateForbids: it was not submitted.
            LayoutFailed: it could not be laid out in time.
            TooManyRequests: too many copies within the hour.
        """
        record = await read_own(self._vault, application_id, caller)
        row = await fetch_one(_FIND, application_id)
        if record.number is None or row is None or row["submitted_sealed"] is None:
            raise StateForbids(state=record.state.value)
        await self._limits.hit("matters.copy", self._settings.copy_limit, f"citizen:{caller.citizen_id}")
        published = self._catalogue.of_case(record.matter_code, record.matter_version)
        told = json.loads(self._vault.open(SUBMITTED, application_id, row["submitted_sealed"]))
        submitted_at = as_moment(row["submitted_at"])
        files = [file for file in await read_files(application_id) if file.created_at <= submitted_at]
        asked = Asked(application_id, record.number, told["form"], {file.material for file in files})
        content = content_of(
            Submitted(
                published,
                record.number,
                submitted_at,
                row["channel"],
                told["form"],
                told["sources"],
                await self._materials.lines(caller, asked, published.matter),
                files,
            ),
            self._kinds,
        )
        pdf = await self._lay_out(layout.__name__, json.dumps(content, ensure_ascii=False))

        async def work() -> None:
            await self._audit.record(
                "matters.copy-made",
                actor=caller.actor,
                subject_id=caller.citizen_id,
                purpose=published.matter.title.zh,
                object_kind="application",
                object_id=application_id,
                field_names=sorted(told["form"]),
            )

        await transaction(work)
        return f"application-{submitted_at.astimezone(CHINA):%Y%m%d}-{record.number[-4:]}.pdf", pdf
