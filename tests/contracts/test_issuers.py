"""Every issuer keeps the contract of its port: the fake, and the two adapters against the sandbox.

The sandbox is written from the same pages as the adapters and shares no code with them.
"""

from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import pytest
from pydantic import SecretStr

from certificates import rules
from certificates.adapters.human_resources import HumanResources
from certificates.adapters.public_security import PublicSecurity
from certificates.definitions import Kinds
from certificates.errors import IssuerUnavailable
from certificates.ports import Issuer
from certificates.settings import DEMO_AUTHORITY
from certificates.types import CertificateQuery, State
from core.clock import SystemClock
from core.db import InsideTransaction, transaction
from core.ids import RandomIds
from core.outbound import Outbound, Partner
from core.pii import IdNumber, PersonName
from core.settings import OutboundSettings
from core.signers.sharing import SharingEnvelope
from core.signers.signed_json import SignedJson
from tests.fakes.certificates import LICENCE, FakeIssuer, issued
from tests.sandbox.town import Caller as Town
from tests.sandbox.town import Keys, MovableClock, opened

HOLDER = ("霍明哲", "999999198503122179")
NOBODY = ("禾方舟", "999999198604044819")
# A call that is repeated takes longer than the breaker may open here: each test has an Outbound of its own.
PATIENCE = 1.5

Fault = Callable[[str], Awaitable[None]]


@dataclass
class Desk:
    """An issuer, the kind it is asked for, and a way to make it fail."""

    issuer: Issuer
    kind: str
    fault: Fault

    async def ask(self, person: tuple[str, str] = HOLDER) -> CertificateQuery:
        return CertificateQuery(self.kind, PersonName.parse(person[0]), IdNumber.parse(person[1]), "持证人领取电子证照")


@pytest.fixture(scope="module")
def keys() -> Keys:
    return Keys()


@pytest.fixture
async def town(tmp_path: Path, keys: Keys) -> AsyncIterator[Town]:
    async with opened(tmp_path / "sandbox.sqlite3", keys, MovableClock()) as town:
        yield town


@pytest.fixture
async def outbound() -> AsyncIterator[Outbound]:
    door = Outbound(OutboundSettings(connect_seconds=10), clock=SystemClock(), production=False)
    await door.open()
    yield door
    await door.close()


def _public_security(town: Town, outbound: Outbound, *, secret: str | None = None) -> PublicSecurity:
    told = town.keys.told["public_security"]
    signer = SignedJson(
        app_id=told["app_id"], secret=SecretStr(secret or told["secret"]), clock=SystemClock(), ids=RandomIds()
    )
    partner = Partner("public-security", f"{town.base}/public-security", PATIENCE, 2, signer)
    return PublicSecurity(outbound=outbound, partner=partner, ids=RandomIds())


def _human_resources(town: Town, outbound: Outbound, *, secret: str | None = None) -> HumanResources:
    told = town.keys.told["human_resources"]
    envelope = SharingEnvelope(
        access_id=told["access_id"],
        secret=SecretStr(secret or told["secret"]),
        private_key=SecretStr(town.keys.sm2_private.hex()),
        clock=SystemClock(),
    )
    partner = Partner("human-resources", f"{town.base}/human-resources", PATIENCE, 2)
    return HumanResources(outbound=outbound, partner=partner, envelope=envelope)


@pytest.fixture(params=["fake", "public-security", "human-resources"])
def desk(request: pytest.FixtureRequest, town: Town, outbound: Outbound) -> Desk:
    async def fault(mode: str) -> None:
        await town.fault(request.param, mode)

    if request.param == "public-security":
        return Desk(_public_security(town, outbound), "driving-licence", fault)
    if request.param == "human-resources":
        return Desk(_human_resources(town, outbound), "social-security-card", fault)
    fake = FakeIssuer({("driving-licence", HOLDER[1]): issued(LICENCE)})

    async def take_away(mode: str) -> None:
        fake.is_away = mode != "ok"

    return Desk(fake, "driving-licence", take_away)


@pytest.fixture(scope="module")
def kinds() -> Kinds:
    return Kinds.load(authority=DEMO_AUTHORITY, type_codes={})


async def test_a_certificate_comes_with_all_that_its_kind_needs(desk: Desk, kinds: Kinds) -> None:
    told = await desk.issuer.fetch(await desk.ask())
    assert told is not None
    kind = kinds.get(desk.kind)
    fields = rules.fit_fields(kind, told.fields)
    assert told.state is State.ACTIVE
    assert fields["name"] == HOLDER[0]
    assert fields[kind.number_field] == HOLDER[1]
    assert told.version is not None
    assert rules.identifier_is_right(rules.identifier_of(kind, told, version=told.version))
    assert HOLDER[0] not in repr(told)


async def test_who_holds_none_is_a_value(desk: Desk) -> None:
    assert await desk.issuer.fetch(await desk.ask(NOBODY)) is None


@pytest.mark.parametrize("mode", ["error", "garbage", "drop", "accept_then_drop"])
async def test_every_outage_is_told_alike(desk: Desk, mode: str) -> None:
    await desk.fault(mode)
    with pytest.raises(IssuerUnavailable):
        await desk.issuer.fetch(await desk.ask())


async def test_after_an_outage_it_answers_again(desk: Desk) -> None:
    await desk.fault("error")
    with pytest.raises(IssuerUnavailable):
        await desk.issuer.fetch(await desk.ask())
    await desk.fault("ok")
    assert await desk.issuer.fetch(await desk.ask()) is not None


async def test_a_residence_permit_tells_when_its_endorsement_ends(town: Town, outbound: Outbound, kinds: Kinds) -> None:
    query = CertificateQuery(
        "residence-permit", PersonName.parse("瞿漫林"), IdNumber.parse("999999199502286280"), "test"
    )
    told = await _public_security(town, outbound).fetch(query)
    assert told is not None
    fields = rules.fit_fields(kinds.get("residence-permit"), told.fields)
    last_day = rules.valid_until(kinds.get("residence-permit"), fields)
    assert last_day is not None
    assert last_day.isoformat() == fields["endorsed_until"]
    assert last_day < date.fromisoformat(str(fields["valid_until"]))


async def test_twelve_points_arrive(town: Town, outbound: Outbound) -> None:
    query = CertificateQuery(
        "driving-licence", PersonName.parse("邹强山"), IdNumber.parse("999999198808158375"), "test"
    )
    told = await _public_security(town, outbound).fetch(query)
    assert told is not None
    assert told.fields["points"] == 12


async def test_dates_of_the_sharing_interface_become_iso(town: Town, outbound: Outbound) -> None:
    query = CertificateQuery("social-security-card", PersonName.parse(HOLDER[0]), IdNumber.parse(HOLDER[1]), "test")
    told = await _human_resources(town, outbound).fetch(query)
    assert told is not None
    assert date.fromisoformat(str(told.fields["issued_on"])).isoformat() == told.fields["issued_on"]
    assert told.identifier is not None


@pytest.mark.parametrize("make", [_public_security, _human_resources])
async def test_refused_credentials_are_not_the_residents_fault(
    town: Town, outbound: Outbound, make: Callable[..., Issuer]
) -> None:
    kind = "driving-licence" if make is _public_security else "social-security-card"
    query = CertificateQuery(kind, PersonName.parse(HOLDER[0]), IdNumber.parse(HOLDER[1]), "test")
    with pytest.raises(IssuerUnavailable):
        await make(town, outbound, secret="another secret").fetch(query)


@pytest.mark.parametrize("make", [_public_security, _human_resources])
async def test_a_kind_that_the_department_does_not_issue_is_no_certificate(
    town: Town, outbound: Outbound, make: Callable[..., Issuer]
) -> None:
    query = CertificateQuery("passport", PersonName.parse(HOLDER[0]), IdNumber.parse(HOLDER[1]), "test")
    with pytest.raises(IssuerUnavailable):
        await make(town, outbound).fetch(query)


@pytest.mark.usefixtures("database")
async def test_no_issuer_is_asked_inside_a_transaction(town: Town, outbound: Outbound) -> None:
    query = CertificateQuery("driving-licence", PersonName.parse(HOLDER[0]), IdNumber.parse(HOLDER[1]), "test")
    with pytest.raises(InsideTransaction):
        await transaction(lambda: _public_security(town, outbound).fetch(query))
