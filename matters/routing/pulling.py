"""Pulling what the place that somebody leaves has on record, so that nobody goes there for it."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Final
from uuid import UUID

from core.audit.actors import SYSTEM
from core.audit.record import Audit
from core.db import transaction
from core.outside.watching import on_behalf_of
from matters.catalogue.types import Published
from matters.ports import Records
from matters.routing.rules import region_named
from matters.routing.types import RoutingTable
from matters.types import Dossier

PULLED: Final = "pulled"
# As the ledger calls departments that were asked (`matters.applications.eligibility`).
_ASKED: Final = "departments"
_SHOWN: Final = ("name", "id_number")


class Pulls:
    """Asks the records of the place moved from before a dossier goes to the place moved to: one case for both."""

    def __init__(self, *, table: RoutingTable, records: Mapping[str, Records], audit: Audit) -> None:
        self._table = table
        self._records = records
        self._audit = audit

    async def into(self, dossier: Dossier, published: Published, citizen_id: UUID) -> Dossier:
        """Return the dossier with what the place moved from has on record, under `pulled`; others as they are.

        The ledger tells of the question before it is asked.

        Raises:
            DepartmentUnavailable: the records cannot be asked now; the dossier has not left.
            DatabaseUnavailable: the ledger could not be written.
        """
        pull = next((each for each in self._table.pulls if each.matter == published.matter.slug), None)
        if pull is None:
            return dossier
        place = str(dossier.form.get(pull.field, ""))
        purpose = f"{published.matter.title.zh}：向迁出地调取登记信息"

        async def note() -> None:
            await self._audit.record(
                "matters.checked",
                actor=SYSTEM,
                subject_id=citizen_id,
                purpose=purpose,
                object_kind=_ASKED,
                object_id=pull.records,
                field_names=_SHOWN,
            )

        await transaction(note)
        with on_behalf_of(matter=published.matter.code, consumer=published.department.slug):
            facts = await self._records[pull.records].ask(dossier.applicant, purpose=purpose)
        told = {
            "from_region": region_named(self._table.places, place),
            **{name: value if isinstance(value, str | int | bool) else str(value) for name, value in facts.items()},
        }
        return replace(dossier, form={**dossier.form, PULLED: told})
