"""Every department and every keeper of records keeps the contract of its port: fakes, and adapters against the sandbox.

The sandbox is written from the same pages as the adapters and shares no code with them.
"""

from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from uuid import uuid4

import pytest
from pydantic import SecretStr

from core.clock import SystemClock
from core.db import InsideTransaction, transaction
from core.ids import RandomIds
from core.outbound import Outbound, Partner
from core.pii import IdNumber, Mobile, PersonName
from core.settings import OutboundSettings
from core.signers.sharing import SharingEnvelope
from core.signers.signed_json import Digest, SignedJson
from matters.adapters.education import Degrees
from matters.adapters.human_resources import Insurance, PensionDesk
from matters.adapters.public_security import Households, PublicSecurity
from matters.adapters.real_estate import Residences
from matters.errors import DepartmentUnavailable, DossierDeclined, QuestionRefused
from matters.ports import Department, Records
from matters.types import Applicant, Dedupe, Dossier, Fact
from tests.fakes.matters import FakeDepartment, FakeRecords
from tests.sandbox.town import Caller as Town
from tests.sandbox.town import Keys, MovableClock, opened

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
        elif mode != "ok":
            fake.failures = [DepartmentUnavailable("public-security", ambiguous=True)]

    async def received() -> list[tuple[str, int]]:
        return list(fake.effects.items())

    return Taking(fake, QUMANLIN, fault, received)


@pytest.fixture(params=["fake", "public-security", "human-resources"])
def taking(request: pytest.FixtureRequest, town: Town, outbound: Outbound) -> Taking:
    if request.param == "fake":
        return fake_taking()

    async def fault(mode: str) -> object:
        return await town.fault(request.param, mode)

    async def received() -> list[tuple[str, int]]:
        return [(item["reference"], item["count"]) for item in await town.received(request.param)]

    if request.param == "public-security":
        department = PublicSecurity(outbound=outbound, partner=signed(town, "public-security"))
        return Taking(department, QUMANLIN, fault, received)
    return Taking(pension_desk(town, outbound), PANGXIUYING, fault, received)


async def test_the_same_reference_gets_the_same_receipt(taking: Taking) -> None:
    assert taking.department.dedupe is Dedupe.KEY
    sent = dossier(taking.taken)
    first = await taking.department.submit(sent)
    again = await taking.department.submit(sent)
    assert first.receipt_number
    assert first.receipt_number == again.receipt_number
    assert await taking.received() == [(sent.reference, 1)]


@pytest.mark.parametrize("mode", ["error", "garbage", "drop"])
async def test_every_outage_is_told_alike(taking: Taking, mode: str) -> None:
    await taking.fault(mode)
    with pytest.raises(DepartmentUnavailable):
        await taking.department.submit(dossier(taking.taken))


async def test_a_lost_answer_is_ambiguous_and_asking_again_counts_nothing_twice(taking: Taking) -> None:
    sent = dossier(taking.taken)
    await taking.fault("accept_then_drop")
    with pytest.raises(DepartmentUnavailable) as away:
        await taking.department.submit(sent)
    assert away.value.ambiguous
    await taking.fault("ok")
    for _ in range(2):
        try:
            receipt = await taking.department.submit(sent)
        except DepartmentUnavailable:
            continue
    assert receipt.receipt_number
    assert await taking.received() == [(sent.reference, 1)]


async def test_public_security_declines_with_its_reason(town: Town, outbound: Outbound) -> None:
    department = PublicSecurity(outbound=outbound, partner=signed(town, "public-security"))
    for who, reason in ((WANQIUSHI, "not-eligible"), (HUOMINGZHE, "not-eligible")):
        with pytest.raises(DossierDeclined) as declined:
            await department.submit(dossier(who))
        assert declined.value.reason == reason


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
    # The page calls this one final: no try of ours is worth repeating.
    with pytest.raises(QuestionRefused):
        await pension_desk(town, outbound, secret=wrong).submit(dossier(PANGXIUYING))


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
