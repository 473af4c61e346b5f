from pathlib import Path
from typing import Any

from tests.sandbox.town import Caller, Keys, MovableClock, opened

LICENCE = "/sandbox/people/huomingzhe/certificates/driving-licence"
QUERY = "/public-security/v1/certificates/query"


async def licence(caller: Caller) -> dict[str, Any]:
    asked = await caller.named("huomingzhe", kind="driving-licence", purpose="wallet")
    told: dict[str, Any] = (await caller.signed(QUERY, asked)).json
    return told


async def test_a_change_is_a_version_more_and_outlives_a_restart(data: Path, keys: Keys, clock: MovableClock) -> None:
    async with opened(data, keys, clock) as caller:
        told = await caller.call("PUT", LICENCE, {"state": "08", "fields": {"points": 9}})
        assert (told.status, told.json) == (200, {"version": 2, "state": "08", "answered": None})
    async with opened(data, keys, clock) as caller:
        certificate = (await licence(caller))["certificate"]
        assert (certificate["version"], certificate["state"], certificate["fields"]["points"]) == (2, "08", 9)
        assert (await caller.call("PUT", LICENCE, {})).json["version"] == 3


async def test_what_is_not_confirmed_is_told_as_that(caller: Caller) -> None:
    assert (await caller.call("PUT", LICENCE, {"state": "99"})).status == 200
    assert (await licence(caller))["code"] == "1409"


async def test_bad_input_gets_a_sentence(caller: Caller) -> None:
    for path, body, status in (
        ("/sandbox/people/nobody/certificates/passport", {}, 404),
        ("/sandbox/people/huomingzhe/certificates/library-card", {}, 404),
        ("/sandbox/people/huomingzhe/certificates/taiwan-permit", {}, 404),
        (LICENCE, {"state": "frozen"}, 422),
        (LICENCE, {"fields": []}, 422),
        (LICENCE, {"tell": "http://203.0.113.1/"}, 422),
    ):
        told = await caller.call("PUT", path, body)
        assert told.status == status
        assert told.json["error"]
