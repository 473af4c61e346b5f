"""The settings of matters: how departments are reached, where files lie, and a few bounds."""

from pathlib import Path
from typing import Annotated
from urllib.parse import urlsplit

from pydantic import Field, SecretStr, StringConstraints, field_validator

from core.settings import PartnerSettings, Section, SignedPartnerSettings, Switch, unsafe_partner, unsafe_secret
from matters.exchange.settings import ExchangeSettings
from matters.types import Satisfaction

Rule = Annotated[str, StringConstraints(pattern=r"^[1-9]\d*/(second|minute|hour|day)$")]


class PublicSecuritySettings(SignedPartnerSettings):
    """Public security, and those like it: signed JSON out, signed callbacks in.

    `callback_public_key` is the Ed25519 key of its callbacks, PEM; `callback_key_id` its name in the signature.
    """

    callback_key_id: str = ""
    callback_public_key: str = ""


class SharingSettings(PartnerSettings):
    """The sharing interface of human resources: token in the head, answers sealed for our SM2 key (hex)."""

    access_id: str = ""
    secret: SecretStr = SecretStr("")
    private_key: SecretStr = SecretStr("")


class HousingFundSettings(SharingSettings):
    """The sharing interface of the housing fund, which calls nobody back (see `PolledSettings`)."""

    poll_seconds: float = Field(default=60.0, ge=1, le=3600)


class DeskSettings(SignedPartnerSettings):
    """The common desk of departments: signed JSON out, callbacks in, signed by each department's own key at the desk.

    `callback_public_keys` are Ed25519 keys as PEM, by department; `callback_key_ids` their names in the signatures.
    """

    callback_key_ids: dict[str, str] = Field(default_factory=dict)
    callback_public_keys: dict[str, str] = Field(default_factory=dict)


class PolledSettings(SignedPartnerSettings):
    """A department that calls nobody back: asked about a case `poll_seconds` after the hand-over, then ever less."""

    poll_seconds: float = Field(default=60.0, ge=1, le=3600)


class NotarySettings(PolledSettings):
    """The notary office's folder, under a user (`app_id`) and a password (`secret`). Files take their time."""

    timeout_seconds: float = Field(default=8.0, gt=0, le=60)


class CivilAffairsSettings(PublicSecuritySettings):
    """Civil affairs: SOAP out, signed callbacks in; its key is needed where none stands at the common desk."""

    timeout_seconds: float = Field(default=6.0, gt=0, le=60)


class HealthSettings(PublicSecuritySettings):
    """Health: JSON sealed for its SM2 key out, signed callbacks in as civil affairs'.

    `private_key` is our SM2 key in hex, `public_key` theirs with its leading 04.
    """

    private_key: SecretStr = SecretStr("")
    public_key: str = Field(default="", pattern=r"^(04[0-9a-fA-F]{128})?$")


class DisabledPersonsSettings(PartnerSettings):
    """The disabled persons' federation: JSON signed with SM2 both ways, signed callbacks in as civil affairs'.

    `private_key` is our SM2 key, both halves in base64; `public_key` theirs in hex with its leading 04.
    """

    app_id: str = ""
    private_key: SecretStr = SecretStr("")
    public_key: str = Field(default="", pattern=r"^(04[0-9a-fA-F]{128})?$")
    callback_key_id: str = ""
    callback_public_key: str = ""


class DepartmentSettings(Section):
    """How each department is reached for applications and checks."""

    public_security: PublicSecuritySettings = PublicSecuritySettings()
    human_resources: SharingSettings = SharingSettings()
    pension: SignedPartnerSettings = SignedPartnerSettings()
    education: PublicSecuritySettings = PublicSecuritySettings()
    real_estate: PublicSecuritySettings = PublicSecuritySettings()
    desk: DeskSettings = DeskSettings()
    taxation: PolledSettings = PolledSettings()
    notary: NotarySettings = NotarySettings()
    civil_affairs: CivilAffairsSettings = CivilAffairsSettings()
    health: HealthSettings = HealthSettings()
    housing_fund: HousingFundSettings = HousingFundSettings()
    disabled_persons: DisabledPersonsSettings = DisabledPersonsSettings()

    def unsafe(self) -> list[str]:
        """Return one sentence for each department setting that production refuses."""
        signed = {
            "Public security": self.public_security,
            "The pension desk": self.pension,
            "Education": self.education,
            "Real estate": self.real_estate,
            "The desk of departments": self.desk,
            "Taxation": self.taxation,
            "The notary office": self.notary,
            "Civil affairs' cases": self.civil_affairs,
            "Health's cases": self.health,
        }
        found = []
        for name, partner in signed.items():
            found += [*unsafe_partner(name, partner), *unsafe_secret(name, partner.secret)]
        for name, sharing in {"Human resources": self.human_resources, "The housing fund": self.housing_fund}.items():
            found += [
                *unsafe_partner(name, sharing),
                *unsafe_secret(name, sharing.secret),
                *unsafe_secret(f"The SM2 key for {name}", sharing.private_key, minimum=64),
            ]
        found += unsafe_secret("The SM2 key for health's cases", self.health.private_key, minimum=64)
        federation = "The disabled persons' federation"
        found += unsafe_partner(federation, self.disabled_persons)
        found += unsafe_secret(f"The SM2 key for {federation}", self.disabled_persons.private_key, minimum=128)
        sm2_keys = {"Health's cases": self.health.public_key, federation: self.disabled_persons.public_key}
        for name, key in sm2_keys.items():
            if not key:
                found.append(f"{name}: the SM2 key of the department is missing.")
        if not self.public_security.callback_public_key or not self.public_security.callback_key_id:
            found.append("Public security: the key of its callbacks is missing.")
        if (
            not self.desk.callback_public_keys
            or self.desk.callback_public_keys.keys() != self.desk.callback_key_ids.keys()
        ):
            found.append("The desk of departments: the keys of its callbacks are missing.")
        return found


class ScannerSettings(Section):
    """A virus scanner that speaks ClamAV's protocol: `tcp://host:port` or `unix:///path`. Empty: files go unscanned."""

    address: str = ""
    timeout_seconds: float = Field(default=20.0, gt=0, le=120)

    @field_validator("address")
    @classmethod
    def _known(cls, address: str) -> str:
        parts = urlsplit(address)
        tcp = parts.scheme == "tcp" and bool(parts.hostname) and parts.port is not None
        if address and not tcp and not (parts.scheme == "unix" and parts.path.startswith("/")):
            raise ValueError("tcp://host:port or unix:///path is needed")
        return address


class ObjectStoreSettings(PartnerSettings):
    """An S3-compatible store for files, by path-style addresses and Signature Version 4. No address: a folder."""

    bucket: str = Field(default="", pattern=r"^([a-z0-9][a-z0-9.-]{1,61}[a-z0-9])?$")
    region: str = "us-east-1"
    access_key: str = ""
    secret_key: SecretStr = SecretStr("")

    def unsafe(self) -> list[str]:
        """Return one sentence for each setting that production refuses; none where a folder is used."""
        if not self.address:
            return []
        found = [*unsafe_partner("The object store", self), *unsafe_secret("The object store", self.secret_key)]
        if not self.bucket or not self.access_key:
            found.append("The object store: the bucket or the access key is missing.")
        return found


class SupervisionSettings(Section):
    """When a late case is noticed, and how long a department has to say why.

    A yellow card is given on the last `yellow_days` working days of a limit that is longer than that, and within the
    last `yellow_hours` of a pre-review; a red one when the time is up. A supervision order is answered within
    `answer_days` working days, and goes to the superior for `superior_days` more when it is not.
    """

    yellow_days: int = Field(default=1, ge=1, le=30)
    yellow_hours: int = Field(default=4, ge=1, le=23)
    answer_days: int = Field(default=2, ge=1, le=30)
    superior_days: int = Field(default=1, ge=1, le=30)


class MatterSettings(Section):
    """Bounds of applications. `files` is the folder for attachments: by default `files` in the data folder.

    A draft is forgotten `draft_days` after its last change, and its owner told `draft_notice_days` before.
    A case not rated within `default_rating_days` of its decision counts as `default_rating`, marked as such; whoever
    gave a bad rating is called within `rating_contact_days` working days.
    A promise (告知承诺) is looked at for `promise_days`; what was put off (容缺) has to come within `defer_days`.
    A result that comes electronically because nobody chose otherwise counts as delivered `deliver_days` after its paper
    lies in the account; a case is closed `close_days` after its result was delivered.
    `text_check`: texts are shown to WeChat; switched off, or while it is away, our own list and `words` alone decide.
    Before acceptance a case is looked at within `pre_review_hours` of the day, on holidays too. A limit is extended
    once, by `extension_days` working days at most (行政许可法 art. 42) where the matter says nothing.
    `keep_material_days` replaces entries of `matters/materials/retention.json`, by the kind of material.
    """

    files: Path | None = None
    object_store: ObjectStoreSettings = ObjectStoreSettings()
    scanner: ScannerSettings = ScannerSettings()
    draft_days: int = Field(default=30, ge=1, le=365)
    draft_notice_days: int = Field(default=3, ge=1, le=30)
    kept_materials: int = Field(default=50, ge=1, le=500)
    keep_material_days: dict[str, int] = Field(default_factory=dict)
    default_rating_days: int = Field(default=7, ge=1, le=90)
    default_rating: Satisfaction = Satisfaction.BASICALLY_SATISFIED
    rating_contact_days: int = Field(default=1, ge=1, le=30)
    promise_days: int = Field(default=90, ge=1, le=3650)
    defer_days: int = Field(default=15, ge=1, le=365)
    deliver_days: int = Field(default=3, ge=0, le=60)
    close_days: int = Field(default=15, ge=0, le=365)
    pre_review_hours: int = Field(default=24, ge=1, le=240)
    extension_days: int = Field(default=10, ge=1, le=60)
    supervision: SupervisionSettings = SupervisionSettings()
    text_check: Switch = Switch.ON
    words: tuple[str, ...] = ()
    file_address_seconds: int = Field(default=300, ge=10, le=3600)
    case_file_seconds: int = Field(default=3600, ge=60, le=86_400)
    attachment_bytes: int = Field(default=5 * 1024 * 1024, ge=1024, le=8 * 1024 * 1024)
    attachments: int = Field(default=10, ge=1, le=50)
    submissions_per_hour: int = Field(default=10, ge=1)
    start_limit: Rule = "600/hour"
    upload_limit: Rule = "60/hour"
    file_limit: Rule = "300/minute"
    case_file_limit: Rule = "600/minute"
    check_limit: Rule = "60/minute"
    copy_limit: Rule = "20/hour"
    query_limit: Rule = "10/hour"
    query_address_limit: Rule = "60/minute"
    query_text_limit: Rule = "20/hour"
    callback_limit: Rule = "100/second"
    exchange: ExchangeSettings = ExchangeSettings()
