"""What an installation may set: typed, in sections, frozen, built once in the wiring and passed on.

Every setting has the prefix `ZHIJIAN_`; sections nest with `__` (`ZHIJIAN_JOBS__SWEEP_SECONDS`). Secrets have no
default: the embedded mode makes its own on first start into its data folder, production must be given them.
"""

from enum import StrEnum
from ipaddress import ip_address
from pathlib import Path
from typing import Final, Self
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field, SecretStr, field_validator, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

_REDIS: Final = ("redis://", "rediss://", "redis+cluster://")


class UnsafeSettings(Exception):
    """The settings would start something unsafe; the message says which and what to do."""


class Environment(StrEnum):
    """The two ways to run."""

    EMBEDDED = "embedded"
    PRODUCTION = "production"


class Switch(StrEnum):
    """A switch that people write as `on` or `off`."""

    ON = "on"
    OFF = "off"


class Section(BaseModel):
    """A frozen group of settings that refuses what it does not know."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class PartnerSettings(Section):
    """How one outside system is reached. `address` is a base address without a slash at its end."""

    address: str = ""
    timeout_seconds: float = Field(default=3.0, gt=0, le=60)
    attempts: int = Field(default=2, ge=1, le=5)

    @field_validator("address")
    @classmethod
    def _plain_address(cls, address: str) -> str:
        parts = urlsplit(address)
        if address and (parts.scheme not in {"http", "https"} or not parts.hostname or parts.username or parts.query):
            raise ValueError("an http(s) address without user or query is needed")
        return address.rstrip("/")


class SignedPartnerSettings(PartnerSettings):
    """An outside system that wants every request signed with a shared secret."""

    app_id: str = ""
    secret: SecretStr = SecretStr("")


class KeySettings(Section):
    """Where the keys lie: a folder readable by this user only. The embedded mode makes it inside its data folder."""

    folder: Path | None = None
    cipher: str = Field(default="A256GCM", pattern="^(A256GCM|SM4GCM)$")
    # How long before its use a new key is announced, so that the folder reaches every machine and every cache of our
    # public keys; `scripts.keys rotate --in` says otherwise.
    notice_seconds: int = Field(default=86_400, ge=3)
    # What was begun under an earlier key may be written so long after the change.
    settle_seconds: float = Field(default=20.0, ge=0)
    # So many rows are brought along at a time.
    batch: int = Field(default=200, ge=1, le=5000)


class JobSettings(Section):
    """How jobs are carried, retried and buried.

    `lane_concurrency`: how many of the `concurrency` jobs of a process may wait for one outside system.
    """

    sweep_seconds: float = Field(default=1.0, gt=0)
    lease_seconds: float = Field(default=60.0, gt=1)
    max_attempts: int = Field(default=24, ge=1)
    first_pause_seconds: float = Field(default=1.0, gt=0)
    longest_pause_seconds: float = Field(default=900.0, gt=0)
    concurrency: int = Field(default=16, ge=1)
    lane_concurrency: int = Field(default=4, ge=1)
    keep_done_days: int = Field(default=30, ge=1)


class OutboundSettings(Section):
    """The one door out: bounds that hold for every outside system."""

    connect_seconds: float = Field(default=1.0, gt=0)
    response_bytes: int = Field(default=1_000_000, ge=1024)
    connections: int = Field(default=256, ge=1)
    connections_per_host: int = Field(default=160, ge=1)
    breaker_window_seconds: float = Field(default=60.0, gt=0)
    breaker_minimum: int = Field(default=20, ge=1)
    breaker_share: float = Field(default=0.5, gt=0, le=1)
    breaker_open_seconds: float = Field(default=10.0, gt=0)


class DatabaseSettings(Section):
    """Bounds of the PostgreSQL pool; SQLite has one connection."""

    pool: int = Field(default=16, ge=2)
    statement_timeout_ms: int = Field(default=2500, ge=100)
    idle_in_transaction_timeout_ms: int = Field(default=10_000, ge=1000)


class CoreSettings(BaseSettings):
    """The ground's settings; the wiring adds one section for each domain."""

    model_config = SettingsConfigDict(
        env_prefix="ZHIJIAN_",
        env_nested_delimiter="__",
        frozen=True,
        extra="ignore",
        hide_input_in_errors=True,
    )

    env: Environment = Environment.EMBEDDED
    host: str = "127.0.0.1"
    port: int = Field(default=8000, ge=1, le=65535)
    data_dir: Path = Path(".data")
    # These carry passwords: they stay out of any printed settings.
    database_url: str = Field(default="", repr=False)
    redis_url: str = Field(default="memory://", repr=False)
    # A call to Redis that takes twice as long counts as failed: caches are there to save time.
    redis_timeout_seconds: float = Field(default=0.2, gt=0, le=10)
    broker_url: str = Field(default="", repr=False)
    public_url: str = ""
    sandbox_url: str = ""
    address_limits: Switch = Switch.ON
    trusted_proxies: int = Field(default=0, ge=0, le=5)
    log_level: str = Field(default="info", pattern="^(debug|info|warning|error)$")
    # Of which requests a line is written: all, those that were refused, failed or slow, or none.
    log_requests: str = Field(default="failed", pattern="^(all|failed|none)$")
    # How long a portal that was told to stop still serves while it says that it is not ready: longer than proxies take
    # to see it. Empty: 5 in production, 0 embedded.
    drain_seconds: float | None = Field(default=None, ge=0, le=60)
    # A process whose event loop is held for longer ends, for its supervisor to start it again; 0: never.
    loop_patience_seconds: float = Field(default=5.0, ge=0)

    keys: KeySettings = KeySettings()
    jobs: JobSettings = JobSettings()
    outbound: OutboundSettings = OutboundSettings()
    database: DatabaseSettings = DatabaseSettings()

    @model_validator(mode="after")
    def _known_schemes(self) -> Self:
        if self.database_url and not self.database_url.startswith(("sqlite:///", "postgres://")):
            raise ValueError("ZHIJIAN_DATABASE_URL begins with sqlite:/// or postgres://")
        if not self.redis_url.startswith(("memory://", *_REDIS)):
            raise ValueError("ZHIJIAN_REDIS_URL begins with memory://, redis://, rediss:// or redis+cluster://")
        if self.broker_url and not self.broker_url.startswith(("memory://", *_REDIS)):
            raise ValueError("ZHIJIAN_BROKER_URL begins with memory://, redis://, rediss:// or redis+cluster://")
        return self

    @property
    def is_production(self) -> bool:
        """Whether this is no demonstration."""
        return self.env is Environment.PRODUCTION

    @property
    def effective_database_url(self) -> str:
        """The database; by default a SQLite file in the data folder."""
        return self.database_url or f"sqlite:///{(self.data_dir / 'zhijian.sqlite3').absolute()}"

    @property
    def is_sqlite(self) -> bool:
        """Whether the database is a SQLite file, which one server process may use alone."""
        return self.effective_database_url.startswith("sqlite:")

    @property
    def effective_broker_url(self) -> str:
        """What carries jobs; by default the same Redis, or this process."""
        return self.broker_url or self.redis_url

    @property
    def effective_public_url(self) -> str:
        """The address under which departments reach this service."""
        return (self.public_url or f"http://{self.host}:{self.port}").rstrip("/")

    @property
    def effective_drain_seconds(self) -> float:
        """How long a portal that was told to stop still serves."""
        if self.drain_seconds is None:
            return 5.0 if self.is_production else 0.0
        return self.drain_seconds

    @property
    def key_folder(self) -> Path:
        """Where the keys lie."""
        return self.keys.folder or self.data_dir / "keys"

    def unsafe(self) -> list[str]:
        """Return one sentence for each ground setting that production refuses."""
        if not self.is_production:
            return []
        found = []
        if self.is_sqlite:
            found.append("ZHIJIAN_DATABASE_URL must name a PostgreSQL database.")
        if not self.redis_url.startswith(_REDIS):
            found.append("ZHIJIAN_REDIS_URL must name a Redis.")
        if not self.effective_broker_url.startswith(_REDIS):
            found.append("ZHIJIAN_BROKER_URL must name a Redis, or be empty for the same one.")
        if self.keys.folder is None:
            found.append(
                "ZHIJIAN_KEYS__FOLDER must name a folder with keys made by `python -m scripts.prepare --keys`."
            )
        if self.sandbox_url:
            found.append("ZHIJIAN_SANDBOX_URL must be empty: the sandbox is for demonstrations.")
        if self.address_limits is Switch.OFF:
            found.append("ZHIJIAN_ADDRESS_LIMITS must be on.")
        if not self.public_url.startswith("https://"):
            found.append("ZHIJIAN_PUBLIC_URL must be the https address of this service.")
        return found


def unsafe_partner(name: str, partner: PartnerSettings) -> list[str]:
    """Return one sentence for each way in which an outside system's settings are not fit for production."""
    host = urlsplit(partner.address).hostname or ""
    found = []
    if not partner.address.startswith("https://"):
        found.append(f"{name}: the address must be https.")
    if _is_this_machine(host) or "sandbox" in partner.address.lower():
        found.append(f"{name}: the address points at a sandbox or this machine.")
    return found


def _is_this_machine(host: str) -> bool:
    try:
        address = ip_address(host)
    except ValueError:
        return host.rstrip(".").lower().endswith("localhost")
    return address.is_loopback or address.is_unspecified


def unsafe_secret(name: str, secret: SecretStr, *, minimum: int = 16) -> list[str]:
    """Return one sentence when a secret is missing, short or an example's."""
    value = secret.get_secret_value()
    if len(value) < minimum or "example" in value.lower() or len(set(value)) < 6:  # noqa: PLR2004 — "aaaaaa…"
        return [f"{name}: the secret is missing, too short or an example's."]
    return []
