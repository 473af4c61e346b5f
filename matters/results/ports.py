"""What results need from outside the domain: somebody who seals."""

from collections.abc import Mapping
from typing import Any, Protocol


class Sealer(Protocol):
    """Seals papers and lists with a key whose public half is published."""

    async def on_paper(self, pdf: bytes, reason: str) -> bytes:
        """Return a PDF with a signature over all of it.

        Raises:
            ValueError: it is no PDF that can be signed.
        """
        ...

    def on_data(self, data: Mapping[str, Any], kind: str) -> str:
        """Return data with their signature in compact form (RFC 7515), of the type `kind`.

        Raises:
            TypeError: the data are none that JSON can hold.
        """
        ...
