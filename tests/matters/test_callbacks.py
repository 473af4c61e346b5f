"""Real callbacks: the sandbox opens a case, calls back over the network, and the case comes to its end."""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from pydantic import SecretStr

from core.clock import SystemClock
from core.ids import RandomIds
from core.outbound import Outbound, Partner
from core.settings import OutboundSettings
from core.signers.http_signature import TrustedKey
from core.signers.signed_json import SignedJson
from matters.adapters.public_security import PublicSecurity
from matters.types import State, Step
from tests.matters.conftest import Desk, count_of, jobs_named
from tests.matters.edge import Portal
from tests.matters.edge import opened as portal_opened
from tests.sandbox.town import Caller as Town
from tests.sandbox.town import Keys, MovableClock
from tests.sandbox.town import opened as town_opened


@pytest.fixture(scope="module")
def keys() -> Keys:
    return Keys()


@pytest.fixture
async def town(tmp_path: Path, keys: Keys) -> AsyncIterator[Town]:
    async with town_opened(tmp_path / "sandbox.sqlite3", keys, MovableClock()) as town:
        yield town


@pytest.fixture
async def portal(desk: Desk, town: Town) -> AsyncIterator[Portal]:
    desk.ground.clock.set(datetime.now(UTC))
    told = town.keys.told["public_security"]
    door = Outbound(OutboundSettings(connect_seconds=10), clock=SystemClock(), production=False)
    await door.open()
    signer = SignedJson(app_id=told["app_id"], secret=SecretStr(told["secret"]), clock=SystemClock(), ids=RandomIds())
    partner = Partner("public-security", f"{town.base}/public-security", 2.0, 2, signer)
    desk.submission._departments = {"public-security": PublicSecurity(outbound=door, partner=partner)}
    trusted = {told["callback_key_id"]: TrustedKey("public-security", town.keys.callback_public)}
    async with portal_opened(desk, trusted) as portal:
        desk.submission._public_url = portal.base
        yield portal
    await door.close()


@pytest.mark.parametrize("mode", ["ok", "duplicate_callback", "reordered_callback"])
async def test_whatever_order_a_department_calls_back_in_the_case_ends_approved(
    portal: Portal, desk: Desk, town: Town, mode: str
) -> None:
    await town.fault("public-security", mode)
    caller = desk.citizen()
    submitted = await desk.submitted(caller)
    await desk.deliver(submitted.application_id)
    async with asyncio.timeout(15):
        while await count_of("department_event") < 3:
            await asyncio.sleep(0.02)
    view = await desk.view(caller, submitted.application_id)
    assert view.state is State.APPROVED
    assert view.result is not None
    assert view.result.details is not None
    assert "endorsed_until" in view.result.details
    assert [entry.step for entry in view.timeline][-3:] == [Step.ACCEPTED, Step.REVIEWED, Step.APPROVED]
    assert len(await jobs_named("certificates.refresh")) == 1
    [item] = await town.received("public-security")
    assert (item["reference"], item["count"]) == (submitted.number, 1)
