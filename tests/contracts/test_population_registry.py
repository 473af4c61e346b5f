"""Every population registry keeps the port's promises: the fake, and the adapter against the sandbox."""

from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import pytest
from pydantic import SecretStr

from auth.adapters.population_registry import PopulationRegistryHub
from auth.errors import RegistryUnavailable
from auth.ports import PopulationRegistry
from auth.types import Verdict
from core.clock import SystemClock
from core.ids import RandomIds
from core.outbound import Outbound, Partner
from core.pii import IdNumber, PersonName
from core.settings import OutboundSettings
from core.signers.signed_json import SignedJson
from tests.fakes.auth import FakePopulationRegistry
from tests.sandbox.town import Caller, Keys, MovableClock, opened

HUO = (PersonName.parse("霍明哲"), IdNumber.parse("999999198503122179"))
LI = (PersonName.parse("厉云齐"), IdNumber.parse("999999199011053335"))
UNKNOWN = (PersonName.parse("禾方舟"), IdNumber.parse("999999198604044819"))


@dataclass
class Case:
    """A registry and the switch that takes it away."""

    registry: PopulationRegistry
    take_away: Callable[[], Awaitable[None]]
    let_die: Callable[[], Awaitable[None]]


@pytest.fixture
async def town(tmp_path: Path) -> AsyncIterator[Caller]:
    async with opened(tmp_path / "sandbox.sqlite3", Keys(), MovableClock()) as caller:
        yield caller


@pytest.fixture
async def door() -> AsyncIterator[Outbound]:
    outbound = Outbound(OutboundSettings(connect_seconds=10), clock=SystemClock(), production=False)
    await outbound.open()
    yield outbound
    await outbound.close()


def hub(town: Caller, door: Outbound, *, secret: str = "") -> PopulationRegistryHub:
    told = town.keys.told["population_registry"]
    signer = SignedJson(
        app_id=told["app_id"], secret=SecretStr(secret or told["secret"]), clock=SystemClock(), ids=RandomIds()
    )
    partner = Partner("population-registry", f"{town.base}/population-registry", timeout=5, attempts=1, signer=signer)
    return PopulationRegistryHub(outbound=door, partner=partner, ids=RandomIds())


@pytest.fixture(params=["fake", "sandbox"])
def case(request: pytest.FixtureRequest) -> Case:
    if request.param == "fake":
        fake = FakePopulationRegistry(
            people={number.reveal(): name.reveal() for name, number in (HUO, LI)},
            portraits={HUO[1].reveal(): b"\xff\xd8 one face", LI[1].reveal(): b"\xff\xd8 another face"},
        )

        async def away() -> None:
            fake.trouble = RegistryUnavailable()

        async def die() -> None:
            fake.dead.add(HUO[1].reveal())

        return Case(fake, away, die)
    town: Caller = request.getfixturevalue("town")
    door: Outbound = request.getfixturevalue("door")

    async def fault() -> None:
        await town.fault("population-registry", "error")

    async def death() -> None:
        assert (await town.call("PUT", "/sandbox/people/huomingzhe/death")).status == 200

    return Case(hub(town, door), fault, death)


async def test_a_name_and_its_number_agree(case: Case) -> None:
    assert await case.registry.verify(*HUO) is Verdict.MATCH


async def test_unknown_people_and_wrong_names_are_answered_alike(case: Case) -> None:
    assert await case.registry.verify(*UNKNOWN) is Verdict.MISMATCH
    assert await case.registry.verify(LI[0], HUO[1]) is Verdict.MISMATCH


async def test_the_dead_are_told_to_whoever_knows_their_name(case: Case) -> None:
    await case.let_die()
    assert await case.registry.verify(*HUO) is Verdict.DECEASED
    assert await case.registry.verify(LI[0], HUO[1]) is Verdict.MISMATCH
    assert await case.registry.verify(*LI) is Verdict.MATCH


async def test_a_portrait_is_a_jpeg_of_that_person(case: Case) -> None:
    one, other = await case.registry.portrait_of(HUO[1]), await case.registry.portrait_of(LI[1])
    assert one is not None
    assert other is not None
    assert one.startswith(b"\xff\xd8")
    assert one != other


async def test_unknown_people_have_no_portrait(case: Case) -> None:
    assert await case.registry.portrait_of(UNKNOWN[1]) is None


async def test_a_registry_that_is_away_says_so(case: Case) -> None:
    await case.take_away()
    with pytest.raises(RegistryUnavailable):
        await case.registry.verify(*HUO)
    with pytest.raises(RegistryUnavailable):
        await case.registry.portrait_of(HUO[1])


@pytest.mark.parametrize("mode", ["error", "garbage", "drop", "accept_then_drop"])
async def test_whatever_goes_wrong_on_the_way_is_unavailable(town: Caller, door: Outbound, mode: str) -> None:
    await town.fault("population-registry", mode)
    with pytest.raises(RegistryUnavailable):
        await hub(town, door).verify(*HUO)


async def test_a_slow_registry_is_given_up_in_time(town: Caller, door: Outbound) -> None:
    await town.fault("population-registry", "slow", delay_ms=10_000)
    started = SystemClock().monotonic()
    with pytest.raises(RegistryUnavailable):
        await hub(town, door).verify(*HUO)
    assert timedelta(seconds=SystemClock().monotonic() - started) < timedelta(seconds=8)


async def test_a_wrong_secret_is_our_trouble_and_no_verdict(town: Caller, door: Outbound) -> None:
    with pytest.raises(RegistryUnavailable):
        await hub(town, door, secret="another secret").verify(*HUO)
