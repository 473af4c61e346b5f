"""The seal of this installation on what other domains make: papers, and lists of what is in a package."""

from collections.abc import Mapping
from typing import Any, Final

from certificates.copies.sealing import seal
from certificates.keys import IssuerKeys
from certificates.offline.jws import sign
from certificates.settings import CertificateSettings

_SIGNED_BY: Final = "指尖办事"


class Seals:
    """Seals with the issuer key, whose public half is published: whoever has that needs nobody here to check."""

    def __init__(self, *, keys: IssuerKeys, settings: CertificateSettings) -> None:
        self._keys = keys
        self._settings = settings

    async def on_paper(self, pdf: bytes, reason: str) -> bytes:
        """Return a PDF with a signature over all of it (PAdES baseline B); `reason` stands in it."""
        chain = self._settings.seal_chain
        return await seal(pdf, key=self._keys.current, chain=chain, name=_SIGNED_BY, reason=reason)

    def on_data(self, data: Mapping[str, Any], kind: str) -> str:
        """Return data with their signature in compact form (RFC 7515), of the type `kind`."""
        key = self._keys.current
        return sign(data, key.secret, key_id=key.kid, typ=kind)
