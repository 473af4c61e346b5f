"""What the ledger tells of a dossier's way: which department saw what, and what came of it."""

from collections.abc import Sequence

from core.audit.actors import Actor
from core.audit.record import Audit
from matters.applications.records import Record
from matters.catalogue.catalogue import Catalogue
from matters.types import Dossier


class Disclosures:
    """Writes the ledger's lines about dossiers, each in the transaction of what it tells."""

    def __init__(self, *, catalogue: Catalogue, audit: Audit) -> None:
        self._catalogue = catalogue
        self._audit = audit

    async def disclose(self, record: Record, dossier: Dossier) -> None:
        """Tell what a department gets to see.

        Raises:
            OutsideTransaction: no transaction is running.
        """
        known = ["name", "id_number", *(["mobile"] if dossier.applicant.mobile else [])]
        names = {*dossier.form, *(file.material for file in dossier.files)}
        await self.tell(record, "sent", [*known, *sorted(names - set(known))])

    async def tell(self, record: Record, outcome: str, names: Sequence[str] = ()) -> None:
        """Tell what came of a dossier.

        Raises:
            OutsideTransaction: no transaction is running.
        """
        await self._audit.record(
            "matters.delivered",
            actor=Actor.department(record.department),
            subject_id=record.citizen_id,
            purpose=self._catalogue.of_case(record.matter_code, record.matter_version).matter.title.zh,
            object_kind="application",
            object_id=record.id,
            field_names=names,
            outcome=outcome,
        )
