import asyncio
import json
from pathlib import Path

import pytest

from sandbox.ground.settings import Credentials, Misconfigured, Settings, wait_for_credentials
from tests.sandbox.town import Keys


def test_everything_has_a_default() -> None:
    settings = Settings.from_environment({})
    assert (settings.host, settings.port, settings.pause_ms) == ("127.0.0.1", 8100, 300)
    assert settings.data == Path(".data/sandbox/sandbox.sqlite3")
    assert settings.callback_hosts == frozenset()


def test_hosts_to_call_back_are_a_list() -> None:
    settings = Settings.from_environment({"SANDBOX_CALLBACK_HOSTS": " Portal , portal-2,"})
    assert settings.callback_hosts == {"portal", "portal-2"}


@pytest.mark.parametrize("port", ["", "-1", "65536", "8100.0", "eighty", "²"])
def test_a_port_that_is_none_says_so(port: str) -> None:
    with pytest.raises(Misconfigured, match="SANDBOX_PORT"):
        Settings.from_environment({"SANDBOX_PORT": port})


async def test_credentials_are_waited_for(tmp_path: Path, keys: Keys) -> None:
    path = tmp_path / "credentials.json"
    waiting = asyncio.create_task(wait_for_credentials(path, patience_s=5))
    await asyncio.sleep(0.1)
    path.write_text(json.dumps(keys.told)[:100], encoding="utf-8")
    await asyncio.sleep(0.3)
    path.write_text(json.dumps(keys.told), encoding="utf-8")
    assert (await waiting).wechat.app_id == keys.told["wechat"]["app_id"]


async def test_waiting_for_credentials_ends_with_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(Misconfigured, match="SANDBOX_CREDENTIALS"):
        await wait_for_credentials(tmp_path / "none.json", patience_s=0.3)


def test_a_missing_secret_is_named(keys: Keys) -> None:
    told = {**keys.told, "education": {"app_id": "x"}}
    with pytest.raises(Misconfigured, match="'secret'"):
        Credentials.parse(json.dumps(told))


def test_broken_credentials_are_not_quoted(keys: Keys) -> None:
    secret = keys.told["education"]["secret"]
    with pytest.raises(Misconfigured) as refusal:
        Credentials.parse(json.dumps(keys.told)[:-1])
    assert secret not in str(refusal.value)
    assert refusal.value.__cause__ is None


def test_credentials_do_not_print_their_secrets(keys: Keys) -> None:
    credentials = Credentials.parse(json.dumps(keys.told))
    assert keys.told["education"]["secret"] not in repr(credentials) + repr(credentials.education)
