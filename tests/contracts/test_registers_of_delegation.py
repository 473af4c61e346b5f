"""The registers of kinship and of organisations: the fakes, and the adapters against the sandbox, answer alike."""

from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path

import pytest
from pydantic import SecretStr

from auth.adapters.civil_affairs import CivilAffairs
from auth.adapters.market_regulation import MarketRegulation
from auth.delegation.errors import BusinessRegisterUnavailable, KinshipUnavailable
from auth.delegation.ports import BusinessRegister, KinshipRegister
from auth.delegation.rules import uscc_is_right
from auth.delegation.types import Guardianship, Kinship, Named, Relation
from core.clock import SystemClock
from core.ids import RandomIds
from core.outbound import Outbound, Partner
from core.pii import IdNumber, PersonName
from core.settings import OutboundSettings
from core.signers.signed_json import SignedJson
from sandbox.market_regulation import load_organisations
from tests.fakes.delegation import NOBODY, FakeBusinessRegister, FakeKinshipRegister
from tests.sandbox.town import Caller, Keys, MovableClock, opened


def named(name: str, id_number: str) -> Named:
    return Named(PersonName.parse(name), IdNumber.parse(id_number))


HUO = named("霍明哲", "999999198503122179")
CHILD = named("霍小满", "999999201706011190")
ZOU = named("邹强山", "999999198808158375")
WU = named("邬静岚", "999999199304179425")
UNKNOWN = named("禾方舟", "999999198604044819")
CODE, CALLED = "91999999MA0000170G", "示例云帆软件有限公司"


@dataclass
class Kin:
    """A register of kinship and the switch that takes it away."""

    register: KinshipRegister
    take_away: Callable[[], Awaitable[None]]


@dataclass
class Business:
    """A business register and the switch that takes it away."""

    register: BusinessRegister
    take_away: Callable[[], Awaitable[None]]


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


def partner(town: Caller, name: str, secret: str = "") -> Partner:
    told = town.keys.told[name.replace("-", "_")]
    signer = SignedJson(
        app_id=told["app_id"], secret=SecretStr(secret or told["secret"]), clock=SystemClock(), ids=RandomIds()
    )
    return Partner(name, f"{town.base}/{name}", timeout=5, attempts=1, signer=signer)


def civil_affairs(town: Caller, door: Outbound, secret: str = "") -> CivilAffairs:
    return CivilAffairs(outbound=door, partner=partner(town, "civil-affairs", secret), ids=RandomIds())


def market_regulation(town: Caller, door: Outbound, secret: str = "") -> MarketRegulation:
    return MarketRegulation(outbound=door, partner=partner(town, "market-regulation", secret), ids=RandomIds())


@pytest.fixture(params=["fake", "sandbox"])
def kin(request: pytest.FixtureRequest) -> Kin:
    if request.param == "fake":
        fake = FakeKinshipRegister()
        fake.know(HUO, CHILD, Kinship(Relation.CHILD, Guardianship.MINOR))
        fake.know(CHILD, HUO, Kinship(Relation.PARENT, Guardianship.NONE))
        fake.know(ZOU, WU, Kinship(Relation.SPOUSE, Guardianship.NONE))

        async def away() -> None:
            fake.trouble = KinshipUnavailable()

        return Kin(fake, away)
    town: Caller = request.getfixturevalue("town")
    door: Outbound = request.getfixturevalue("door")

    async def fault() -> None:
        await town.fault("civil-affairs", "error")

    return Kin(civil_affairs(town, door), fault)


@pytest.fixture(params=["fake", "sandbox"])
def business(request: pytest.FixtureRequest) -> Business:
    if request.param == "fake":
        fake = FakeBusinessRegister()
        fake.representatives[CODE, CALLED] = (HUO.id_number.reveal(), HUO.name.reveal())

        async def away() -> None:
            fake.trouble = BusinessRegisterUnavailable()

        return Business(fake, away)
    town: Caller = request.getfixturevalue("town")
    door: Outbound = request.getfixturevalue("door")

    async def fault() -> None:
        await town.fault("market-regulation", "error")

    return Business(market_regulation(town, door), fault)


async def test_a_parent_is_the_guardian_of_a_child_and_not_the_other_way(kin: Kin) -> None:
    assert await kin.register.ask(HUO, CHILD) == Kinship(Relation.CHILD, Guardianship.MINOR)
    assert await kin.register.ask(CHILD, HUO) == Kinship(Relation.PARENT, Guardianship.NONE)


async def test_spouses_are_kin_and_nobodys_guardians(kin: Kin) -> None:
    assert await kin.register.ask(ZOU, WU) == Kinship(Relation.SPOUSE, Guardianship.NONE)


async def test_strangers_unknown_people_and_wrong_names_are_answered_alike(kin: Kin) -> None:
    assert await kin.register.ask(HUO, WU) == NOBODY
    assert await kin.register.ask(HUO, UNKNOWN) == NOBODY
    assert await kin.register.ask(HUO, replace(CHILD, name=WU.name)) == NOBODY
    assert await kin.register.ask(replace(HUO, name=WU.name), CHILD) == NOBODY


async def test_a_register_of_kinship_that_is_away_says_so(kin: Kin) -> None:
    await kin.take_away()
    with pytest.raises(KinshipUnavailable):
        await kin.register.ask(HUO, CHILD)


async def test_an_organisation_is_represented_by_whom_the_register_names(business: Business) -> None:
    assert await business.register.represents(HUO, uscc=CODE, name=CALLED)


async def test_another_person_another_name_and_an_unknown_code_are_answered_alike(business: Business) -> None:
    assert not await business.register.represents(ZOU, uscc=CODE, name=CALLED)
    assert not await business.register.represents(HUO, uscc=CODE, name="示例云帆软件公司")
    assert not await business.register.represents(HUO, uscc="91999999MA00002504", name=CALLED)
    assert not await business.register.represents(replace(HUO, name=ZOU.name), uscc=CODE, name=CALLED)


async def test_a_business_register_that_is_away_says_so(business: Business) -> None:
    await business.take_away()
    with pytest.raises(BusinessRegisterUnavailable):
        await business.register.represents(HUO, uscc=CODE, name=CALLED)


@pytest.mark.parametrize("mode", ["error", "garbage", "drop", "accept_then_drop"])
async def test_whatever_goes_wrong_on_the_way_is_unavailable(town: Caller, door: Outbound, mode: str) -> None:
    await town.fault("civil-affairs", mode)
    await town.fault("market-regulation", mode)
    with pytest.raises(KinshipUnavailable):
        await civil_affairs(town, door).ask(HUO, CHILD)
    with pytest.raises(BusinessRegisterUnavailable):
        await market_regulation(town, door).represents(HUO, uscc=CODE, name=CALLED)


async def test_slow_registers_are_given_up_in_time(town: Caller, door: Outbound) -> None:
    await town.fault("civil-affairs", "slow", delay_ms=10_000)
    started = SystemClock().monotonic()
    with pytest.raises(KinshipUnavailable):
        await civil_affairs(town, door).ask(HUO, CHILD)
    assert timedelta(seconds=SystemClock().monotonic() - started) < timedelta(seconds=8)


async def test_a_wrong_secret_is_our_trouble_and_no_answer(town: Caller, door: Outbound) -> None:
    with pytest.raises(KinshipUnavailable):
        await civil_affairs(town, door, "another secret").ask(HUO, CHILD)
    with pytest.raises(BusinessRegisterUnavailable):
        await market_regulation(town, door, "another secret").represents(HUO, uscc=CODE, name=CALLED)


async def test_nobody_represents_an_organisation_that_is_struck_off(town: Caller, door: Outbound) -> None:
    gone = next(each for each in load_organisations() if each.status == "struck-off")
    assert gone.representative == "huomingzhe"
    assert not await market_regulation(town, door).represents(HUO, uscc=gone.uscc, name=gone.name)


def test_the_organisations_of_the_sandbox_have_codes_that_were_never_given_to_anybody() -> None:
    for each in load_organisations():
        assert uscc_is_right(each.uscc)
        assert each.uscc[2:8] == "999999"
