"""Writing revisions of matters: drafted, amended, checked against every rule, compared with what is in force."""

from collections.abc import Mapping
from typing import Any, Final
from uuid import UUID

from pydantic import ValidationError
from tortoise.exceptions import IntegrityError

from auth.types import StaffCaller
from core.audit.record import Audit
from core.clock import Clock
from core.db import execute, fetch, transaction
from core.errors import FieldError
from core.ids import Ids
from core.settings import UnsafeSettings
from matters.catalogue.catalogue import Catalogue
from matters.catalogue.comparing import Difference, differences, matter_of, raw_of
from matters.catalogue.expanding import Templates
from matters.catalogue.lint.checking import Lint, errors_of
from matters.catalogue.revisions.errors import (
    RevisionChanged,
    RevisionRejected,
    RevisionSettled,
    RevisionTaken,
    RevisionUnreadable,
)
from matters.catalogue.revisions.living import LivingCatalogue
from matters.catalogue.revisions.rules import EDITABLE
from matters.catalogue.revisions.store import read_of_code, read_revision
from matters.catalogue.revisions.types import RevisionState, Row
from matters.catalogue.types import DepartmentEntry, Matter
from matters.errors import MatterUnknown

_ADD: Final = """
INSERT INTO matter_revision (id, code, slug, department, version, state, content, edition, created_by, created_at,
                             updated_at)
VALUES ($1, $2, $3, $4, $5, 'draft', $6, 1, $7, $8, $8) RETURNING id
"""
_AMEND: Final = """
UPDATE matter_revision SET content = $3, slug = $4, state = 'draft', edition = edition + 1, updated_at = $5
WHERE id = $1 AND edition = $2 AND state IN ('draft', 'checked')
"""
_CHECKED: Final = """
UPDATE matter_revision SET state = 'checked', edition = edition + 1, updated_at = $3
WHERE id = $1 AND edition = $2 AND state = 'draft'
"""
_DROP: Final = "DELETE FROM matter_revision WHERE id = $1 AND edition = $2 AND state IN ('draft', 'checked')"
_MOST_ERRORS: Final = 50


class Revisions:
    """Drafts of matters, up to the point where two people publish them."""

    def __init__(
        self, *, catalogue: Catalogue, living: LivingCatalogue, lint: Lint, audit: Audit, clock: Clock, ids: Ids
    ) -> None:
        self._catalogue = catalogue
        self._living = living
        self._lint = lint
        self._audit = audit
        self._clock = clock
        self._ids = ids
        self._templates = Templates.load()

    async def draft(self, caller: StaffCaller, department: str, content: Mapping[str, Any]) -> Row:
        """Begin a revision of a matter: a new one, or the next version of one that there is.

        The content is a matter as in a department's file; it may name a template and common materials.

        Raises:
            RevisionUnreadable: it is no matter, or of a department that there is not.
            RevisionTaken: another revision of it is under way.
            DatabaseUnavailable: the database could not be reached.
        """
        matter = self._read(department, content, version=0)
        revision_id, now = self._ids.uuid(), self._clock.now()

        async def work() -> None:
            rows = await read_of_code(matter.code)
            if any(row.state in EDITABLE for row in rows):
                raise RevisionTaken
            version = 1 + max([row.version for row in rows] + [self._shipped_version(matter.code)])
            numbered = raw_of(matter) | {"version": version}
            await fetch(
                _ADD, revision_id, matter.code, matter.slug, department, version, numbered, str(caller.operator_id), now
            )
            await self._record("matters.revision-drafted", caller, revision_id, matter)

        await self._write(work)
        return await read_revision(revision_id)

    async def amend(self, caller: StaffCaller, revision_id: UUID, content: Mapping[str, Any], *, edition: int) -> Row:
        """Write a draft anew; one that was checked has to be checked again.

        Raises:
            NoSuchRevision: there is none.
            RevisionSettled: it is published already.
            RevisionChanged: it was changed since it was read.
            RevisionUnreadable: it is no matter, or another one than it was.
            DatabaseUnavailable: the database could not be reached.
        """
        row = await self._editable(revision_id, edition)
        matter = self._read(row.department, content, version=row.version)
        if matter.code != row.code:
            raise RevisionUnreadable(
                errors=[FieldError("/matter/code", "other", "事项编码变了", "It is another matter")]
            )

        async def work() -> None:
            changed = await execute(_AMEND, row.id, edition, raw_of(matter), matter.slug, self._clock.now())
            if changed != 1:
                raise RevisionChanged
            await self._record("matters.revision-amended", caller, revision_id, matter)

        await self._write(work)
        return await read_revision(revision_id)

    async def check(self, caller: StaffCaller, revision_id: UUID, *, edition: int) -> Row:
        """Hold a draft against every rule of the catalogue.

        Raises:
            NoSuchRevision: there is none.
            RevisionSettled: it is no draft any more.
            RevisionChanged: it was changed since it was read.
            RevisionRejected: a rule is broken; each is named.
            DatabaseUnavailable: the database could not be reached.
        """
        row = await self._editable(revision_id, edition)
        if row.state is not RevisionState.DRAFT:
            raise RevisionSettled(state=row.state.value)
        matter = matter_of(row.content)
        self._require_sound(matter, self._department(row.department))

        async def work() -> None:
            if await execute(_CHECKED, row.id, edition, self._clock.now()) != 1:
                raise RevisionChanged
            await self._record("matters.revision-checked", caller, revision_id, matter)

        await transaction(work)
        return await read_revision(revision_id)

    async def drop(self, caller: StaffCaller, revision_id: UUID, *, edition: int) -> None:
        """Throw a draft away.

        Raises:
            NoSuchRevision: there is none.
            RevisionSettled: it is published already.
            RevisionChanged: it was changed since it was read.
            DatabaseUnavailable: the database could not be reached.
        """
        row = await self._editable(revision_id, edition)

        async def work() -> None:
            if await execute(_DROP, row.id, edition) != 1:
                raise RevisionChanged
            await self._record("matters.revision-dropped", caller, revision_id, matter_of(row.content))

        await transaction(work)

    async def differences(self, revision_id: UUID) -> tuple[Difference, ...] | None:
        """Return where a revision differs from what is in force; None where nothing of its code is.

        Raises:
            NoSuchRevision: there is none.
            DatabaseUnavailable: the database could not be reached.
        """
        row = await read_revision(revision_id)
        try:
            current = self._catalogue.find(row.code).matter
        except MatterUnknown:
            return None
        return differences(current, matter_of(row.content))

    def _shipped_version(self, code: str) -> int:
        return max((each.matter.version for each in self._living.shipped if each.matter.code == code), default=0)

    def _department(self, slug: str) -> DepartmentEntry:
        entry = self._living.department(slug)
        if entry is None:
            raise RevisionUnreadable(
                errors=[FieldError("/department", "unknown", "没有这个部门", "No such department")]
            )
        return entry

    def _read(self, department: str, content: Mapping[str, Any], *, version: int) -> Matter:
        entry = self._department(department)
        file = {
            "department": {
                "uscc": entry.uscc,
                "name": {"zh": entry.name.zh, "en": entry.name.en},
                "enquiry_phone": entry.enquiry_phone,
                "complaint_phone": entry.complaint_phone,
            },
            "matters": [{**content, "version": version}],
        }
        try:
            return matter_of(self._templates.expand(file)["matters"][0])
        except UnsafeSettings as unknown:
            told = FieldError("/matter", "unknown", "模板或者公共材料不存在", str(unknown))
            raise RevisionUnreadable(errors=[told]) from unknown
        except ValidationError as error:
            raise RevisionUnreadable(errors=_places(error)) from error

    def _require_sound(self, matter: Matter, department: DepartmentEntry) -> None:
        found = errors_of(self._lint.of_matter(matter, department))
        errors = [FieldError("/matter", each.rule, "不符合目录规则", each.text) for each in found[:_MOST_ERRORS]]
        if any(other.matter.slug == matter.slug and other.matter.code != matter.code for other in self._catalogue.all):
            errors.append(FieldError("/matter/slug", "doubled", "名称已被占用", "The slug is another matter's"))
        if errors:
            raise RevisionRejected(errors=errors)

    @staticmethod
    async def _editable(revision_id: UUID, edition: int) -> Row:
        row = await read_revision(revision_id)
        if row.state not in EDITABLE:
            raise RevisionSettled(state=row.state.value)
        if row.edition != edition:
            raise RevisionChanged
        return row

    @staticmethod
    async def _write(work: Any) -> None:  # noqa: ANN401 — a coroutine function
        try:
            await transaction(work)
        except IntegrityError as error:
            raise RevisionTaken from error

    async def _record(self, action: str, caller: StaffCaller, revision_id: UUID, matter: Matter) -> None:
        await self._audit.record(
            action,
            actor=caller.actor,
            object_kind="matter-revision",
            object_id=revision_id,
            outcome=matter.code,
        )


def _places(error: ValidationError) -> list[FieldError]:
    return [
        FieldError(
            "/matter/" + "/".join(str(part) for part in each["loc"]), each["type"], "这一项不对", str(each["msg"])[:200]
        )
        for each in error.errors(include_url=False, include_input=False, include_context=False)[:_MOST_ERRORS]
    ]
