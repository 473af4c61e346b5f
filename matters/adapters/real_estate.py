"""Real estate registration: residences over signed JSON with SM3 (`docs/departments/real-estate.md`)."""

from collections.abc import Mapping
from typing import Final

from core.ids import Ids
from core.outbound import Outbound, Partner
from matters.adapters.reading import as_department, refused_question, text
from matters.types import Applicant, Fact

_DONE: Final = "0000"


class Residences:
    """Answers about residences: fact `result`. The address that comes along is not needed and is let go."""

    def __init__(self, *, outbound: Outbound, partner: Partner, ids: Ids) -> None:
        self._outbound = outbound
        self._partner = partner
        self._ids = ids

    async def ask(self, applicant: Applicant, *, purpose: str) -> Mapping[str, Fact]:
        """Return what the register has on record.

        Raises:
            DepartmentUnavailable: no usable answer.
        """
        del purpose
        asked = {
            "request_id": self._ids.uuid().hex,
            "id_number": applicant.id_number.reveal(),
            "name": applicant.name.reveal(),
        }
        with as_department(self._partner.name):
            answer = await self._outbound.call(self._partner, "POST", "/v1/checks/residence", json_body=asked)
            told = answer.mapping()
            if told.get("code") != _DONE:
                raise refused_question(self._partner.name, told.get("code"))
            return {"result": text(told, "result")}
