"""The data quality desk keeps the contract of its port: the adapter against the sandbox, written from the same page."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Final

import pytest
from pydantic import SecretStr

from certificates.adapters.data_quality import DataQuality
from certificates.errors import IssuerUnavailable
from certificates.types import ReportState, Ticket, Verdict
from core.clock import SystemClock
from core.ids import RandomIds
from core.outbound import Outbound, Partner
from core.pii import IdNumber, PersonName
from core.settings import OutboundSettings
from core.signers.signed_json import SignedJson
from tests.sandbox.town import Caller as Town
from tests.sandbox.town import Keys, MovableClock, opened

TICKET: Final = Ticket(
    reference="0123456789abcdef0123456789abcdef",
    department="public-security",
    kind="driving-licence",
    identifier="1.2.156.3005.2.11999999MB0000019T902.999999.DL0000000451.001.4",
    item="address",
    told="门牌号应为十九号",
    name=PersonName.parse("霍明哲"),
    id_number=IdNumber.parse("999999198503122179"),
)


@pytest.fixture
async def town(tmp_path: Path) -> AsyncIterator[Town]:
    async with opened(tmp_path / "sandbox.sqlite3", Keys(), MovableClock()) as town:
        yield town


@pytest.fixture
async def outbound() -> AsyncIterator[Outbound]:
    door = Outbound(OutboundSettings(connect_seconds=10), clock=SystemClock(), production=False)
    await door.open()
    yield door
    await door.close()


def desk(town: Town, outbound: Outbound, *, secret: str | None = None) -> DataQuality:
    told = town.keys.told["data_quality"]
    signer = SignedJson(
        app_id=told["app_id"], secret=SecretStr(secret or told["secret"]), clock=SystemClock(), ids=RandomIds()
    )
    return DataQuality(outbound=outbound, partner=Partner("data-quality", f"{town.base}/data-quality", 1.5, 2, signer))


async def test_the_same_report_twice_is_one_ticket_and_its_answer_comes(town: Town, outbound: Outbound) -> None:
    quality = desk(town, outbound)
    assert await quality.file(TICKET) == await quality.file(TICKET)
    assert await quality.answer(TICKET.reference) is None
    [item] = (await town.call("GET", "/sandbox/data-quality/reports")).json["items"]
    assert (item["department"], item["item"], item["state"]) == ("public-security", "address", "open")
    path = f"/sandbox/data-quality/reports/{TICKET.reference}"
    assert (await town.call("PUT", path, {"state": "confirmed", "note": "与档案一致"})).status == 200
    assert await quality.answer(TICKET.reference) == Verdict(ReportState.CONFIRMED, "与档案一致")


async def test_the_sandbox_refuses_answers_that_are_none(town: Town) -> None:
    for path, body, status in (
        ("nobody", {"state": "corrected", "note": "x"}, 404),
        ("nobody", {"state": "perhaps", "note": "x"}, 422),
        ("nobody", {"state": "corrected"}, 422),
    ):
        assert (await town.call("PUT", f"/sandbox/data-quality/reports/{path}", body)).status == status


@pytest.mark.parametrize("mode", ["error", "garbage", "drop"])
async def test_every_outage_is_told_alike(town: Town, outbound: Outbound, mode: str) -> None:
    await town.fault("data-quality", mode)
    with pytest.raises(IssuerUnavailable):
        await desk(town, outbound).file(TICKET)
    with pytest.raises(IssuerUnavailable):
        await desk(town, outbound).answer(TICKET.reference)


async def test_wrong_credentials_and_unknown_reports_are_no_answer(town: Town, outbound: Outbound) -> None:
    with pytest.raises(IssuerUnavailable):
        await desk(town, outbound, secret="another secret").file(TICKET)
    with pytest.raises(IssuerUnavailable):
        await desk(town, outbound).answer("unknown")
