"""What an installation may set about the wallet."""

from enum import StrEnum
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


class Lifetimes(Section):
    """For how long an issuer's answer is taken as it is, by what it was; and when a certificate is looked after.

    The first four hold for the holder's own asking. `fresh_seconds` is the age after which reading a certificate has it
    fetched anew in the background, `retry_seconds` the pause before that is tried again.
    """

    asked_ok_seconds: float = Field(default=0.0, ge=0)
    none_held_seconds: float = Field(default=10.0, ge=0)
    not_confirmed_seconds: float = Field(default=10.0, ge=0)
    unavailable_seconds: float = Field(default=1.0, ge=0)
    fresh_seconds: float = Field(default=21_600.0, gt=0)
    retry_seconds: float = Field(default=60.0, gt=0)


class Profile(StrEnum):
    """With what is signed that proves itself without us: ES256 alone, or SM2 with SM3 beside it."""

    INTL = "intl"
    DUAL = "dual"


class CertificateSettings(Section):
    """Issuers, lifetimes and limits of the wallet.

    `authority` is the deployment's own unified social credit code: type codes of certificate identifiers are made from
    it and a local sequence, until `type_codes` names the official ones (21 characters each, by kind).
    """

    public_security: SignedPartnerSettings = SignedPartnerSettings()
    human_resources: SharingSettings = SharingSettings()
    housing_fund: SharingSettings = SharingSettings()
    disabled_persons: SignedPartnerSettings = SignedPartnerSettings()
    health: SignedPartnerSettings = SignedPartnerSettings()
    data_quality: SignedPartnerSettings = SignedPartnerSettings()
    # By which key (Ed25519 or P-256 in PEM, and its name) each department signs what it tells. Public security has the
    # key of its other news; more may stand in the register of parties.
    callback_key_ids: dict[str, str] = Field(default_factory=dict)
    callback_public_keys: dict[str, str] = Field(default_factory=dict)
    lifetimes: Lifetimes = Lifetimes()
    crypto_profile: Profile = Profile.INTL
    authority: str = DEMO_AUTHORITY
    type_codes: dict[str, str] = Field(default_factory=dict)
    code_seconds: int = Field(default=60, ge=10, le=60)
    # A token tells of 24 hours at the most, and so does a status list (EUDI ARF, VCR_01); a list is made anew each
    # `status_list_seconds`, and one that is older than its `ttl` is used only by who cannot fetch another.
    token_hours: int = Field(default=24, ge=1, le=24)
    status_list_seconds: int = Field(default=20, ge=0, le=40)
    status_list_ttl_seconds: int = Field(default=300, ge=60)
    status_list_hours: int = Field(default=24, ge=1, le=24)
    copy_days: int = Field(default=90, ge=1, le=366)
    copy_limit: Rule = "10/hour"
    # Somebody waits for a copy: below what a request may take.
    copy_seconds: float = Field(default=8, gt=0, le=60)
    # A certificate (X.509, PEM, with its chain) for the key that signs copies; without one they are signed under a
    # certificate that the key has signed itself, which readers show as valid but not as known.
    seal_chain: str = ""
    expiring_days: int = Field(default=30, ge=1, le=366)
    keep_codes_days: int = Field(default=30, ge=1)
    fetch_limit: Rule = "20/minute"
    report_limit: Rule = "10/day"
    report_pause_seconds: float = Field(default=300.0, ge=1)
    news_limit: Rule = "100/second"
    show_limit: Rule = "30/minute"
    verify_limit: Rule = "10/minute"
    verifier_limit: Rule = "600/minute"
    verify_failed_limit: Rule = "20/hour"

    def unsafe(self) -> list[str]:
        """Return one sentence for each setting of the wallet that production refuses."""
        signed = {
            "Certificates from public security": self.public_security,
            "Certificates from the disabled persons' federation": self.disabled_persons,
            "Certificates from health": self.health,
            "The data quality desk": self.data_quality,
        }
        sharing = {"human resources": self.human_resources, "the housing fund": self.housing_fund}
        found = []
        for name, partner in signed.items():
            found += [*unsafe_partner(name, partner), *unsafe_secret(name, partner.secret)]
        for name, shared in sharing.items():
            found += [
                *unsafe_partner(f"Certificates from {name}", shared),
                *unsafe_secret(f"Certificates from {name}", shared.secret),
                *unsafe_secret(f"The SM2 key for {name}", shared.private_key, minimum=64),
            ]
        if self.authority == DEMO_AUTHORITY:
            found.append("ZHIJIAN_CERTIFICATES__AUTHORITY must be your own unified social credit code.")
        return found
