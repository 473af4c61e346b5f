"""What a check by a platform needs from outside: the platform."""

from typing import Protocol

from face.platform.types import Begun, Finding, Subject


class FacePlatform(Protocol):
    """Looks at a face in its own client and compares it itself; of that only the end is told to us.

    What the client says about the end counts for nothing: it is asked for here, with the same subject and number as at
    the beginning, so that the result of one person, account or check is never another's.
    """

    @property
    def name(self) -> str:
        """The engine as results and callers name it."""
        ...

    async def begin(self, subject: Subject, *, number: str) -> Begun:
        """Begin a check of a person at an account. `number` is ours (32 letters and digits) and never used again.

        A beginning that failed on the way is begun anew under another number: one that the platform took all the same
        is known to nobody and runs out.

        Raises:
            PlatformUnavailable: it could not be reached, is busy, or does not take our settings.
            PlatformTooMany: it takes no more checks of this person or account for the moment.
            PlatformRefused: it does not take this person or account.
        """
        ...

    async def ask(self, subject: Subject, begun: Begun, *, number: str) -> Finding:
        """Ask how a check ended; asked twice it says the same. Whatever it does not say clearly is no end.

        Raises:
            PlatformUnavailable: it could not be reached, is busy, or does not take our settings; ask again.
            PlatformRefused: it knows no such check, or another subject's.
        """
        ...
