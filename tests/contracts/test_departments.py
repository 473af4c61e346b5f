"""Every department and every keeper of records keeps the contract of its port: fakes, and adapters against the sandbox.

The sandbox is written from the same pages as the adapters and shares no code with them.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from pathlib import Path
from uuid import uuid4

import pytest
from aiohttp import web
from pydantic import SecretStr

from core.clock import SystemClock
from core.db import InsideTransaction, transaction
from core.ids import RandomIds
from core.keyring.sm2 import Sm2PrivateKey
from core.outbound import Outbound, Partner
from core.pii import IdNumber, Mobile, PersonName
from core.settings import OutboundSettings
from core.signers.sealed_json import SealedJson
from core.signers.sharing import SharingEnvelope
from core.signers.signed_json import Digest, SignedJson
from core.signers.sm2_json import Sm2Json
from matters.adapters.civil_affairs import CivilAffairs
from matters.adapters.department_desk import DepartmentDesk, partner_name
from matters.adapters.disabled_persons import DisabledPersons
from matters.adapters.education import Admissions, Degrees
from matters.adapters.health import Health
from matters.adapters.housing_fund import HousingFund
from matters.adapters.human_resources import Insurance, PensionDesk
from matters.adapters.notary import Notary
from matters.adapters.public_security import Households, PublicSecurity
from matters.adapters.real_estate import RealEstate, Residences
from matters.adapters.taxation import Taxation
from matters.errors import DepartmentUnavailable, DossierDeclined, QuestionRefused
from matters.handover.errors import SupplementDeclined, WithdrawalDeclined
from matters.ports import Department, HomeRegistry, Records
from matters.types import (
    Applicant,
    Capability,
    Dedupe,
    Details,
    Dossier,
    DossierFile,
    Fact,
    Filed,
    ProgressEvent,
    State,
    Supplement,
)
from tests.fakes.matters import FakeContents, FakeDepartment, FakeHomeRegistry, FakeRecords
from tests.sandbox.town import Caller as Town
from tests.sandbox.town import Keys, MovableClock, opened, served

QUMANLIN = ("瞿漫林", "999999199502286280", "19900000005")
WANQIUSHI = ("宛秋实", "999999197806214551", "19900000003")
PANGXIUYING = ("逄秀英", "999999194910017247", None)
HUOMINGZHE = ("霍明哲", "999999198503122179", "19900000001")
CHENXINRAN = ("谌欣然", "999999200407223666", "19900000011")
NOBODY = ("禾方舟", "999999198604044819", None)
MATTER = "1199999999000001783000109001001"
PATIENCE = 1.5

Who = tuple[str, str, str | None]
Fault = Callable[[str], Awaitable[object]]


def applicant(who: Who) -> Applicant:
    name, number, mobile = who
    return Applicant(PersonName.parse(name), IdNumber.parse(number), Mobile.parse(mobile) if mobile else None)


def dossier(who: Who, reference: str | None = None) -> Dossier:
    return Dossier(
        reference=reference or uuid4().hex,
        matter=MATTER,
        applicant=applicant(who),
        form={"residence_address": "示例市东湖区梧桐路9号"},
        callback_url="http://127.0.0.1:9/v1/departments/public-security/progress",
        submitted_at=datetime.now(UTC),
        year=2026,
        department="education",
    )


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


def signed(town: Town, name: str, *, secret: str | None = None) -> Partner:
    told = town.keys.told[name.replace("-", "_")]
    digest: Digest = "sm3" if name == "real-estate" else "sha256"
    signer = SignedJson(
        app_id=told["app_id"],
        secret=SecretStr(secret or told["secret"]),
        clock=SystemClock(),
        ids=RandomIds(),
        digest=digest,
    )
    return Partner(name, f"{town.base}/{name}", PATIENCE, 2, signer)


def pension_desk(town: Town, outbound: Outbound, *, secret: str | None = None) -> PensionDesk:
    told = town.keys.told["human_resources"]
    return PensionDesk(
        outbound=outbound,
        partner=Partner("human-resources", f"{town.base}/human-resources", PATIENCE, 2),
        app_id=told["soap_app_id"],
        secret=SecretStr(secret or told["soap_secret"]),
        clock=SystemClock(),
    )


# --- departments that take dossiers -----------------------------------------------------------------------------------


@dataclass
class Taking:
    """A department, somebody it takes, and a way to make it fail."""

    department: Department
    taken: Who
    fault: Fault
    received: Callable[[], Awaitable[list[tuple[str, int]]]]


def fake_taking() -> Taking:
    fake = FakeDepartment()

    async def fault(mode: str) -> None:
        if mode == "accept_then_drop":
            fake.loses_answers = 2
        elif mode in {"error", "garbage", "drop"}:
            fake.failures = [DepartmentUnavailable("public-security", ambiguous=True)]

    async def received() -> list[tuple[str, int]]:
        return list(fake.effects.items())

    return Taking(fake, QUMANLIN, fault, received)


def sealed(town: Town) -> SealedJson:
    told = town.keys.told["health_cases"]
    return SealedJson(
        app_id=told["app_id"],
        secret=SecretStr(told["secret"]),
        private_key=SecretStr(town.keys.health_private.hex()),
        public_key=town.keys.health_public,
        clock=SystemClock(),
        ids=RandomIds(),
    )


def notary(town: Town, outbound: Outbound, *, secret: str | None = None) -> Notary:
    told = town.keys.told["notary"]
    partner = Partner("notary", f"{town.base}/notary", PATIENCE, 2)
    return Notary(
        outbound=outbound,
        partner=partner,
        app_id=told["app_id"],
        secret=SecretStr(secret or told["secret"]),
        contents=FakeContents(),
    )


def civil_affairs(town: Town, outbound: Outbound, *, secret: str | None = None) -> CivilAffairs:
    told = town.keys.told["civil_affairs_cases"]
    return CivilAffairs(
        outbound=outbound,
        partner=Partner("civil-affairs", f"{town.base}/civil-affairs", PATIENCE, 2),
        app_id=told["app_id"],
        secret=SecretStr(secret or told["secret"]),
        clock=SystemClock(),
        ids=RandomIds(),
    )


def housing_fund(town: Town, outbound: Outbound) -> HousingFund:
    told = town.keys.told["housing_fund"]
    envelope = SharingEnvelope(
        access_id=told["access_id"],
        secret=SecretStr(told["secret"]),
        private_key=SecretStr(town.keys.fund_private.hex()),
        clock=SystemClock(),
    )
    partner = Partner("housing-fund", f"{town.base}/housing-fund", PATIENCE, 2)
    return HousingFund(outbound=outbound, partner=partner, envelope=envelope)


def federation(town: Town, outbound: Outbound, *, key: str | None = None, theirs: str | None = None) -> DisabledPersons:
    signer = Sm2Json(
        app_id=town.keys.told["disabled_persons_cases"]["app_id"],
        private_key=SecretStr(key or town.keys.federation_ours),
        public_key=theirs or town.keys.federation_public,
        clock=SystemClock(),
        ids=RandomIds(),
    )
    partner = Partner("disabled-persons", f"{town.base}/disabled-persons", PATIENCE, 2)
    return DisabledPersons(outbound=outbound, partner=partner, signer=signer)


# Everyone who takes dossiers: the switch of its faults, how it is built, and somebody whom it takes. Listed by hand.
TAKERS: dict[str, tuple[str, Callable[[Town, Outbound], Department], Who]] = {
    "disabled-persons": ("disabled-persons", federation, QUMANLIN),
    "housing-fund": ("housing-fund", housing_fund, QUMANLIN),
    "education": (
        "education",
        lambda town, door: Admissions(outbound=door, partner=signed(town, "education")),
        QUMANLIN,
    ),
    "public-security": (
        "public-security",
        lambda town, door: PublicSecurity(outbound=door, partner=signed(town, "public-security")),
        QUMANLIN,
    ),
    "human-resources": ("human-resources", pension_desk, PANGXIUYING),
    "department-desk": (
        "education",
        lambda town, door: DepartmentDesk(outbound=door, partner=signed(town, "department-desk")),
        QUMANLIN,
    ),
    "taxation": (
        "taxation",
        lambda town, door: Taxation(outbound=door, partner=signed(town, "taxation")),
        QUMANLIN,
    ),
    "notary": ("notary", notary, QUMANLIN),
    "civil-affairs": ("civil-affairs", civil_affairs, QUMANLIN),
    "real-estate": (
        "real-estate",
        lambda town, door: RealEstate(outbound=door, partner=signed(town, "real-estate")),
        QUMANLIN,
    ),
    "health": (
        "health",
        lambda town, door: Health(
            outbound=door, partner=Partner("health", f"{town.base}/health", PATIENCE, 2), envelope=sealed(town)
        ),
        QUMANLIN,
    ),
}
# What each says of itself stands here a second time: whoever changes it changes what becomes of a lost answer.
DEDUPES = {
    "taxation": Dedupe.QUERY,
    "notary": Dedupe.QUERY,
    "civil-affairs": Dedupe.NONE,
}


@pytest.fixture(params=["fake", *TAKERS])
def taking(request: pytest.FixtureRequest, town: Town, outbound: Outbound) -> Taking:
    if request.param == "fake":
        return fake_taking()
    system, build, taken = TAKERS[request.param]

    async def fault(mode: str) -> object:
        return await town.fault(system, mode)

    async def received() -> list[tuple[str, int]]:
        return [(item["reference"], item["count"]) for item in await town.received(system)]

    taking = Taking(build(town, outbound), taken, fault, received)
    assert taking.department.dedupe is DEDUPES.get(request.param, Dedupe.KEY)
    return taking


def filed(sent: Dossier, receipt_number: str = "") -> Filed:
    return Filed(sent.reference, sent.department, receipt_number)


def supplement(sent: Dossier, receipt_number: str = "") -> Supplement:
    file = DossierFile(
        id=uuid4(),
        material="proof-of-residence",
        name="proof-of-residence-1.pdf",
        media_type="application/pdf",
        size=1200,
        sha256="ab" * 32,
        address="https://portal.example/files/1",
        expires_at=datetime.now(UTC),
    )
    return Supplement(filed(sent, receipt_number), f"{sent.reference}-1", {**sent.form, "note": "已补充"}, [file])


async def test_a_reference_has_one_effect_however_often_it_is_sent(taking: Taking) -> None:
    """By key it is sent again, by query it is asked for, and where there is neither it is sent once."""
    sent = dossier(taking.taken)
    first = await taking.department.submit(sent)
    assert first.receipt_number
    if taking.department.dedupe is Dedupe.KEY:
        assert (await taking.department.submit(sent)).receipt_number == first.receipt_number
    elif taking.department.dedupe is Dedupe.QUERY:
        found = await taking.department.status(filed(sent))
        assert found is not None
        assert found.receipt_number == first.receipt_number
    assert await taking.received() == [(sent.reference, 1)]


@pytest.mark.parametrize("mode", ["error", "garbage", "drop"])
async def test_every_outage_is_told_alike(taking: Taking, mode: str) -> None:
    await taking.fault(mode)
    with pytest.raises(DepartmentUnavailable):
        await taking.department.submit(dossier(taking.taken))


async def test_a_slow_department_is_an_outage_that_may_have_had_its_effect(town: Town, outbound: Outbound) -> None:
    for name, (system, build, taken) in TAKERS.items():
        await town.fault(system, "slow", delay_ms=int(PATIENCE * 1000) + 300)
        with pytest.raises(DepartmentUnavailable) as away:
            await build(town, outbound).submit(dossier(taken))
        assert away.value.ambiguous, name
        await town.fault(system, "ok")


@pytest.mark.parametrize("mode", ["duplicate_callback", "reordered_callback"])
async def test_trouble_with_the_news_is_none_with_the_dossier(taking: Taking, mode: str) -> None:
    await taking.fault(mode)
    sent = dossier(taking.taken)
    assert (await taking.department.submit(sent)).receipt_number
    assert await taking.received() == [(sent.reference, 1)]


async def test_a_lost_answer_is_ambiguous_and_nothing_counts_twice(taking: Taking) -> None:
    sent = dossier(taking.taken)
    await taking.fault("accept_then_drop")
    with pytest.raises(DepartmentUnavailable) as away:
        await taking.department.submit(sent)
    assert away.value.ambiguous
    await taking.fault("ok")
    if taking.department.dedupe is Dedupe.QUERY:
        found = await taking.department.status(filed(sent))
        assert found is not None
    elif taking.department.dedupe is Dedupe.KEY:
        if isinstance(taking.department, FakeDepartment):
            taking.department.loses_answers = 0
        assert (await taking.department.submit(sent)).receipt_number
    assert await taking.received() == [(sent.reference, 1)]


async def test_what_never_arrived_is_said_to_have_never_arrived(taking: Taking) -> None:
    if Capability.STATUS not in taking.department.capabilities:
        with pytest.raises(QuestionRefused):
            await taking.department.status(filed(dossier(taking.taken)))
        return
    sent = dossier(taking.taken)
    assert await taking.department.status(filed(sent)) is None
    receipt = await taking.department.submit(sent)
    status = await taking.department.status(filed(sent, receipt.receipt_number))
    assert status is not None
    assert status.receipt_number == receipt.receipt_number
    await taking.fault("garbage")
    with pytest.raises(DepartmentUnavailable):
        await taking.department.status(filed(sent))


async def test_what_is_taken_back_stays_taken_back_however_often_it_is_said(taking: Taking) -> None:
    sent = dossier(taking.taken)
    receipt = await taking.department.submit(sent)
    told = filed(sent, receipt.receipt_number)
    if Capability.WITHDRAW not in taking.department.capabilities:
        if not isinstance(taking.department, FakeDepartment):
            with pytest.raises(QuestionRefused):
                await taking.department.withdraw(told)
        return
    await taking.department.withdraw(told)
    await taking.department.withdraw(told)
    with pytest.raises(WithdrawalDeclined):
        await taking.department.withdraw(filed(dossier(taking.taken), receipt.receipt_number))
    await taking.fault("error")
    with pytest.raises(DepartmentUnavailable):
        await taking.department.withdraw(told)


async def test_what_was_missing_is_taken_once_for_each_key_where_anything_is_known_again(taking: Taking) -> None:
    sent = dossier(taking.taken)
    receipt = await taking.department.submit(sent)
    given = supplement(sent, receipt.receipt_number)
    if Capability.SUPPLEMENT not in taking.department.capabilities:
        with pytest.raises(QuestionRefused):
            await taking.department.supplement(given)
        return
    await taking.department.supplement(given)
    await taking.department.supplement(given)
    if isinstance(taking.department, FakeDepartment):
        assert taking.department.supplied == [given]
        return
    counts = dict(await taking.received())
    assert counts[given.key] == (2 if taking.department.dedupe is Dedupe.NONE else 1)
    with pytest.raises(SupplementDeclined):
        await taking.department.supplement(supplement(dossier(taking.taken), receipt.receipt_number))
    for mode in ("error", "garbage", "accept_then_drop"):
        await taking.fault(mode)
        with pytest.raises(DepartmentUnavailable) as away:
            await taking.department.supplement(given)
        assert away.value.ambiguous


POLLED = ["taxation", "notary", "housing-fund"]


async def told_by(department: Department, case: Filed, *, steps: int = 3) -> tuple[ProgressEvent, ...]:
    async with asyncio.timeout(10):
        while True:
            status = await department.status(case)
            if status is not None and len({event.sequence for event in status.events}) >= steps:
                return status.events
            await asyncio.sleep(0.02)


@pytest.mark.parametrize("name", POLLED)
@pytest.mark.parametrize("mode", ["ok", "duplicate_callback", "reordered_callback"])
async def test_who_calls_nobody_back_tells_the_same_whenever_it_is_asked(
    name: str, mode: str, town: Town, outbound: Outbound
) -> None:
    system, build, taken = TAKERS[name]
    await town.fault(system, mode)
    department, sent = build(town, outbound), dossier(taken)
    receipt = await department.submit(sent)
    case = filed(sent, receipt.receipt_number)
    events = await told_by(department, case)
    assert {(event.sequence, event.state) for event in events} == {
        (1, State.ACCEPTED),
        (2, State.IN_REVIEW),
        (3, State.APPROVED),
    }
    assert len(events) == (6 if mode == "duplicate_callback" else 3)
    assert {event.event_id for event in events} == {event.event_id for event in await told_by(department, case)}
    once = {event.sequence: event for event in events}
    assert {event.sequence: event for event in await told_by(department, case)} == once
    [decided] = {event.event_id: event for event in events if event.state is State.APPROVED}.values()
    assert decided.result is not None
    assert decided.result["document_number"]
    with pytest.raises(WithdrawalDeclined):
        await department.withdraw(case)


async def test_a_case_taken_back_goes_on_no_more(town: Town, outbound: Outbound) -> None:
    department, sent = Taxation(outbound=outbound, partner=signed(town, "taxation")), dossier(QUMANLIN)
    receipt = await department.submit(sent)
    await department.withdraw(filed(sent, receipt.receipt_number))
    await asyncio.sleep(0.2)
    status = await department.status(filed(sent))
    assert status is not None
    assert all(event.state is not State.APPROVED for event in status.events)


async def test_the_tax_office_opens_another_ticket_for_a_serial_sent_twice(town: Town, outbound: Outbound) -> None:
    """Why it is asked first: the page says so, and the twin does so."""
    department, sent = Taxation(outbound=outbound, partner=signed(town, "taxation")), dossier(QUMANLIN)
    first = await department.submit(sent)
    assert (await department.submit(sent)).receipt_number != first.receipt_number
    status = await department.status(filed(sent))
    assert status is not None
    assert status.receipt_number == first.receipt_number
    assert await town.received("taxation") == [{**(await town.received("taxation"))[0], "count": 2}]


async def test_civil_affairs_takes_a_case_sent_twice_for_two(town: Town, outbound: Outbound) -> None:
    department, sent = civil_affairs(town, outbound), dossier(QUMANLIN)
    first = await department.submit(sent)
    assert (await department.submit(sent)).receipt_number != first.receipt_number
    assert [item["count"] for item in await town.received("civil-affairs")] == [2]


async def test_the_notary_never_takes_a_file_twice(town: Town, outbound: Outbound) -> None:
    department, sent = notary(town, outbound), dossier(QUMANLIN)
    first = await department.submit(sent)
    assert await department.submit(sent) == first
    assert [item["count"] for item in await town.received("notary")] == [1]


@pytest.mark.parametrize(
    "name", ["taxation", "civil-affairs", "health", "real-estate", "disabled-persons", "housing-fund", "education"]
)
async def test_each_declines_with_its_reason(name: str, town: Town, outbound: Outbound) -> None:
    _, build, _ = TAKERS[name]
    with pytest.raises(DossierDeclined) as declined:
        await build(town, outbound).submit(dossier(WANQIUSHI))
    assert declined.value.reason == "not-eligible"


async def test_the_notary_says_in_its_acknowledgement_that_it_does_not_take_a_case(
    town: Town, outbound: Outbound
) -> None:
    department, sent = notary(town, outbound), dossier(WANQIUSHI)
    await department.submit(sent)
    [event] = await told_by(department, filed(sent), steps=1)
    assert event.state is State.NOT_ACCEPTED


async def test_health_decides_at_once_what_may_be(town: Town, outbound: Outbound) -> None:
    _, build, _ = TAKERS["health"]
    receipt = await build(town, outbound).submit(replace(dossier(QUMANLIN), at_once=True))
    assert receipt.approved is not None
    assert receipt.approved["document_number"]


async def test_an_answer_that_the_federation_has_not_signed_is_none_of_it(town: Town, outbound: Outbound) -> None:
    """Whatever it says: the case may be there, and is sent again under its reference."""
    somebody = Sm2PrivateKey.generate()
    sent = dossier(QUMANLIN)
    with pytest.raises(DepartmentUnavailable) as away:
        await federation(town, outbound, theirs="04" + somebody.public.point.hex()).submit(sent)
    assert away.value.ambiguous
    assert (await federation(town, outbound).submit(sent)).receipt_number
    assert [(item["reference"], item["count"]) for item in await town.received("disabled-persons")] == [
        (sent.reference, 1)
    ]
    with pytest.raises(DepartmentUnavailable) as unknown:
        await federation(town, outbound, key=somebody.text().decode()).submit(dossier(QUMANLIN))
    assert not unknown.value.ambiguous


async def test_a_form_arrives_as_it_was_filled_in_whatever_signs_stand_in_it(town: Town, outbound: Outbound) -> None:
    form = {"note": "<&>\"'\n　\u0001\ufffe🀄", "amount": 12, "urgent": True, "left": None, "list": [{"a": "<b>"}]}
    for name, (_, build, taken) in TAKERS.items():
        receipt = await build(town, outbound).submit(replace(dossier(taken), form=form))
        assert receipt.receipt_number, name


async def test_public_security_declines_with_its_reason(town: Town, outbound: Outbound) -> None:
    department = PublicSecurity(outbound=outbound, partner=signed(town, "public-security"))
    for who, reason in ((WANQIUSHI, "not-eligible"), (HUOMINGZHE, "not-eligible")):
        with pytest.raises(DossierDeclined) as declined:
            await department.submit(dossier(who))
        assert declined.value.reason == reason


async def test_the_common_desk_decides_at_once_only_what_is_decided_at_once(town: Town, outbound: Outbound) -> None:
    desk = DepartmentDesk(outbound=outbound, partner=signed(town, "department-desk"))
    assert (await desk.submit(dossier(QUMANLIN))).approved is None
    at_once = await desk.submit(replace(dossier(QUMANLIN), at_once=True))
    assert at_once.approved
    assert at_once.approved["document_number"]


async def test_the_common_desk_declines_with_its_reason_and_knows_its_departments(
    town: Town, outbound: Outbound
) -> None:
    desk = DepartmentDesk(outbound=outbound, partner=signed(town, "department-desk"))
    with pytest.raises(DossierDeclined) as declined:
        await desk.submit(dossier(WANQIUSHI))
    assert (declined.value.department, declined.value.reason) == ("education", "not-eligible")
    with pytest.raises(DepartmentUnavailable):
        await desk.submit(replace(dossier(QUMANLIN), department="fire-brigade"))


async def test_one_department_that_is_away_holds_back_no_other_at_the_common_desk(
    town: Town, outbound: Outbound
) -> None:
    desk = DepartmentDesk(outbound=outbound, partner=signed(town, "department-desk"))
    await town.fault("education", "error")
    for _ in range(30):
        with pytest.raises(DepartmentUnavailable):
            await desk.submit(dossier(QUMANLIN))
    assert outbound.is_held_back(partner_name("education"))
    assert not outbound.is_held_back(partner_name("civil-affairs"))
    assert (await desk.submit(replace(dossier(QUMANLIN), department="civil-affairs"))).receipt_number


async def test_the_pension_desk_confirms_and_declines_at_once(town: Town, outbound: Outbound) -> None:
    desk = pension_desk(town, outbound)
    receipt = await desk.submit(dossier(PANGXIUYING))
    assert receipt.approved is not None
    assert date.fromisoformat(str(receipt.approved["next_due_on"])) > datetime.now(UTC).date()
    with pytest.raises(DossierDeclined) as declined:
        await desk.submit(dossier(HUOMINGZHE))
    assert declined.value.reason == "not-a-pensioner"


async def test_a_wrong_secret_is_no_refusal_of_the_resident(town: Town, outbound: Outbound) -> None:
    wrong = "x" * 40
    department = PublicSecurity(outbound=outbound, partner=signed(town, "public-security", secret=wrong))
    with pytest.raises(DepartmentUnavailable):
        await department.submit(dossier(QUMANLIN))
    with pytest.raises(DepartmentUnavailable):
        await notary(town, outbound, secret=wrong).submit(dossier(QUMANLIN))
    # The pages call this one final: no try of ours is worth repeating.
    with pytest.raises(QuestionRefused):
        await pension_desk(town, outbound, secret=wrong).submit(dossier(PANGXIUYING))
    with pytest.raises(QuestionRefused):
        await civil_affairs(town, outbound, secret=wrong).submit(dossier(QUMANLIN))
    assert [await town.received(system) for system in ("public-security", "notary", "civil-affairs")] == [[], [], []]


async def test_a_fault_that_blames_us_is_heard_once_and_says_nothing_bad_of_the_desk(
    town: Town, outbound: Outbound
) -> None:
    desk = pension_desk(town, outbound, secret="x" * 40)
    for _ in range(60):
        with pytest.raises(QuestionRefused):
            await desk.submit(dossier(PANGXIUYING))
    assert not outbound.is_held_back("human-resources")
    assert await town.received("human-resources") == []
    assert (await pension_desk(town, outbound).submit(dossier(PANGXIUYING))).approved is not None


async def test_a_fault_that_blames_the_desk_is_an_outage(town: Town, outbound: Outbound) -> None:
    await town.fault("human-resources", "error")
    for _ in range(30):
        with pytest.raises(DepartmentUnavailable):
            await pension_desk(town, outbound).submit(dossier(PANGXIUYING))
        if outbound.is_held_back("human-resources"):
            break
    assert outbound.is_held_back("human-resources")


async def test_nobody_is_called_inside_a_transaction(town: Town, outbound: Outbound, database: object) -> None:
    department = PublicSecurity(outbound=outbound, partner=signed(town, "public-security"))
    with pytest.raises(InsideTransaction):
        await transaction(lambda: department.submit(dossier(QUMANLIN)))


# --- records that answer questions ------------------------------------------------------------------------------------


def keeper(name: str, town: Town, outbound: Outbound) -> Records:
    if name == "fake":
        return FakeRecords({"result": "confirmed"})
    if name == "education":
        return Degrees(outbound=outbound, partner=signed(town, name), ids=RandomIds())
    if name == "public-security":
        return Households(outbound=outbound, partner=signed(town, name), ids=RandomIds())
    if name == "real-estate":
        return Residences(outbound=outbound, partner=signed(town, name), ids=RandomIds())
    told = town.keys.told["human_resources"]
    envelope = SharingEnvelope(
        access_id=told["access_id"],
        secret=SecretStr(told["secret"]),
        private_key=SecretStr(town.keys.sm2_private.hex()),
        clock=SystemClock(),
    )
    partner = Partner("human-resources", f"{town.base}/human-resources", PATIENCE, 2)
    return Insurance(outbound=outbound, partner=partner, envelope=envelope)


async def ask(records: Records, who: Who) -> dict[str, Fact]:
    return dict(await records.ask(applicant(who), purpose="资格核验：应届毕业生落户"))


KEEPERS = ["education", "human-resources", "public-security", "real-estate"]


@pytest.mark.parametrize("name", ["fake", *KEEPERS])
async def test_records_answer_with_facts_the_same_each_time(name: str, town: Town, outbound: Outbound) -> None:
    records = keeper(name, town, outbound)
    facts = await ask(records, CHENXINRAN)
    assert facts
    assert facts == await ask(records, CHENXINRAN)


async def test_the_fresh_graduate_is_known_well_everywhere(town: Town, outbound: Outbound) -> None:
    degree = await ask(keeper("education", town, outbound), CHENXINRAN)
    assert (degree["result"], degree["degree"]) == ("confirmed", "bachelor")
    assert isinstance(degree["graduated_on"], date)
    assert await ask(keeper("human-resources", town, outbound), CHENXINRAN) == {"insured": True}
    assert await ask(keeper("public-security", town, outbound), CHENXINRAN) == {"result": "clear"}
    assert await ask(keeper("real-estate", town, outbound), CHENXINRAN) == {"result": "rented"}


async def test_nothing_on_record_is_an_answer(town: Town, outbound: Outbound) -> None:
    assert await ask(keeper("education", town, outbound), NOBODY) == {"result": "none"}
    assert await ask(keeper("human-resources", town, outbound), NOBODY) == {"insured": False}
    assert await ask(keeper("real-estate", town, outbound), NOBODY) == {"result": "none"}


@pytest.mark.parametrize("name", KEEPERS)
@pytest.mark.parametrize("mode", ["error", "garbage", "drop", "accept_then_drop"])
async def test_records_that_are_away_say_nothing(name: str, mode: str, town: Town, outbound: Outbound) -> None:
    await town.fault(name, mode)
    with pytest.raises(DepartmentUnavailable):
        await ask(keeper(name, town, outbound), CHENXINRAN)


# --- registers that are told what was decided elsewhere ---------------------------------------------------------------


@pytest.mark.parametrize("name", ["fake", "public-security"])
async def test_the_register_of_the_place_moved_from_notes_a_result_once(
    name: str, town: Town, outbound: Outbound
) -> None:
    households = Households(outbound=outbound, partner=signed(town, "public-security"), ids=RandomIds())
    registry: HomeRegistry = FakeHomeRegistry() if name == "fake" else households
    told: Details = {
        "outcome": "approved",
        "from_region": "9998",
        "to_region": "999902",
        "decided_on": "2026-03-12",
    }
    for _ in range(2):
        await registry.take_result("K-1", MATTER, applicant(QUMANLIN), told)
    if isinstance(registry, FakeHomeRegistry):
        assert list(registry.noted) == ["K-1"]
        return
    [noted] = await town.received("public-security")
    assert (noted["reference"], noted["matter"], noted["count"], noted["outcome"]) == ("K-1", MATTER, 1, "result")
    await town.fault("public-security", "accept_then_drop")
    with pytest.raises(DepartmentUnavailable):
        await registry.take_result("K-2", MATTER, applicant(QUMANLIN), told)


# --- garbage in front of a department ---------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["taxation", "notary", "civil-affairs", "health", "public-security"])
@pytest.mark.parametrize("said", [b'{"hello": "there"}', b'{"code": "0099"}', b"<html/>", b"{}"])
async def test_what_is_in_no_page_leaves_open_whether_it_arrived(
    name: str, said: bytes, town: Town, outbound: Outbound
) -> None:
    """Else it would be sent again without asking, or its applicant told that nobody has it."""

    async def answer(_request: web.Request) -> web.Response:
        return web.Response(body=said)

    app = web.Application()
    app.router.add_route("*", "/{anything:.*}", answer)
    _, build, taken = TAKERS[name]
    async with served(app) as base:
        there = Town(town.session, base, town.keys, town.clock)
        with pytest.raises(DepartmentUnavailable) as away:
            await build(there, outbound).submit(dossier(taken))
    assert away.value.ambiguous


# --- what the table of the pages says ---------------------------------------------------------------------------------


def test_the_table_says_what_each_can_do(town: Town, outbound: Outbound) -> None:
    page = (Path(__file__).parents[2] / "docs" / "departments" / "README.md").read_text(encoding="utf-8")
    order = (
        Capability.SUBMIT,
        Capability.STATUS,
        Capability.SUPPLEMENT,
        Capability.WITHDRAW,
        Capability.CALLBACK,
    )
    for name, (_, build, _) in TAKERS.items():
        able = build(town, outbound).capabilities
        row = " | ".join("✓" if each in able else "–" for each in order)
        assert f"| {name} | {row} |" in page
    for name in KEEPERS:
        [word] = keeper(name, town, outbound).capabilities
        assert f"| {name} | `{word}` |" in page
