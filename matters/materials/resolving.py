"""How one person satisfies the materials of a matter, and what was settled when they applied."""

from collections.abc import Mapping, Sequence
from typing import Final
from uuid import UUID

from auth.types import Caller
from core.clock import Clock
from core.db import after_commit, as_moment, as_uuid, fetch, later
from core.ids import Ids
from core.jobs.queue import Jobs
from core.metrics import MATERIALS
from matters.catalogue.catalogue import Catalogue
from matters.catalogue.knowing import NOTHING_YET, Knowing, Standpoint
from matters.catalogue.types import GuideMaterial, Matter, Published
from matters.materials.commitments import USUAL_DAYS, has_broken, record_commitments
from matters.materials.rules import as_settled, lines_of, resolve, settled_of
from matters.materials.types import Asked, CommitmentKind, Given, Settled, Standing
from matters.materials.vault import MaterialVault
from matters.types import MaterialLine

# What went along with an application once need not be given again for the same matter, as long as it is good. A
# resident's own files come first: sought from the newest submission on, everybody's would be read.
_GIVEN: Final = """
WITH given AS MATERIALIZED (
    SELECT id, material, application_id FROM attachment WHERE citizen_id = $1 AND matter_code = $2
)
SELECT given.id, given.material, application.submitted_at AS at
FROM given JOIN application ON application.id = given.application_id
WHERE application.submitted_at IS NOT NULL
ORDER BY application.submitted_at DESC, given.id DESC LIMIT 200
"""
KEPT: Final = "kept:"
_SETTLE: Final = """
INSERT INTO application_material (id, application_id, matter_code, department, material, necessity, way, source,
                                  created_at)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9) RETURNING id
"""
_SETTLED: Final = """
SELECT material, necessity, way, source FROM application_material WHERE application_id = $1 ORDER BY material
"""


class Materials:
    """Resolves materials for people, and writes down what was settled with a submission."""

    def __init__(
        self,
        *,
        catalogue: Catalogue,
        knowing: Knowing,
        vault: MaterialVault,
        jobs: Jobs,
        clock: Clock,
        ids: Ids,
        days: Mapping[CommitmentKind, int] = USUAL_DAYS,
    ) -> None:
        """Build it; `days` is how long a promise is looked at, and how much later a file may come."""
        self._days = days
        self._catalogue = catalogue
        self._knowing = knowing
        self._vault = vault
        self._jobs = jobs
        self._clock = clock
        self._ids = ids

    async def resolve(
        self, caller: Caller, matter: Matter, form: Mapping[str, object] = NOTHING_YET
    ) -> tuple[GuideMaterial, ...]:
        """Return how this caller satisfies each material that a matter asks of them with this form, and why so.

        Raises:
            DatabaseUnavailable: the database could not be reached.
        """
        return await self.resolve_from(await self._knowing.of(caller, matter, form), caller.citizen_id)

    async def resolve_from(self, standpoint: Standpoint, citizen_id: UUID | None) -> tuple[GuideMaterial, ...]:
        """Return how somebody satisfies each material that is asked of them, and why so; without an id, anybody.

        Raises:
            DatabaseUnavailable: the database could not be reached.
        """
        standing = Standing(real_name=False)
        if standpoint.held is not None and citizen_id is not None:
            given = await self._given(citizen_id, standpoint.matter)
            broken = await has_broken(citizen_id, standpoint.asked)
            standing = Standing(real_name=True, held=standpoint.held, given=given, has_broken=broken)
        return resolve(standpoint.asked, standing, self._clock.now())

    async def _given(self, citizen_id: UUID, matter: Matter) -> Mapping[str, Given]:
        """Return what was given before: with this very matter, or kept for more than it. The latest counts."""
        department = self._catalogue.of_case(matter.code).department.slug
        given: dict[str, Given] = dict(await self._vault.given(citizen_id, matter, department))
        for row in await fetch(_GIVEN, citizen_id, matter.code):
            source = f"attachment:{as_uuid(row['id'])}"
            code, at = str(row["material"]), as_moment(row["at"])
            if code not in given or given[code].at < at:
                given[code] = Given(source, at)
        return given

    async def settle(
        self, application_id: UUID, published: Published, materials: Sequence[GuideMaterial], files: Mapping[str, UUID]
    ) -> None:
        """Write into the running transaction how each material of an application was satisfied.

        `files` are those that came along, by material. What is optional and was not given is no material of it.

        Raises:
            OutsideTransaction: no transaction is running.
        """
        now, matter = self._clock.now(), published.matter
        settled = settled_of(materials, files)
        await record_commitments(application_id, settled, clock=self._clock, ids=self._ids, days=self._days)
        for each in settled:
            await later(
                _SETTLE,
                self._ids.uuid(),
                application_id,
                matter.code,
                published.department.slug,
                each.material,
                each.necessity,
                each.way,
                each.source,
                now,
            )
            if each.source.startswith(KEPT):
                await self._jobs.enqueue(
                    "matters.hand-over-kept", application_id=application_id, kept_id=each.source.removeprefix(KEPT)
                )
            if each.way:
                after_commit(MATERIALS.labels(each.way).inc)

    async def lines(self, caller: Caller, record: Asked, matter: Matter) -> list[MaterialLine]:
        """Return the materials of an application: as they were settled, or as they stand while it is a draft.

        Raises:
            DatabaseUnavailable: the database could not be reached.
        """
        if record.number is None:
            resolved = await self.resolve(caller, matter, record.form)
        else:
            resolved = as_settled(matter.materials, await self.settled(record.id))
        return lines_of(resolved, record.files, is_draft=record.number is None)

    async def settled(self, application_id: UUID) -> list[Settled]:
        """Return how the materials of a submitted application were satisfied.

        Raises:
            DatabaseUnavailable: the database could not be reached.
        """
        rows = await fetch(_SETTLED, application_id)
        return [Settled(row["material"], row["necessity"], row["way"], row["source"]) for row in rows]
