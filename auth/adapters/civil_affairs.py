"""Civil affairs 民政: kinship and guardianship, as `docs/departments/civil-affairs.md` describes it."""

from typing import Final

from auth.delegation.errors import KinshipUnavailable
from auth.delegation.types import Guardianship, Kinship, Named, Relation
from core.ids import Ids
from core.log import get_logger
from core.outbound import Outbound, Partner, unavailable_as

log = get_logger(__name__)

_DONE: Final = "0000"
_PURPOSE: Final = "核对亲属和监护关系"
_RELATIONS: Final = {
    "child": Relation.CHILD,
    "parent": Relation.PARENT,
    "spouse": Relation.SPOUSE,
    "none": None,
}
_GUARDIANS: Final = {"none": Guardianship.NONE, "minor": Guardianship.MINOR, "adult": Guardianship.ADULT}


class CivilAffairs:
    """The register of births, marriages and guardianships; requests are signed by the door out."""

    def __init__(self, *, outbound: Outbound, partner: Partner, ids: Ids) -> None:
        self._outbound = outbound
        self._partner = partner
        self._ids = ids

    async def ask(self, asker: Named, other: Named) -> Kinship:
        """Say what the second is to the first, and whether the first is the second's guardian.

        Raises:
            KinshipUnavailable: the register could not be reached, is closed, or gave no usable answer.
        """
        question = {
            "request_id": self._ids.uuid().hex,
            "asker": _told(asker),
            "other": _told(other),
            "purpose": _PURPOSE,
        }
        with unavailable_as(KinshipUnavailable):
            got = await self._outbound.call(self._partner, "POST", "/v1/kinship", json_body=question)
            answer = got.mapping()
        relation, guardian = str(answer.get("relation")), str(answer.get("guardian"))
        if answer.get("code") != _DONE or relation not in _RELATIONS or guardian not in _GUARDIANS:
            log.error("the register of kinship does not answer", status=got.status, code=str(answer.get("code"))[:8])
            raise KinshipUnavailable(retry_after=5)
        return Kinship(_RELATIONS[relation], _GUARDIANS[guardian])


def _told(person: Named) -> dict[str, str]:
    return {"name": person.name.reveal(), "id_number": person.id_number.reveal()}
