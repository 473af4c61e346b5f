"""Settings are typed and frozen, and production refuses what is unsafe."""

from typing import Any

import pytest
from pydantic import SecretStr, ValidationError

from core.settings import CoreSettings, Environment, PartnerSettings, Switch, unsafe_partner, unsafe_secret

SAFE: dict[str, Any] = {
    "env": "production",
    "database_url": "postgres://zhijian:p@db.city.test/zhijian",
    "redis_url": "redis://redis.city.test:6379/0",
    "keys": {"folder": "/keys"},
    "public_url": "https://zhijian.city.test",
}


def test_safe_production_is_taken() -> None:
    assert CoreSettings(**SAFE).unsafe() == []
    assert CoreSettings(**SAFE).is_production


@pytest.mark.parametrize(
    ("changed", "named"),
    [
        ({"database_url": ""}, "ZHIJIAN_DATABASE_URL"),
        ({"database_url": "sqlite:///data/x.sqlite3"}, "ZHIJIAN_DATABASE_URL"),
        ({"redis_url": "memory://"}, "ZHIJIAN_REDIS_URL"),
        ({"broker_url": "memory://"}, "ZHIJIAN_BROKER_URL"),
        ({"keys": {}}, "ZHIJIAN_KEYS__FOLDER"),
        ({"sandbox_url": "http://127.0.0.1:8100"}, "ZHIJIAN_SANDBOX_URL"),
        ({"address_limits": "off"}, "ZHIJIAN_ADDRESS_LIMITS"),
        ({"public_url": ""}, "ZHIJIAN_PUBLIC_URL"),
        ({"public_url": "http://zhijian.city.test"}, "ZHIJIAN_PUBLIC_URL"),
    ],
)
def test_each_unsafe_setting_is_refused_in_production_by_name(changed: dict[str, Any], named: str) -> None:
    found = CoreSettings(**SAFE | changed).unsafe()
    assert any(sentence.startswith(named) for sentence in found)
    assert CoreSettings(**SAFE | changed | {"env": "embedded"}).unsafe() == []


@pytest.mark.parametrize(
    "changed",
    [
        {"database_url": "mysql://x"},
        {"redis_url": "http://x"},
        {"broker_url": "amqp://x"},
        {"port": 0},
        {"env": "staging"},
        {"address_limits": "maybe"},
        {"log_level": "loud"},
        {"trusted_proxies": 9},
        {"jobs": {"max_atempts": 3}},
        {"jobs": {"max_attempts": 0}},
        {"outbound": {"breaker_share": 0}},
        {"keys": {"cipher": "DES"}},
    ],
)
def test_what_cannot_be_meant_is_refused(changed: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        CoreSettings(**changed)


def test_the_environment_is_read_with_its_prefix_and_sections(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ZHIJIAN_ENV", "production")
    monkeypatch.setenv("ZHIJIAN_ADDRESS_LIMITS", "off")
    monkeypatch.setenv("ZHIJIAN_JOBS__SWEEP_SECONDS", "2.5")
    settings = CoreSettings()
    assert settings.env is Environment.PRODUCTION
    assert settings.address_limits is Switch.OFF
    assert settings.jobs.sweep_seconds == 2.5


def test_settings_do_not_change_while_running() -> None:
    settings = CoreSettings()
    with pytest.raises(ValidationError):
        settings.port = 1  # type: ignore[misc]
    with pytest.raises(ValidationError):
        settings.jobs.concurrency = 1  # type: ignore[misc]


def test_printed_settings_show_no_password() -> None:
    settings = CoreSettings(
        database_url="postgres://a:hidden-one@h/d",
        redis_url="redis://:hidden-two@h",
        broker_url="redis://:hidden-three@h",
    )
    assert "hidden" not in f"{settings!r} {settings}"
    with pytest.raises(ValidationError) as caught:
        CoreSettings(database_url="mysql://a:hidden@h/d")
    assert "hidden" not in str(caught.value)


def test_the_embedded_default_needs_nothing() -> None:
    settings = CoreSettings()
    assert settings.is_sqlite
    assert settings.effective_broker_url == "memory://"
    assert settings.effective_public_url == "http://127.0.0.1:8000"
    assert settings.key_folder == settings.data_dir / "keys"
    assert settings.unsafe() == []


@pytest.mark.parametrize("address", ["ftp://x", "https://u:p@x", "https://x/?a=1", "no address", "https://"])
def test_an_address_of_a_system_is_plain(address: str) -> None:
    with pytest.raises(ValidationError):
        PartnerSettings(address=address)


def test_a_base_address_ends_without_a_slash() -> None:
    assert PartnerSettings(address="https://x.test/base/").address == "https://x.test/base"


@pytest.mark.parametrize(
    "address",
    [
        "",
        "http://bureau.city.test",
        "https://localhost",
        "https://a.localhost:8100",
        "https://127.0.0.1:8100",
        "https://127.9.9.9",
        "https://0.0.0.0",
        "https://[::1]",
        "https://sandbox.city.test",
        "https://city.test/Sandbox/x",
    ],
)
def test_production_refuses_systems_that_are_pretended_or_open(address: str) -> None:
    assert unsafe_partner("bureau", PartnerSettings(address=address))


def test_production_takes_a_real_system() -> None:
    assert unsafe_partner("bureau", PartnerSettings(address="https://10.1.2.3/base")) == []


@pytest.mark.parametrize("secret", ["", "shrt-1", "an-example-secret-of-length", "a" * 40, "ababababababababab"])
def test_production_refuses_weak_secrets_without_telling_them(secret: str) -> None:
    found = unsafe_secret("bureau", SecretStr(secret))
    assert found
    assert not secret or secret not in found[0]


def test_production_takes_a_strong_secret() -> None:
    assert unsafe_secret("bureau", SecretStr("kTz8!dWq2#Lm9xRb")) == []
