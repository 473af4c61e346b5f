"""The population registry 人口库, as `docs/departments/population-registry.md` describes it."""

import base64
import binascii
from typing import Any, Final

from auth.errors import RegistryRefused, RegistryUnavailable
from auth.types import Verdict
from core.ids import Ids
from core.log import get_logger
from core.outbound import Outbound, Partner, unavailable_as
from core.pii import IdNumber, PersonName

log = get_logger(__name__)

_DONE: Final = "0000"
_NOTHING: Final = "1404"
_NOT_UNDERSTOOD: Final = "4000"
# Their three words for a name and a number; unknown people and wrong names are one to us.
_VERDICTS: Final = {"match": Verdict.MATCH, "mismatch": Verdict.MISMATCH, "unknown": Verdict.MISMATCH}


class PopulationRegistryHub:
    """The registry's interface for other authorities; requests are signed by the door out."""

    def __init__(self, *, outbound: Outbound, partner: Partner, ids: Ids) -> None:
        self._outbound = outbound
        self._partner = partner
        self._ids = ids

    async def verify(self, name: PersonName, id_number: IdNumber) -> Verdict:
        """Say whether name and number belong to one person, and whether that person lives.

        Raises:
            RegistryRefused: the registry does not take the question, finally.
            RegistryUnavailable: the registry could not be reached, or is closed for maintenance.
        """
        answer = await self._ask("/v1/verifications", {"name": name.reveal(), "id_number": id_number.reveal()})
        verdict = _VERDICTS.get(str(answer.get("result")))
        if answer.get("code") != _DONE or verdict is None:
            raise self._failure(answer)
        # Nobody logs in as somebody who has died.
        return Verdict.DECEASED if verdict is Verdict.MATCH and answer.get("alive") is not True else verdict

    async def portrait_of(self, id_number: IdNumber) -> bytes | None:
        """Return the person's portrait as JPEG, or None when the registry holds none.

        Raises:
            RegistryRefused: the registry does not take the question, finally.
            RegistryUnavailable: the registry could not be reached, or is closed for maintenance.
        """
        answer = await self._ask("/v1/portraits", {"id_number": id_number.reveal(), "purpose": "face-check"})
        if answer.get("code") == _NOTHING:
            return None
        if answer.get("code") != _DONE:
            raise self._failure(answer)
        try:
            return base64.b64decode(str(answer.get("portrait")), validate=True)
        except binascii.Error:
            raise RegistryUnavailable(retry_after=5) from None

    async def _ask(self, path: str, question: dict[str, str]) -> dict[str, Any]:
        with unavailable_as(RegistryUnavailable):
            got = await self._outbound.call(
                self._partner, "POST", path, json_body={"request_id": self._ids.uuid().hex, **question}
            )
            answer = got.mapping()
        if got.status != 200:  # noqa: PLR2004 — 401: our signature is not taken, a matter of settings and clocks
            log.error("the registry does not take our request", partner=got.partner, status=got.status)
            raise RegistryUnavailable(retry_after=5)
        return answer

    def _failure(self, answer: dict[str, Any]) -> RegistryRefused | RegistryUnavailable:
        code = str(answer.get("code"))[:8]
        log.warning("the registry did not answer the question", partner=self._partner.name, code=code)
        return RegistryRefused() if code == _NOT_UNDERSTOOD else RegistryUnavailable(retry_after=5)
