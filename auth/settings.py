"""What an installation may set about logging in."""

from datetime import timedelta
from ipaddress import ip_network

from pydantic import Field, SecretStr, field_validator

from auth.rules import FreshFor
from core.settings import PartnerSettings, Section, SignedPartnerSettings, unsafe_partner, unsafe_secret


class WechatSettings(PartnerSettings):
    """The mini program at WeChat. The secret never leaves the server."""

    app_id: str = ""
    app_secret: SecretStr = SecretStr("")


class SessionSettings(Section):
    """Lifetimes of tokens and sessions (`security.md` 4.6)."""

    issuer: str = Field(default="zhijian", min_length=1)
    audience: str = Field(default="zhijian-citizen", min_length=1)
    access_seconds: int = Field(default=600, ge=30, le=600)
    skew_seconds: int = Field(default=30, ge=0, le=120)
    verified_tokens: int = Field(default=20_000, ge=0)
    # How long a read may rest on a session's row as it was; 0: every request reads it anew.
    recent_seconds: float = Field(default=1.0, ge=0, le=1)
    recent_residents: int = Field(default=20_000, ge=1)
    refresh_days: int = Field(default=30, ge=1)
    absolute_days: int = Field(default=90, ge=1)
    grace_seconds: int = Field(default=10, ge=0, le=60)
    keep_ended_days: int = Field(default=90, ge=1)


class LevelSettings(Section):
    """How long a proof of presence counts, and who gets the elder profile."""

    present_minutes: int = Field(default=10, ge=1, le=60)
    elder_present_minutes: int = Field(default=30, ge=1, le=120)
    elder_age: int = Field(default=60, ge=50, le=120)
    elder_hint_scale: float = Field(default=1.25, ge=1, le=3)

    def fresh_for(self) -> FreshFor:
        """Return the same in the words of the rules."""
        return FreshFor(
            timedelta(minutes=self.present_minutes), timedelta(minutes=self.elder_present_minutes), self.elder_age
        )


class AuthLimits(Section):
    """How often something may be tried (`security.md` 4.2); the strictest that applies wins."""

    login_all: str = "500/second"
    login_address: str = "60/minute"
    login_account: str = "10/minute"
    identity_account: str = "5/6 hour"
    identity_number: str = "5/6 hour"
    staff_address: str = "10/minute"


class TakeoverSettings(Section):
    """How long the holder of an account can stop its takeover from another WeChat account."""

    cool_down_hours: int = Field(default=24, ge=1, le=168)


class OperatorSettings(Section):
    """How operators log in and stay logged in, and how much personal data one may open (`security.md` 4.2, 4.7).

    `networks` lists from where operators may come at all (`["10.0.0.0/8"]`); empty: from anywhere.
    """

    idle_minutes: int = Field(default=15, ge=1, le=60)
    absolute_hours: int = Field(default=12, ge=1, le=24)
    attempts: int = Field(default=5, ge=1, le=10)
    window_minutes: int = Field(default=10, ge=1)
    lock_minutes: int = Field(default=30, ge=1)
    activation_hours: int = Field(default=24, ge=1, le=168)
    approval_hours: int = Field(default=24, ge=1, le=24)
    review_hours: int = Field(default=24, ge=1, le=24)
    openings_an_hour: int = Field(default=60, ge=1, le=60)
    openings_a_day: int = Field(default=300, ge=1, le=300)
    networks: tuple[str, ...] = ()

    @field_validator("networks")
    @classmethod
    def _known_networks(cls, networks: tuple[str, ...]) -> tuple[str, ...]:
        for network in networks:
            ip_network(network, strict=False)
        return networks


class DelegationSettings(Section):
    """Acting for others: how often it may be tried, how long mandates last, how long a register's word counts."""

    relative_account: str = "10/day"
    relative_number: str = "10/day"
    organisation_account: str = "10/day"
    organisation_code: str = "20/day"
    mandate_account: str = "30/day"
    waiting_days: int = Field(default=30, ge=1, le=90)
    longest_days: int = Field(default=365, ge=1, le=366)
    guardian_until_age: int = Field(default=14, ge=14, le=18)
    guardian_hours: int = Field(default=168, ge=1, le=720)
    representative_hours: int = Field(default=24, ge=1, le=168)


class RightsSettings(Section):
    """The rights over one's own data. `keep_days` and `keep_laws` replace entries of `auth/rights/kept.json`."""

    export_days: int = Field(default=7, ge=1, le=30)
    exports_per_day: int = Field(default=1, ge=1, le=10)
    corrections_per_day: int = Field(default=5, ge=1, le=50)
    closing_days: int = Field(default=7, ge=1, le=30)
    keep_days: dict[str, int] = Field(default_factory=dict)
    keep_laws: dict[str, str] = Field(default_factory=dict)


class AuthSettings(Section):
    """The section of auth."""

    wechat: WechatSettings = WechatSettings()
    population_registry: SignedPartnerSettings = SignedPartnerSettings()
    civil_affairs: SignedPartnerSettings = SignedPartnerSettings()
    market_regulation: SignedPartnerSettings = SignedPartnerSettings()
    delegation: DelegationSettings = DelegationSettings()
    sessions: SessionSettings = SessionSettings()
    levels: LevelSettings = LevelSettings()
    limits: AuthLimits = AuthLimits()
    takeovers: TakeoverSettings = TakeoverSettings()
    operators: OperatorSettings = OperatorSettings()
    rights: RightsSettings = RightsSettings()

    def unsafe(self) -> list[str]:
        """Return one sentence for each setting that production refuses."""
        found = [
            *unsafe_partner("ZHIJIAN_AUTH__WECHAT", self.wechat),
            *unsafe_secret("ZHIJIAN_AUTH__WECHAT__APP_SECRET", self.wechat.app_secret),
            *unsafe_partner("ZHIJIAN_AUTH__POPULATION_REGISTRY", self.population_registry),
            *unsafe_secret("ZHIJIAN_AUTH__POPULATION_REGISTRY__SECRET", self.population_registry.secret),
            *unsafe_partner("ZHIJIAN_AUTH__CIVIL_AFFAIRS", self.civil_affairs),
            *unsafe_secret("ZHIJIAN_AUTH__CIVIL_AFFAIRS__SECRET", self.civil_affairs.secret),
            *unsafe_partner("ZHIJIAN_AUTH__MARKET_REGULATION", self.market_regulation),
            *unsafe_secret("ZHIJIAN_AUTH__MARKET_REGULATION__SECRET", self.market_regulation.secret),
        ]
        if not self.wechat.app_id:
            found.append("ZHIJIAN_AUTH__WECHAT__APP_ID is missing.")
        return found
