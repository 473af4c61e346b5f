"""By short message: who reads the mobile that the carriers' register gives to the person."""

from datetime import datetime
from uuid import UUID

from auth.ways.ports import MobileRegister
from auth.ways.texting import Texting
from auth.ways.types import Begun, Claim, Finding, Outcome, Prompt, Proof, Reason
from core.clock import Clock
from core.pii import Secret


class SmsCodes:
    """A code to the mobile that was given, and after it the register's word on whose mobile it is.

    The code goes to whatever number is given, and the register is asked only once it has come back: so beginning is the
    same work for everybody, and who cannot read the mobile learns nothing of whom the register knows.
    """

    def __init__(self, *, texting: Texting, register: MobileRegister, clock: Clock) -> None:
        self._texting = texting
        self._register = register
        self._clock = clock

    async def begin(self, claim: Claim, *, check_id: UUID, until: datetime) -> Begun:
        """Send a code to the claimed mobile.

        Raises:
            WayLocked: this mobile has got as many codes as it may for now.
            WayUnavailable: the provider could not be reached.
            WayRefused: the provider cannot send to this number.
        """
        mobile = claim.mobile
        if mobile is None:
            raise ValueError("the claim has no mobile")
        code_hash = await self._texting.send(mobile, of=check_id, lifetime=until - self._clock.now())
        return Begun(Secret(code_hash), Prompt("code", sent_to=mobile.masked()))

    async def finish(self, proof: Proof, code: str | None) -> Finding:
        """Hold the code against what was sent; a right one is worth what the register says of the mobile.

        Raises:
            WayUnavailable: the register could not be reached.
            WayRefused: the register does not take the question.
        """
        claim = proof.claim
        if not self._texting.fits(code or "", of=proof.check_id, code_hash=proof.reference.reveal()):
            return Finding(Outcome.FAILED, Reason.CODE_WRONG)
        if claim.mobile is None or not await self._register.agrees(claim.name, claim.id_number, claim.mobile):
            return Finding(Outcome.FAILED, Reason.NOT_PASSED)
        return Finding(Outcome.PASSED)
