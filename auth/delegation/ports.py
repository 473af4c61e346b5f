"""What delegation needs from outside: who is kin to whom, and who represents an organisation."""

from typing import Protocol

from auth.delegation.types import Kinship, Named


class KinshipRegister(Protocol):
    """The register of births, marriages and guardianships.

    It is asked about two people who are both named, never searched. People it does not know are answered like people
    who are no kin, so that nobody learns from it who exists.
    """

    async def ask(self, asker: Named, other: Named) -> Kinship:
        """Say what the second is to the first, and whether the first is the second's guardian.

        Raises:
            KinshipUnavailable: the register could not be reached, or gave no usable answer; try again later.
        """
        ...


class BusinessRegister(Protocol):
    """The register of organisations and their legal representatives."""

    async def represents(self, person: Named, *, uscc: str, name: str) -> bool:
        """Say whether a person is now the legal representative of the organisation of this code and name.

        An organisation that is unknown, struck off or called otherwise is answered like one that somebody else
        represents.

        Raises:
            BusinessRegisterUnavailable: the register could not be reached, or gave no usable answer; try again later.
        """
        ...
