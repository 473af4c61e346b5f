"""Every issuer keeps the contract of its port: the fake, and the adapters against the sandbox.

The sandbox is written from the same pages as the adapters and shares no code with them.
"""

from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import pytest
from pydantic import SecretStr

from certificates import rules
from certificates.adapters.disabled_persons import DisabledPersons
from certificates.adapters.health import Health
from certificates.adapters.housing_fund import HousingFund
from certificates.adapters.human_resources import HumanResources
from certificates.adapters.public_security import PublicSecurity
from certificates.adapters.sharing import SharingDesk
from certificates.definitions import Kinds
from certificates.errors import IssuerUnavailable, NotConfirmed
from certificates.ports import Issuer
from certificates.types import CertificateQuery, State
from core.clock import SystemClock
from core.db import InsideTransaction, transaction
from core.ids import RandomIds
from core.outbound import Outbound, Partner
from core.pii import IdNumber, PersonName
from core.settings import OutboundSettings
from core.signers.sharing import SharingEnvelope
from core.signers.signed_json import Digest, SignedJson
from tests.fakes.certificates import LICENCE, FakeIssuer, issued
from tests.fakes.shipped import shipped_kinds
from tests.sandbox.town import Caller as Town
from tests.sandbox.town import Keys, MovableClock, opened

HOLDER = ("霍明哲", "999999198503122179")
CHILD = ("霍小满", "999999201706011190")
DISABLED = ("封刚毅", "999999197001302511")
NOBODY = ("禾方舟", "999999198604044819")
# A call that is repeated takes longer than the breaker may open here: each test has an Outbound of its own.
PATIENCE = 1.5

Fault = Callable[[str], Awaitable[None]]


@dataclass
class Desk:
    """An issuer, the kind it is asked for, who holds one, and a way to make it fail."""

    issuer: Issuer
    kind: str
    fault: Fault
    holder: tuple[str, str] = HOLDER

    def ask(self, person: tuple[str, str] | None = None) -> CertificateQuery:
        return asked(self.kind, person or self.holder)


def asked(kind: str, person: tuple[str, str]) -> CertificateQuery:
    return CertificateQuery(kind, PersonName.parse(person[0]), IdNumber.parse(person[1]), "持证人领取电子证照")


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


Make = Callable[[Town, Outbound, str | None], Issuer]


def _signed(town: Town, system: str, *, secret: str | None, digest: Digest = "sha256") -> Partner:
    told = town.keys.told[system]
    signer = SignedJson(
        app_id=told["app_id"],
        secret=SecretStr(secret or told["secret"]),
        clock=SystemClock(),
        ids=RandomIds(),
        digest=digest,
    )
    return Partner(system, f"{town.base}/{system.replace('_', '-')}", PATIENCE, 2, signer)


def _envelope(town: Town, system: str, private_key: bytes, secret: str | None) -> SharingEnvelope:
    told = town.keys.told[system]
    return SharingEnvelope(
        access_id=told["access_id"],
        secret=SecretStr(secret or told["secret"]),
        private_key=SecretStr(private_key.hex()),
        clock=SystemClock(),
    )


def _public_security(town: Town, outbound: Outbound, secret: str | None = None) -> Issuer:
    return PublicSecurity(outbound=outbound, partner=_signed(town, "public_security", secret=secret), ids=RandomIds())


def _human_resources(town: Town, outbound: Outbound, secret: str | None = None) -> Issuer:
    partner = Partner("human-resources", f"{town.base}/human-resources", PATIENCE, 2)
    envelope = _envelope(town, "human_resources", town.keys.sm2_private, secret)
    return HumanResources(outbound=outbound, partner=partner, envelope=envelope)


def _housing_fund(town: Town, outbound: Outbound, secret: str | None = None) -> Issuer:
    partner = Partner("housing-fund", f"{town.base}/housing-fund", PATIENCE, 2)
    envelope = _envelope(town, "housing_fund", town.keys.fund_private, secret)
    return HousingFund(outbound=outbound, partner=partner, envelope=envelope)


def _disabled_persons(town: Town, outbound: Outbound, secret: str | None = None) -> Issuer:
    told = town.keys.told["disabled_persons"]
    return DisabledPersons(
        outbound=outbound,
        partner=Partner("disabled-persons", f"{town.base}/disabled-persons", PATIENCE, 2),
        app_id=told["app_id"],
        secret=SecretStr(secret or told["secret"]),
        clock=SystemClock(),
        ids=RandomIds(),
    )


def _health(town: Town, outbound: Outbound, secret: str | None = None) -> Issuer:
    return Health(outbound=outbound, partner=_signed(town, "health", secret=secret, digest="sm3"), ids=RandomIds())


ISSUERS: dict[str, tuple[Make, str, tuple[str, str]]] = {
    "public-security": (_public_security, "driving-licence", HOLDER),
    "human-resources": (_human_resources, "social-security-card", HOLDER),
    "housing-fund": (_housing_fund, "housing-fund", HOLDER),
    "disabled-persons": (_disabled_persons, "disability-certificate", DISABLED),
    "health": (_health, "birth-certificate", CHILD),
}


@pytest.fixture(params=["fake", *ISSUERS])
def desk(request: pytest.FixtureRequest, town: Town, outbound: Outbound) -> Desk:
    async def fault(mode: str) -> None:
        await town.fault(request.param, mode)

    if request.param in ISSUERS:
        make, kind, holder = ISSUERS[request.param]
        return Desk(make(town, outbound, None), kind, fault, holder)
    fake = FakeIssuer({("driving-licence", HOLDER[1]): issued(LICENCE)})

    async def take_away(mode: str) -> None:
        fake.is_away = mode != "ok"

    return Desk(fake, "driving-licence", take_away)


@pytest.fixture(scope="module")
def kinds() -> Kinds:
    return shipped_kinds()


async def test_a_certificate_comes_with_all_that_its_kind_needs(desk: Desk, kinds: Kinds) -> None:
    told = await desk.issuer.fetch(desk.ask())
    assert told is not None
    kind = kinds.get(desk.kind)
    fields = rules.fit_fields(kind, told.fields)
    assert told.state is State.ACTIVE
    assert fields[kind.name_field] == desk.holder[0]
    assert fields[kind.number_field]
    assert told.version is not None
    assert rules.identifier_is_right(rules.identifier_of(kind, told, version=told.version))
    assert desk.holder[0] not in repr(told)


async def test_who_holds_none_is_a_value(desk: Desk) -> None:
    assert await desk.issuer.fetch(desk.ask(NOBODY)) is None


@pytest.mark.parametrize("mode", ["error", "garbage", "drop", "accept_then_drop"])
async def test_every_outage_is_told_alike(desk: Desk, mode: str) -> None:
    await desk.fault(mode)
    with pytest.raises(IssuerUnavailable):
        await desk.issuer.fetch(desk.ask())


async def test_after_an_outage_it_answers_again(desk: Desk) -> None:
    await desk.fault("error")
    with pytest.raises(IssuerUnavailable):
        await desk.issuer.fetch(desk.ask())
    await desk.fault("ok")
    assert await desk.issuer.fetch(desk.ask()) is not None


async def test_a_residence_permit_tells_when_its_endorsement_ends(town: Town, outbound: Outbound, kinds: Kinds) -> None:
    query = asked("residence-permit", ("瞿漫林", "999999199502286280"))
    told = await _public_security(town, outbound).fetch(query)
    assert told is not None
    fields = rules.fit_fields(kinds.get("residence-permit"), told.fields)
    last_day = rules.valid_until(kinds.get("residence-permit"), fields)
    assert last_day is not None
    assert last_day.isoformat() == fields["endorsed_until"]
    assert last_day < date.fromisoformat(str(fields["valid_until"]))


async def test_twelve_points_arrive(town: Town, outbound: Outbound) -> None:
    query = asked("driving-licence", ("邹强山", "999999198808158375"))
    told = await _public_security(town, outbound).fetch(query)
    assert told is not None
    assert told.fields["points"] == 12


async def test_dates_of_the_sharing_interface_become_iso(town: Town, outbound: Outbound) -> None:
    query = asked("social-security-card", HOLDER)
    told = await _human_resources(town, outbound).fetch(query)
    assert told is not None
    assert date.fromisoformat(str(told.fields["issued_on"])).isoformat() == told.fields["issued_on"]
    assert told.identifier is not None


@pytest.mark.parametrize("name", ISSUERS)
async def test_what_is_on_record_and_not_confirmed_is_neither_held_nor_none(
    town: Town, outbound: Outbound, name: str
) -> None:
    make, kind, holder = ISSUERS[name]
    slug = {HOLDER: "huomingzhe", CHILD: "huoxiaoman", DISABLED: "fenggangyi"}[holder]
    changed = await town.call("PUT", f"/sandbox/people/{slug}/certificates/{kind}", {"state": "99"})
    assert changed.status == 200
    with pytest.raises(NotConfirmed):
        await make(town, outbound, None).fetch(asked(kind, holder))


@pytest.mark.parametrize("name", ISSUERS)
async def test_refused_credentials_are_not_the_residents_fault(town: Town, outbound: Outbound, name: str) -> None:
    make, kind, holder = ISSUERS[name]
    with pytest.raises(IssuerUnavailable):
        await make(town, outbound, "another secret").fetch(asked(kind, holder))


@pytest.mark.parametrize("make", [_public_security, _human_resources])
async def test_a_kind_that_the_department_does_not_issue_is_no_certificate(
    town: Town, outbound: Outbound, make: Make
) -> None:
    with pytest.raises(IssuerUnavailable):
        await make(town, outbound, None).fetch(asked("housing-fund", HOLDER))


CAST: list[tuple[str, str, dict[str, object]]] = [
    ("public-security", "vehicle-licence", {"plate": "示A·D1985", "owner": "霍明哲", "seats": 5, "status": "normal"}),
    ("public-security", "passport", {"number": "EZ9000451", "name_latin": "HUO MINGZHE", "status": "normal"}),
    ("public-security", "hk-macau-permit", {"number": "CZ9000451", "issuer": "示例市公安局出入境管理支队"}),
    (
        "housing-fund",
        "housing-fund",
        {"account": "990000000451", "base_fen": 1860000, "monthly_fen": 446400, "balance_fen": 18730022},
    ),
    ("disabled-persons", "disability-certificate", {"category": "physical", "grade": 2, "valid_until": "2030-05-17"}),
    (
        "health",
        "birth-certificate",
        {"born_at": "2017-06-01T08:26:00+08:00", "father": "霍明哲", "mother": None, "weight_g": 3350},
    ),
]


@pytest.mark.parametrize("story", CAST, ids=lambda story: story[1])
async def test_the_cast_holds_what_the_stories_say(
    town: Town, outbound: Outbound, kinds: Kinds, story: tuple[str, str, dict[str, object]]
) -> None:
    name, kind, wanted = story
    make, usual, holder = ISSUERS[name]
    told = await make(town, outbound, None).fetch(asked(kind, holder if kind == usual else HOLDER))
    assert told is not None
    fields = rules.fit_fields(kinds.get(kind), told.fields)
    assert {field: fields[field] for field in wanted} == wanted
    # Everything that the page has arrives: nothing falls away between twin, adapter and kind.
    assert {field for field in told.fields if field not in fields} <= {"number", "valid_until", "issued_on", "issuer"}


async def test_endorsements_come_as_rows(town: Town, outbound: Outbound, kinds: Kinds) -> None:
    told = await _public_security(town, outbound).fetch(asked("hk-macau-permit", HOLDER))
    assert told is not None
    rows = rules.fit_fields(kinds.get("hk-macau-permit"), told.fields)["endorsements"]
    assert isinstance(rows, list)
    assert [(row["destination"], row["kind"], row["entries"]) for row in rows] == [("HKG", "G", 1)]
    assert date.fromisoformat(str(rows[0]["valid_until"])) > date.fromisoformat(str(told.fields["issued_on"]))


async def test_nobody_of_the_cast_holds_a_taiwan_permit(town: Town, outbound: Outbound) -> None:
    assert await _public_security(town, outbound).fetch(asked("taiwan-permit", HOLDER)) is None


async def test_what_is_no_status_of_the_sharing_interface_is_no_answer(town: Town, outbound: Outbound) -> None:
    partner = Partner("housing-fund", f"{town.base}/housing-fund", PATIENCE, 2)
    desk = SharingDesk(
        outbound=outbound,
        partner=partner,
        envelope=_envelope(town, "housing_fund", town.keys.fund_private, None),
    )
    with pytest.raises(IssuerUnavailable):
        await desk.ask("/sharing/GetCertificateDataByHolder", "another type", asked("housing-fund", HOLDER))


@pytest.mark.usefixtures("database")
async def test_no_issuer_is_asked_inside_a_transaction(town: Town, outbound: Outbound) -> None:
    query = asked("driving-licence", HOLDER)
    with pytest.raises(InsideTransaction):
        await transaction(lambda: _public_security(town, outbound).fetch(query))
