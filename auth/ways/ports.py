"""What the ways need from outside: a proof begun and finished, a text sent, a number's holder known."""

from datetime import datetime
from typing import Protocol
from uuid import UUID

from auth.ways.types import Begun, Claim, Finding, Proof
from core.pii import IdNumber, Mobile, PersonName


class Way(Protocol):
    """One method of proving who somebody is.

    A proof is begun for a claimed person and finished with evidence. What `begin` gives back does not tell whether
    there is such a person: where there is none, the proof goes on like any other and never passes.
    """

    async def begin(self, claim: Claim, *, check_id: UUID, until: datetime) -> Begun:
        """Begin a proof for a claimed person, who has until `until` to give it.

        Raises:
            WayUnavailable: the provider could not be reached; try again later.
            WayRefused: the provider does not take what was given, finally.
        """
        ...

    async def finish(self, proof: Proof, code: str | None) -> Finding:
        """Say how a proof stands, with the code where the method has one; a failure is a value.

        Raises:
            WayUnavailable: the provider could not be reached; the proof stays as it was.
            WayRefused: the provider takes this proof no more, finally.
        """
        ...


class SmsSender(Protocol):
    """Who brings short messages to mobiles. It knows numbers, not people."""

    async def send_code(self, mobile: Mobile, code: str, *, minutes: int, reference: str) -> None:
        """Send a code that is good for some minutes. The same reference twice sends one message.

        Raises:
            WayUnavailable: the provider could not be reached, or sends nothing more to this number for the moment.
            WayRefused: the provider cannot send to this number.
        """
        ...


class MobileRegister(Protocol):
    """The carriers' register of who holds which mobile number (three elements)."""

    async def agrees(self, name: PersonName, id_number: IdNumber, mobile: Mobile) -> bool:
        """Say whether the number is held by the person with this name and ID number; False for anybody unknown.

        Raises:
            WayUnavailable: the register could not be reached.
            WayRefused: the register does not take the question.
        """
        ...
