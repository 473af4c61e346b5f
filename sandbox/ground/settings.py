"""Where the sandbox listens, what it remembers in, and the credentials the product was given for each system."""

import asyncio
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

_POLL_S = 0.2


class Misconfigured(Exception):
    """The sandbox cannot start; the message says what to do."""


@dataclass(frozen=True, slots=True)
class Settings:
    """Everything the environment decides."""

    host: str
    port: int
    data: Path
    credentials: Path
    pause_ms: int
    """Pause before the first callback of a case and between its callbacks."""
    callback_hosts: frozenset[str]
    """Hosts beyond loopback that callbacks may go to."""

    @classmethod
    def from_environment(cls, environ: Mapping[str, str]) -> "Settings":
        """Read the `SANDBOX_*` variables.

        Raises:
            Misconfigured: a number is not a number, or out of its range.
        """
        listed = environ.get("SANDBOX_CALLBACK_HOSTS", "")
        return cls(
            host=environ.get("SANDBOX_HOST", "127.0.0.1"),
            port=_whole_number(environ, "SANDBOX_PORT", default=8100, most=65535),
            data=Path(environ.get("SANDBOX_DATA", ".data/sandbox/sandbox.sqlite3")),
            credentials=Path(environ.get("SANDBOX_CREDENTIALS", ".data/sandbox/credentials.json")),
            pause_ms=_whole_number(environ, "SANDBOX_PAUSE_MS", default=300, most=3_600_000),
            callback_hosts=frozenset(host.strip().lower() for host in listed.split(",") if host.strip()),
        )


def _whole_number(environ: Mapping[str, str], name: str, *, default: int, most: int) -> int:
    text = environ.get(name, str(default))
    if not (text.isascii() and text.isdigit() and int(text) <= most):
        message = f"{name} must be a whole number from 0 to {most}, not {text!r}."
        raise Misconfigured(message)
    return int(text)


@dataclass(frozen=True, slots=True, repr=False)
class AppSecret:
    """An id and the secret that goes with it."""

    app_id: str
    secret: str


@dataclass(frozen=True, slots=True, repr=False)
class SealedCaller:
    """Who seals what it sends: id and secret, its public SM2 key and our private one, in hex."""

    app_id: str
    secret: str
    public_key: str
    private_key: str


@dataclass(frozen=True, slots=True, repr=False)
class Sm2Caller:
    """Who signs with SM2: its public key in hex, and our private one, both halves in base64."""

    app_id: str
    public_key: str
    private_key: str


@dataclass(frozen=True, slots=True, repr=False)
class PushSecret:
    """How WeChat proves what it pushes."""

    token: str
    aes_key: str


@dataclass(frozen=True, slots=True, repr=False)
class CallbackKey:
    """A key that signs calls back, and its name in the signature."""

    key_id: str
    private_key: bytes


@dataclass(frozen=True, slots=True, repr=False)
class Credentials:
    """What the product proves itself by at each system, and the key that signs the calls back."""

    wechat: AppSecret
    population_registry: AppSecret
    public_security: AppSecret
    human_resources: AppSecret
    housing_fund: AppSecret
    disabled_persons: AppSecret
    health: AppSecret
    data_quality: AppSecret
    pension: AppSecret
    education: AppSecret
    real_estate: AppSecret
    department_desk: AppSecret
    civil_affairs: AppSecret
    civil_affairs_cases: AppSecret
    taxation: AppSecret
    notary: AppSecret
    health_cases: SealedCaller
    disabled_persons_cases: Sm2Caller
    market_regulation: AppSecret
    sms: AppSecret
    mobile_register: AppSecret
    bank_clearing: AppSecret
    payment: AppSecret
    network_identity: AppSecret
    sms_report_key_id: str
    sms_report_private_key: bytes
    wechat_push: PushSecret
    callback_key_id: str
    callback_private_key: bytes
    sm2_public_key: str
    housing_fund_sm2_public_key: str
    issuer_callbacks: Mapping[str, CallbackKey]
    """The keys by which issuers tell of certificates, by department."""
    desk_callbacks: Mapping[str, CallbackKey]
    """The keys by which departments tell of cases at the common desk."""
    object_store: AppSecret | None = None
    """None: this town has no object store."""

    @classmethod
    def parse(cls, text: str) -> "Credentials":
        """Read the credentials file that the product's set-up writes.

        Raises:
            Misconfigured: it is not JSON or something is missing.
        """
        try:
            told: dict[str, dict[str, Any]] = json.loads(text)
            police, labour, fund = told["public_security"], told["human_resources"], told["housing_fund"]
            return cls(
                wechat=AppSecret(told["wechat"]["app_id"], told["wechat"]["app_secret"]),
                population_registry=_app_secret(told["population_registry"]),
                public_security=_app_secret(police),
                human_resources=AppSecret(labour["access_id"], labour["secret"]),
                housing_fund=AppSecret(fund["access_id"], fund["secret"]),
                disabled_persons=_app_secret(told["disabled_persons"]),
                health=_app_secret(told["health"]),
                data_quality=_app_secret(told["data_quality"]),
                object_store=_app_secret(told["object_store"]) if "object_store" in told else None,
                pension=AppSecret(labour["soap_app_id"], labour["soap_secret"]),
                education=_app_secret(told["education"]),
                real_estate=_app_secret(told["real_estate"]),
                department_desk=_app_secret(told["department_desk"]),
                civil_affairs=_app_secret(told["civil_affairs"]),
                civil_affairs_cases=_app_secret(told["civil_affairs_cases"]),
                taxation=_app_secret(told["taxation"]),
                notary=_app_secret(told["notary"]),
                health_cases=_sealed_caller(told["health_cases"]),
                disabled_persons_cases=Sm2Caller(**told["disabled_persons_cases"]),
                market_regulation=_app_secret(told["market_regulation"]),
                sms=_app_secret(told["sms"]),
                mobile_register=_app_secret(told["mobile_register"]),
                bank_clearing=_app_secret(told["bank_clearing"]),
                payment=_app_secret(told["payment"]),
                network_identity=_app_secret(told["network_identity"]),
                sms_report_key_id=told["sms_reports"]["key_id"],
                sms_report_private_key=told["sms_reports"]["private_key"].encode(),
                wechat_push=PushSecret(told["wechat_push"]["token"], told["wechat_push"]["aes_key"]),
                callback_key_id=police["callback_key_id"],
                callback_private_key=police["callback_private_key"].encode(),
                sm2_public_key=labour["sm2_public_key"],
                housing_fund_sm2_public_key=fund["sm2_public_key"],
                issuer_callbacks=_callback_keys(told["issuer_callbacks"]),
                desk_callbacks=_callback_keys(told["department_desk"]["callbacks"]),
            )
        except KeyError as missing:
            message = f"The credentials file lacks {missing}: let the product's set-up write it again."
            raise Misconfigured(message) from None
        except (ValueError, TypeError, AttributeError):
            # The chain is cut on purpose: a JSON error quotes the text, and the text is secret.
            message = "The credentials file is not the JSON it should be: let the product's set-up write it again."
            raise Misconfigured(message) from None


def _callback_keys(told: Mapping[str, Any]) -> dict[str, CallbackKey]:
    return {name: CallbackKey(key["key_id"], key["private_key"].encode()) for name, key in told.items()}


def _sealed_caller(told: Mapping[str, Any]) -> SealedCaller:
    return SealedCaller(told["app_id"], told["secret"], told["caller_public_key"], told["private_key"])


def _app_secret(told: Mapping[str, Any]) -> AppSecret:
    return AppSecret(told["app_id"], told["secret"])


async def wait_for_credentials(path: Path, *, patience_s: float = 30.0) -> Credentials:
    """Wait for the product's set-up to write the credentials file, then read it.

    Raises:
        Misconfigured: it did not appear in time, or stayed unreadable (it may be caught half written).
    """
    tries = max(1, round(patience_s / _POLL_S))
    for left in reversed(range(tries)):
        text = await asyncio.to_thread(_read_if_there, path)
        if text is not None:
            try:
                return Credentials.parse(text)
            except Misconfigured:
                if not left:
                    raise
        if left:
            await asyncio.sleep(_POLL_S)
    message = (
        f"No credentials at {path} after {patience_s:.0f} s: run the product's set-up, or set SANDBOX_CREDENTIALS."
    )
    raise Misconfigured(message)


def _read_if_there(path: Path) -> str | None:
    return path.read_text(encoding="utf-8") if path.is_file() else None
