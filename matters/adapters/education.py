"""Education: degrees over signed JSON (`docs/departments/education.md`)."""

from collections.abc import Mapping
from typing import Final

from core.ids import Ids
from core.outbound import Outbound, Partner
from matters.adapters.reading import as_department, day, refused_question, text
from matters.types import Applicant, Capability, Fact

_DONE: Final = "0000"


class Degrees:
    """Answers about degrees: facts `result`, `degree`, `graduated_on`. The page has no place for a purpose."""

    capabilities: Final = frozenset({Capability.QUERY})

    def __init__(self, *, outbound: Outbound, partner: Partner, ids: Ids) -> None:
        self._outbound = outbound
        self._partner = partner
        self._ids = ids

    async def ask(self, applicant: Applicant, *, purpose: str) -> Mapping[str, Fact]:
        """Return what education has on record.

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
            answer = await self._outbound.call(self._partner, "POST", "/v1/checks/degree", json_body=asked)
            told = answer.mapping()
            if told.get("code") != _DONE:
                raise refused_question(self._partner.name, told.get("code"))
            result = text(told, "result")
            if result != "confirmed":
                return {"result": result}
            return {"result": result, "degree": text(told, "degree"), "graduated_on": day(told.get("graduated_on"))}
