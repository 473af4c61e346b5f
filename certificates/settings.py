"""What an installation may set about the wallet."""

from typing import Annotated, Final

from pydantic import Field, SecretStr, StringConstraints

from core.settings import PartnerSettings, Section, SignedPartnerSettings, unsafe_partner, unsafe_secret

DEMO_AUTHORITY: Final = "11999999MB0000019T"
"""A department that does not exist (area 999999 was never assigned), with a right check character (GB 32100)."""

Rule = Annotated[str, StringConstraints(pattern=r"^[1-9]\d*/(second|minute|hour|day)$")]


class SharingSettings(PartnerSettings):
    """A department that speaks the sharing interface: an access id with its secret, and our SM2 private key in hex."""

    access_id: str = ""
    secret: SecretStr = SecretStr("")
    private_key: SecretStr = SecretStr("")


class CertificateSettings(Section):
    """Issuers, lifetimes and limits of the wallet.

    `authority` is the deployment's own unified social credit code: type codes of certificate identifiers are made from
    it and a local sequence, until `type_codes` names the official ones (21 characters each, by kind).
    """

    public_security: SignedPartnerSettings = SignedPartnerSettings()
    human_resources: SharingSettings = SharingSettings()
    authority: str = DEMO_AUTHORITY
    type_codes: dict[str, str] = Field(default_factory=dict)
    code_seconds: int = Field(default=60, ge=10, le=60)
    expiring_days: int = Field(default=30, ge=1, le=366)
    keep_codes_days: int = Field(default=30, ge=1)
    fetch_limit: Rule = "20/minute"
    show_limit: Rule = "30/minute"
    verify_limit: Rule = "10/minute"
    verify_failed_limit: Rule = "20/hour"

    def unsafe(self) -> list[str]:
        """Return one sentence for each setting of the wallet that production refuses."""
        found = [
            *unsafe_partner("Certificates from public security", self.public_security),
            *unsafe_secret("Certificates from public security", self.public_security.secret),
            *unsafe_partner("Certificates from human resources", self.human_resources),
            *unsafe_secret("Certificates from human resources", self.human_resources.secret),
            *unsafe_secret("The SM2 key for human resources", self.human_resources.private_key, minimum=64),
        ]
        if self.authority == DEMO_AUTHORITY:
            found.append("ZHIJIAN_CERTIFICATES__AUTHORITY must be your own unified social credit code.")
        return found
