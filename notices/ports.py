"""What telling people needs from outside: two channels, and the reader of WeChat's pushes."""

from collections.abc import Mapping
from typing import Protocol

from core.pii import Mobile, Secret
from notices.types import Card, Handed, Push


class SubscribeMessages(Protocol):
    """Messages inside WeChat, each resting on a consent that its reader gave for its template.

    The platform knows nothing of a message sent twice: what was ambiguous and is sent again may arrive twice.
    """

    def knows(self, template: str) -> bool:
        """Tell whether this installation has the template."""
        ...

    async def send(self, openid: Secret, card: Card, *, page: str) -> Handed:
        """Hand a message over. A reader without a consent left is an ordinary outcome, not a failure.

        Raises:
            ChannelUnavailable: the platform could not be reached, or is busy.
        """
        ...


class TextMessages(Protocol):
    """Who brings notices to mobiles, and reports later whether they arrived. It knows numbers, not people."""

    async def send(self, mobile: Mobile, text: str, *, reference: str) -> Handed:
        """Hand a text over. The same reference twice sends one message and gives the same number.

        Raises:
            ChannelUnavailable: the provider could not be reached, or sends nothing more to this number for now.
        """
        ...


class PushReader(Protocol):
    """Reads what the platform pushes to us, once it proves to come from there."""

    def echo(self, query: Mapping[str, str]) -> str:
        """Return what the platform wants to hear when it tries our address.

        Raises:
            PushRefused: the proof does not hold.
        """
        ...

    def read(self, query: Mapping[str, str], body: bytes) -> Push:
        """Return what was pushed, whatever form it came in.

        Raises:
            PushRefused: the proof does not hold, is old, or the body cannot be read.
        """
        ...
