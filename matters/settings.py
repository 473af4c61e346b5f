"""The settings of matters: how departments are reached, where files lie, and a few bounds."""

from pathlib import Path
from typing import Annotated

from pydantic import Field, SecretStr, StringConstraints

from core.settings import PartnerSettings, Section, SignedPartnerSettings, unsafe_partner, unsafe_secret

Rule = Annotated[str, StringConstraints(pattern=r"^[1-9]\d*/(second|minute|hour|day)$")]


class PublicSecuritySettings(SignedPartnerSettings):
    """Public security: signed JSON out, signed callbacks in.

    `callback_public_key` is the Ed25519 key of its callbacks, PEM; `callback_key_id` its name in the signature.
    """

    callback_key_id: str = ""
    callback_public_key: str = ""


class SharingSettings(PartnerSettings):
    """The sharing interface of human resources: token in the head, answers sealed for our SM2 key (hex)."""

    access_id: str = ""
    secret: SecretStr = SecretStr("")
    private_key: SecretStr = SecretStr("")


class DepartmentSettings(Section):
    """How each department is reached for applications and checks."""

    public_security: PublicSecuritySettings = PublicSecuritySettings()
    human_resources: SharingSettings = SharingSettings()
    pension: SignedPartnerSettings = SignedPartnerSettings()
    education: SignedPartnerSettings = SignedPartnerSettings()
    real_estate: SignedPartnerSettings = SignedPartnerSettings()

    def unsafe(self) -> list[str]:
        """Return one sentence for each department setting that production refuses."""
        signed = {
            "Public security": self.public_security,
            "The pension desk": self.pension,
            "Education": self.education,
            "Real estate": self.real_estate,
        }
        found = []
        for name, partner in signed.items():
            found += [*unsafe_partner(name, partner), *unsafe_secret(name, partner.secret)]
        found += [
            *unsafe_partner("Human resources", self.human_resources),
            *unsafe_secret("Human resources", self.human_resources.secret),
            *unsafe_secret("The SM2 key for human resources", self.human_resources.private_key, minimum=64),
        ]
        if not self.public_security.callback_public_key or not self.public_security.callback_key_id:
            found.append("Public security: the key of its callbacks is missing.")
        return found


class MatterSettings(Section):
    """Bounds of applications. `files` is the folder for attachments: by default `files` in the data folder."""

    files: Path | None = None
    attachment_bytes: int = Field(default=5 * 1024 * 1024, ge=1024, le=8 * 1024 * 1024)
    attachments: int = Field(default=10, ge=1, le=50)
    submissions_per_hour: int = Field(default=10, ge=1)
    start_limit: Rule = "600/hour"
    upload_limit: Rule = "60/hour"
    check_limit: Rule = "60/minute"
    query_limit: Rule = "10/hour"
    query_address_limit: Rule = "60/minute"
    callback_limit: Rule = "100/second"
