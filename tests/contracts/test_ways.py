"""Every way keeps the port's promises: the fakes, the adapters against the sandbox, the counter of our own."""

from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from typing import Literal
from uuid import UUID, uuid4

import pytest
from pydantic import SecretStr

from auth.adapters.bank_clearing import BankClearing
from auth.adapters.mobile_register import CarrierRegister
from auth.adapters.network_identity import NetworkIdentity
from auth.adapters.payment import Payment
from auth.adapters.sms import Sms
from auth.ways.attempts import Attempts
from auth.ways.errors import CounterMismatch, WayRefused, WayUnavailable
from auth.ways.ports import SmsSender, Way
from auth.ways.settings import WaySettings
from auth.ways.sms import SmsCodes
from auth.ways.texting import Texting
from auth.ways.types import Begun, Claim, Finding, Outcome, Proof, Reason
from core.clock import SystemClock
from core.ids import RandomIds
from core.outbound import Outbound, Partner
from core.pii import IdNumber, Mobile, PersonName, Secret
from core.settings import OutboundSettings
from core.signers.signed_json import SignedJson
from tests.conftest import Ground
from tests.fakes.ways import OFFICER, FakeMobileRegister, FakeSmsSender, FakeWay, employ, make_ways
from tests.sandbox.town import WITH_SM3, Caller, Keys, MovableClock, opened

HUO = Claim(
    PersonName.parse("霍明哲"),
    IdNumber.parse("999999198503122179"),
    Mobile.parse("19900000001"),
    Secret("6299990000000000012"),
)
# Somebody with a mobile, known to nobody.
NOBODY = Claim(
    PersonName.parse("无此人"),
    IdNumber.parse("999999199001010016"),
    Mobile.parse("19955550000"),
    Secret("6299990000055550001"),
)
Act = Callable[[Begun, Claim], Awaitable[str | None]]


@dataclass
class Case:
    """A way, what somebody does on their side, rightly or wrongly, and the switch that takes the provider away."""

    way: Way
    prove: Act
    fail: Act
    take_away: Callable[[], Awaitable[None]] | None
    wrong: Literal["code_wrong", "not_passed", "pending"]

    async def begun(self, claim: Claim) -> tuple[Begun, Proof]:
        check_id: UUID = uuid4()
        begun = await self.way.begin(claim, check_id=check_id, until=SystemClock().now() + timedelta(minutes=5))
        return begun, Proof(check_id, begun.reference, claim)


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


def partner_of(town: Caller, name: str, *, secret: str = "") -> Partner:
    told = town.keys.told[name.replace("-", "_")]
    signer = SignedJson(
        app_id=told["app_id"],
        secret=SecretStr(secret or told["secret"]),
        clock=SystemClock(),
        ids=RandomIds(),
        digest="sm3" if name.replace("-", "_") in WITH_SM3 else "sha256",
    )
    return Partner(name, f"{town.base}/{name}", timeout=5, attempts=1, signer=signer)


async def card_claim(town: Caller) -> Claim:
    """Huo with the card that the cast gives him."""
    return replace(HUO, card_number=Secret((await town.person("huomingzhe"))["bank_card"]))


async def code_sent(town: Caller, claim: Claim) -> str | None:
    assert claim.mobile is not None
    heard = await town.call("GET", f"/sandbox/sms/outbox?mobile={claim.mobile.reveal()}")
    items = heard.json["items"]
    return str(items[0]["parameters"]["code"]) if items else "135790"


async def wrong_code(begun: Begun, claim: Claim) -> str | None:
    return "not it"


def fake_code() -> Case:
    way = FakeWay(people={HUO.id_number.reveal(): HUO.name.reveal()}, takes_code=True)

    async def prove(begun: Begun, claim: Claim) -> str | None:
        return way.code_of(UUID(begun.reference.reveal()))

    return Case(way, prove, wrong_code, _trouble(way), "code_wrong")


def fake_ticket() -> Case:
    way = FakeWay(people={HUO.id_number.reveal(): HUO.name.reveal()})

    async def prove(begun: Begun, claim: Claim) -> str | None:
        way.opened_by[str(begun.prompt.ticket)] = (claim.name.reveal(), claim.id_number.reveal())
        return None

    async def fail(begun: Begun, claim: Claim) -> str | None:
        way.opened_by[str(begun.prompt.ticket)] = ("厉云齐", "999999199011053335")
        return None

    return Case(way, prove, fail, _trouble(way), "not_passed")


def _trouble(way: FakeWay) -> Callable[[], Awaitable[None]]:
    async def away() -> None:
        way.trouble = WayUnavailable()

    return away


def texts(ground: Ground, sender: SmsSender) -> Texting:
    ids = RandomIds()
    attempts = Attempts(clock=ground.clock, ids=ids)
    return Texting(sender=sender, attempts=attempts, vault=ground.vault, ids=ids, settings=WaySettings())


def sms_over_fakes(ground: Ground) -> Case:
    assert HUO.mobile is not None
    register = FakeMobileRegister({HUO.mobile.reveal(): (HUO.name.reveal(), HUO.id_number.reveal())})
    sender = FakeSmsSender()
    way = SmsCodes(texting=texts(ground, sender), register=register, clock=SystemClock())

    async def prove(begun: Begun, claim: Claim) -> str | None:
        assert claim.mobile is not None
        return sender.last_to(claim.mobile.reveal())

    async def away() -> None:
        sender.trouble = register.trouble = WayUnavailable()

    return Case(way, prove, wrong_code, away, "code_wrong")


def sms_in_town(ground: Ground, town: Caller, door: Outbound) -> Case:
    sender = Sms(outbound=door, partner=partner_of(town, "sms"), ids=RandomIds())
    register = CarrierRegister(outbound=door, partner=partner_of(town, "mobile-register"), ids=RandomIds())
    way = SmsCodes(texting=texts(ground, sender), register=register, clock=SystemClock())

    async def prove(begun: Begun, claim: Claim) -> str | None:
        return await code_sent(town, claim)

    async def away() -> None:
        await town.fault("sms", "error")
        await town.fault("mobile-register", "error")

    return Case(way, prove, wrong_code, away, "code_wrong")


def bank_card_in_town(town: Caller, door: Outbound) -> Case:
    way = BankClearing(outbound=door, partner=partner_of(town, "bank-clearing"), ids=RandomIds())

    async def prove(begun: Begun, claim: Claim) -> str | None:
        return await code_sent(town, claim)

    async def away() -> None:
        await town.fault("bank-clearing", "error")

    return Case(way, prove, wrong_code, away, "code_wrong")


def payment_in_town(town: Caller, door: Outbound) -> Case:
    way = Payment(outbound=door, partner=partner_of(town, "payment"), ids=RandomIds())

    def enter(person: str) -> Act:
        async def act(begun: Begun, claim: Claim) -> str | None:
            body = {"ticket": begun.prompt.ticket, "person": person, "password": "right"}
            assert (await town.call("POST", "/sandbox/payment/entries", body)).status == 201
            return None

        return act

    async def away() -> None:
        await town.fault("payment", "error")

    return Case(way, enter("huomingzhe"), enter("lieyunqi"), away, "not_passed")


def network_id_in_town(town: Caller, door: Outbound) -> Case:
    way = NetworkIdentity(outbound=door, partner=partner_of(town, "network-identity"), ids=RandomIds())

    def approve(person: str) -> Act:
        async def act(begun: Begun, claim: Claim) -> str | None:
            body = {"ticket": begun.prompt.ticket, "person": person}
            assert (await town.call("POST", "/sandbox/network-identity/approvals", body)).status == 201
            return None

        return act

    async def away() -> None:
        await town.fault("network-identity", "error")

    return Case(way, approve("huomingzhe"), approve("lieyunqi"), away, "not_passed")


def at_the_counter(ground: Ground) -> Case:
    ground.clock.set(SystemClock().now())
    counter = make_ways(ground).counter

    def show(name: str, id_number: str) -> Act:
        async def act(begun: Begun, claim: Claim) -> str | None:
            await employ(ground)
            try:
                await counter.confirm(OFFICER, str(begun.prompt.code), name=name, id_number=id_number)
            except CounterMismatch:
                return None
            return None

        return act

    huo = show(HUO.name.reveal(), HUO.id_number.reveal())
    return Case(counter, huo, show("厉云齐", "999999199011053335"), None, "pending")


OUTSIDE = ["fake code", "fake ticket", "sms over fakes", "sms", "bank card", "payment", "network id"]
WITH_CODE = ["fake code", "sms over fakes", "sms", "bank card"]


def made(request: pytest.FixtureRequest, name: str) -> Case:
    def ask(fixture: str) -> object:
        return request.getfixturevalue(fixture)

    match name:
        case "fake code":
            return fake_code()
        case "fake ticket":
            return fake_ticket()
        case "counter":
            return at_the_counter(ask("ground"))  # type: ignore[arg-type]
        case "sms over fakes":
            return sms_over_fakes(ask("ground"))  # type: ignore[arg-type]
        case "sms":
            return sms_in_town(ask("ground"), ask("town"), ask("door"))  # type: ignore[arg-type]
        case "bank card":
            return bank_card_in_town(ask("town"), ask("door"))  # type: ignore[arg-type]
        case "payment":
            return payment_in_town(ask("town"), ask("door"))  # type: ignore[arg-type]
    return network_id_in_town(ask("town"), ask("door"))  # type: ignore[arg-type]


@pytest.fixture(params=[*OUTSIDE, "counter"])
def case(request: pytest.FixtureRequest) -> Case:
    return made(request, request.param)


@pytest.fixture(params=OUTSIDE)
def outside(request: pytest.FixtureRequest) -> Case:
    return made(request, request.param)


@pytest.fixture(params=WITH_CODE)
def with_code(request: pytest.FixtureRequest) -> Case:
    return made(request, request.param)


async def test_who_does_what_is_asked_passes(case: Case) -> None:
    begun, proof = await case.begun(HUO)
    finding = await case.way.finish(proof, await case.prove(begun, HUO))
    assert (finding.outcome, finding.reason) == (Outcome.PASSED, None)


async def test_who_does_nothing_does_not_pass(case: Case) -> None:
    _, proof = await case.begun(HUO)
    assert (await case.way.finish(proof, None)).outcome is not Outcome.PASSED


async def test_who_does_it_wrongly_does_not_pass_and_learns_little(case: Case) -> None:
    begun, proof = await case.begun(HUO)
    finding = await case.way.finish(proof, await case.fail(begun, HUO))
    expected = Finding(Outcome.PENDING) if case.wrong == "pending" else Finding(Outcome.FAILED, Reason(case.wrong))
    assert finding == expected


async def test_a_proof_begins_alike_for_people_whom_nobody_knows(case: Case) -> None:
    shapes = []
    for claim in (HUO, NOBODY):
        assert claim.mobile is not None
        begun, _ = await case.begun(claim)
        prompt = begun.prompt
        lengths = [len(text or "") for text in (prompt.ticket, prompt.code)]
        shapes.append((prompt.kind, lengths, prompt.sent_to in {None, claim.mobile.masked()}))
    assert shapes[0] == shapes[1]
    assert shapes[0][2]


async def test_nobody_passes_as_somebody_whom_nobody_knows(case: Case) -> None:
    begun, proof = await case.begun(NOBODY)
    finding = await case.way.finish(proof, await case.prove(begun, NOBODY))
    assert finding.outcome is not Outcome.PASSED
    assert finding.reason in {None, Reason.CODE_WRONG, Reason.NOT_PASSED}


async def test_a_proof_of_one_check_does_nothing_for_another(case: Case) -> None:
    first, first_proof = await case.begun(HUO)
    evidence = await case.prove(first, HUO)
    _, other_proof = await case.begun(HUO)
    assert (await case.way.finish(other_proof, evidence)).outcome is not Outcome.PASSED
    assert (await case.way.finish(first_proof, evidence)).outcome is Outcome.PASSED


async def test_what_was_begun_prints_nothing_that_proves_anything(case: Case) -> None:
    begun, proof = await case.begun(HUO)
    printed = f"{begun!r} {proof!r}"
    for text in (begun.prompt.ticket, begun.prompt.code, HUO.name.reveal(), HUO.id_number.reveal()):
        assert text is None or text not in printed


async def test_a_wrong_code_may_be_followed_by_the_right_one(with_code: Case) -> None:
    begun, proof = await with_code.begun(HUO)
    for _ in range(4):
        assert (await with_code.way.finish(proof, "000000x")).reason is Reason.CODE_WRONG
    assert (await with_code.way.finish(proof, await with_code.prove(begun, HUO))).outcome is Outcome.PASSED


async def test_a_provider_that_is_away_says_so_before_and_after(outside: Case) -> None:
    assert outside.take_away is not None
    begun, proof = await outside.begun(HUO)
    evidence = await outside.prove(begun, HUO)
    await outside.take_away()
    with pytest.raises(WayUnavailable):
        await outside.way.finish(proof, evidence)
    with pytest.raises(WayUnavailable):
        await outside.begun(HUO)


@pytest.mark.parametrize("mode", ["garbage", "drop", "accept_then_drop"])
@pytest.mark.parametrize("system", ["sms", "bank-clearing", "payment", "network-identity"])
async def test_whatever_goes_wrong_on_the_way_is_unavailable(
    ground: Ground, town: Caller, door: Outbound, system: str, mode: str
) -> None:
    cases = {
        "sms": sms_in_town(ground, town, door),
        "bank-clearing": bank_card_in_town(town, door),
        "payment": payment_in_town(town, door),
        "network-identity": network_id_in_town(town, door),
    }
    await town.fault(system, mode)
    with pytest.raises(WayUnavailable):
        await cases[system].begun(HUO)


@pytest.mark.parametrize("mode", ["garbage", "drop", "accept_then_drop"])
async def test_a_register_that_fails_is_unavailable(ground: Ground, town: Caller, door: Outbound, mode: str) -> None:
    case = sms_in_town(ground, town, door)
    begun, proof = await case.begun(HUO)
    await town.fault("mobile-register", mode)
    with pytest.raises(WayUnavailable):
        await case.way.finish(proof, await case.prove(begun, HUO))


async def test_a_wrong_secret_is_our_trouble_and_no_outcome(town: Caller, door: Outbound) -> None:
    way = Payment(outbound=door, partner=partner_of(town, "payment", secret="another secret"), ids=RandomIds())
    with pytest.raises(WayUnavailable):
        await way.begin(HUO, check_id=uuid4(), until=SystemClock().now())


async def test_a_kind_of_card_that_is_not_taken_is_refused_for_good(town: Caller, door: Outbound) -> None:
    way = BankClearing(outbound=door, partner=partner_of(town, "bank-clearing"), ids=RandomIds())
    with pytest.raises(WayRefused):
        await way.begin(
            replace(HUO, card_number=Secret("3530111333300000")), check_id=uuid4(), until=SystemClock().now()
        )


async def test_the_same_reference_is_one_message(town: Caller, door: Outbound) -> None:
    sender = Sms(outbound=door, partner=partner_of(town, "sms"), ids=RandomIds())
    assert HUO.mobile is not None
    for code in ("111111", "222222"):
        await sender.send_code(HUO.mobile, code, minutes=5, reference="one-reference")
    assert await code_sent(town, HUO) == "111111"


async def test_the_network_identity_tells_a_pseudonym_and_always_the_same(town: Caller, door: Outbound) -> None:
    case, seen = network_id_in_town(town, door), set()
    for _ in range(2):
        begun, proof = await case.begun(HUO)
        finding = await case.way.finish(proof, await case.prove(begun, HUO))
        assert finding.pseudonym is not None
        seen.add(finding.pseudonym.reveal())
    assert len(seen) == 1
    assert HUO.id_number.reveal() not in seen.pop()


async def test_three_wrong_passwords_end_a_ticket(town: Caller, door: Outbound) -> None:
    case = payment_in_town(town, door)
    begun, proof = await case.begun(HUO)
    body = {"ticket": begun.prompt.ticket, "person": "huomingzhe", "password": "wrong"}
    for _ in range(2):
        await town.call("POST", "/sandbox/payment/entries", body)
        assert (await case.way.finish(proof, None)).outcome is Outcome.PENDING
    await town.call("POST", "/sandbox/payment/entries", body)
    assert (await case.way.finish(proof, None)).reason is Reason.NOT_PASSED


async def test_the_cast_has_the_cards_that_these_tests_say(town: Caller) -> None:
    assert (await card_claim(town)).card_number == HUO.card_number
