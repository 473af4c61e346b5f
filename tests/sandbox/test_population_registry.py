import base64

import pytest

from tests.sandbox.town import Caller

VERIFY, SHOW = "/population-registry/v1/verifications", "/population-registry/v1/portraits"


async def test_a_name_matches_its_number_or_not(caller: Caller) -> None:
    assert (await caller.signed(VERIFY, await caller.named("huomingzhe"))).json["result"] == "match"
    assert (await caller.signed(VERIFY, await caller.named("huomingzhe", name="厉云齐"))).json["result"] == "mismatch"


async def test_somebody_else_is_unknown(caller: Caller) -> None:
    for asked in (await caller.named("hefangzhou"), await caller.named("huomingzhe", id_number="99999919850312219X")):
        told = (await caller.signed(VERIFY, asked)).json
        assert (told["code"], told["result"]) == ("0000", "unknown")


@pytest.mark.parametrize(("slug", "face"), [("huomingzhe", b"a"), ("lieyunqi", b"b"), ("pangxiuying", b"a")])
async def test_a_portrait_is_the_face_on_record(caller: Caller, slug: str, face: bytes) -> None:
    told = (await caller.signed(SHOW, await caller.named(slug, purpose="step-up"))).json
    assert base64.b64decode(told["portrait"], validate=True).endswith(b"face " + face)


async def test_there_is_no_portrait_of_the_unknown(caller: Caller) -> None:
    assert (await caller.signed(SHOW, await caller.named("hefangzhou", purpose="step-up"))).json["code"] == "1404"


@pytest.mark.parametrize(
    "wrong",
    [{"name": ""}, {"name": 7}, {"name": "名" * 65}, {"id_number": "1"}, {"id_number": None}, {"request_id": ""}],
)
async def test_a_question_that_is_none_is_not_understood(caller: Caller, wrong: dict[str, object]) -> None:
    assert (await caller.signed(VERIFY, await caller.named("huomingzhe", **wrong))).json["code"] == "4000"
