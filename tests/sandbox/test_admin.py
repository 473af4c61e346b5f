import base64
from pathlib import Path

import pytest

from tests.sandbox.town import Caller, Keys, MovableClock, opened

ACTIONS = ["turn_one_side", "tilt", "come_closer"]


async def frames(caller: Caller, person: str = "huomingzhe", **more: object) -> tuple[int, list[str]]:
    heard = await caller.call("POST", f"/sandbox/faces/{person}/frames", {"actions": ACTIONS, **more})
    return heard.status, heard.json.get("frames", [])


async def test_the_cast_is_shown_with_its_stories(caller: Caller) -> None:
    items = (await caller.call("GET", "/sandbox/people")).json["items"]
    assert len(items) == 12
    assert set(items[0]) == {"slug", "name", "id_number", "mobile", "bank_card", "story", "story_en"}
    assert all(item["story"] and item["story_en"] for item in items)


async def test_the_camera_makes_twelve_frames_or_as_many_as_asked(caller: Caller) -> None:
    status, made = await frames(caller)
    assert status == 200
    assert base64.b64decode(made[0], validate=True) == b"huomingzhe genuine 1 0"
    assert len(made) == 12
    assert len((await frames(caller, count=8))[1]) == 8


async def test_replayed_frames_are_the_very_last_genuine_ones(data: Path, keys: Keys, clock: MovableClock) -> None:
    async with opened(data, keys, clock) as caller:
        assert (await frames(caller, **{"as": "replayed"}))[0] == 409
        await frames(caller)
        _, genuine = await frames(caller)
        await frames(caller, **{"as": "still"})
        await frames(caller, person="qumanlin")
        assert await frames(caller, **{"as": "replayed"}) == (200, genuine)
    async with opened(data, keys, clock) as caller:
        assert await frames(caller, **{"as": "replayed"}) == (200, genuine)


@pytest.mark.parametrize(
    ("wrong", "status"),
    [
        ({"as": "ghost"}, 422),
        ({"as": []}, 422),
        ({"actions": []}, 422),
        ({"actions": "tilt"}, 422),
        ({"actions": ["nod"]}, 422),
        ({"actions": [["tilt"]]}, 422),
        ({"actions": ["tilt"] * 7}, 422),
        ({"actions": ["open_mouth"]}, 422),
        ({"count": 5}, 422),
        ({"count": 25}, 422),
        ({"count": True}, 422),
        ({"count": "12"}, 422),
        ({"person": "nobody"}, 404),
    ],
)
async def test_the_camera_refuses_what_it_cannot_do(caller: Caller, wrong: dict[str, object], status: int) -> None:
    person = str(wrong.pop("person", "huomingzhe"))
    heard = await caller.call("POST", f"/sandbox/faces/{person}/frames", {"actions": ACTIONS, **wrong})
    assert heard.status == status
    assert heard.json["error"].endswith((".", "mouth"))


@pytest.mark.parametrize(
    ("method", "path", "body", "status"),
    [
        ("POST", "/sandbox/wechat/codes", b"{", 400),
        ("POST", "/sandbox/wechat/codes", b"", 400),
        ("POST", "/sandbox/wechat/codes", b"{}", 422),
        ("POST", "/sandbox/wechat/codes", b'{"person": 7}', 422),
        ("POST", "/sandbox/wechat/codes", b'{"person": "nobody"}', 404),
        ("POST", "/sandbox/wechat/codes", b'{"person": "pangxiuying"}', 409),
        ("POST", "/sandbox/wechat/codes", b'{"person": "stranger", "account": 7}', 422),
        ("PUT", "/sandbox/faults/nowhere", b'{"mode": "ok"}', 404),
        ("PUT", "/sandbox/faults/education", b'{"mode": "lazy"}', 422),
        ("PUT", "/sandbox/faults/education", b'{"mode": []}', 422),
        ("PUT", "/sandbox/faults/education", b'{"mode": "slow", "delay_ms": -1}', 422),
        ("PUT", "/sandbox/faults/education", b'{"mode": "slow", "count": 0}', 422),
        ("PUT", "/sandbox/faults/education", b'{"mode": "slow", "count": 1e400}', 422),
        ("GET", "/sandbox/wechat/received", b"", 404),
        ("GET", "/sandbox/nowhere", b"", 404),
        ("DELETE", "/sandbox/people", b"", 405),
    ],
)
async def test_bad_input_is_answered_with_a_sentence(
    caller: Caller, method: str, path: str, body: bytes, status: int
) -> None:
    heard = await caller.call(method, path, body)
    assert heard.status == status
    assert heard.json["error"]


async def test_every_system_has_a_switch(caller: Caller) -> None:
    systems = [item["system"] for item in (await caller.call("GET", "/sandbox/faults")).json["items"]]
    assert len(systems) == 21
    for system in systems:
        heard = await caller.fault(system, "slow", delay_ms=5, count=3)
        assert heard.json == {"system": system, "mode": "slow", "delay_ms": 5, "count": 3}


async def test_a_department_that_received_nothing_says_so(caller: Caller) -> None:
    assert await caller.received("civil-affairs") == []
