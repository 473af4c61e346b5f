import pytest

from tests.sandbox.town import Caller

RESIDENCE = "/real-estate/v1/checks/residence"


@pytest.mark.parametrize(
    ("slug", "result"),
    [("chenxinran", "rented"), ("huomingzhe", "owned"), ("huoxiaoman", "none"), ("hefangzhou", "none")],
)
async def test_a_residence_is_owned_or_rented_or_none(caller: Caller, slug: str, result: str) -> None:
    told = (await caller.signed(RESIDENCE, await caller.named(slug))).json
    assert (told["code"], told["result"]) == ("0000", result)
    assert ("address" in told) is (result != "none")
