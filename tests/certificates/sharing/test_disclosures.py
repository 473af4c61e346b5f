"""Consents of holders to verifiers, and what is answered on them: exactly what was agreed, as long as it holds."""

import asyncio
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest

from auth.registers.errors import QuotaUsedUp
from auth.registers.types import VerifierTerms
from auth.types import Caller, Level
from certificates.errors import ClaimUnknown, FieldUnknown, KindUnknown, PurposeRequired, VerifierUnknown
from certificates.personal_data import WalletData
from certificates.sharing.disclosures import Disclosures
from certificates.sharing.errors import DisclosureEnded, EndUnusable, NoSuchDisclosure
from certificates.sharing.queries import CertificateQueries
from certificates.sharing.types import Disclosure, SharedCertificate, Standing
from certificates.types import Outcome, State
from core.clock import china_date
from core.db import as_json, fetch, transaction
from core.pii import IdNumber
from tests.certificates.conftest import LICENCE_KIND, NUMBER, Hall
from tests.fakes.certificates import issued

HIRE = "租车"
ME = IdNumber.parse(NUMBER)
STRANGER = IdNumber.parse("999999199011053335")


class FakeHolders:
    """Knows one resident by number."""

    def __init__(self, citizen_id: UUID) -> None:
        self._citizen_id = citizen_id

    async def find_holder(self, id_number: IdNumber) -> UUID | None:
        return self._citizen_id if id_number == ME else None


@dataclass
class Desk:
    """Both sides: the holder's consents, and a shop that asks."""

    hall: Hall
    shop: VerifierTerms
    disclosures: Disclosures
    queries: CertificateQueries

    async def agree(self, *fields: str, **more: Any) -> Disclosure:
        return await self.disclosures.agree(
            self.hall.me, self.shop.id, LICENCE_KIND, purpose=HIRE, fields=fields, **more
        )

    async def ask(self, holder: IdNumber = ME, *, purpose: str = HIRE) -> SharedCertificate | None:
        return await self.queries.ask(self.shop.id, LICENCE_KIND, holder, purpose=purpose)

    async def standing(self) -> list[Standing]:
        return [each.standing for each in await self.disclosures.list_given(self.hall.me, before=None, limit=50)]


@pytest.fixture
async def desk(hall: Hall) -> Desk:
    ground = hall.ground
    shop = hall.verifiers.register(HIRE, "name", "number", "vehicle_class", "age>=18")
    await hall.held()
    return Desk(
        hall,
        shop,
        Disclosures(kinds=hall.kinds, verifiers=hall.verifiers, audit=ground.audit, clock=ground.clock, ids=ground.ids),
        CertificateQueries(
            kinds=hall.kinds,
            records=hall.records,
            holders=FakeHolders(hall.me.citizen_id),
            verifiers=hall.verifiers,
            audit=ground.audit,
            jobs=ground.jobs,
            limits=ground.limits,
            clock=ground.clock,
            settings=hall.settings,
        ),
    )


async def test_what_was_agreed_is_told_once_and_nothing_else(desk: Desk) -> None:
    given = await desk.agree("name", claims=["age>=18"])
    assert (given.once, given.standing, given.verifier) == (True, Standing.OPEN, "示例租车")
    shared = await desk.ask()
    assert shared is not None
    assert (shared.disclosure_id, shared.outcome) == (given.id, Outcome.OK)
    assert dict(shared.fields) == {"name": "霍明哲", "age>=18": True}
    assert "霍" not in repr(shared)
    assert await desk.ask() is None
    assert await desk.standing() == [Standing.USED]


async def test_of_many_questions_at_once_a_consent_for_one_time_answers_one(desk: Desk) -> None:
    await desk.agree("name")
    told = await asyncio.gather(*(desk.ask() for _ in range(20)))
    assert sum(each is not None for each in told) == 1


async def test_a_consent_until_a_day_lasts_to_its_end(desk: Desk) -> None:
    clock = desk.hall.ground.clock
    given = await desk.agree("name", until=china_date(clock.now()) + timedelta(days=1))
    assert not given.once
    assert [await desk.ask() is not None for _ in range(3)] == [True] * 3
    clock.set(given.expires_at - timedelta(seconds=1))
    assert await desk.ask() is not None
    clock.set(given.expires_at)
    assert await desk.ask() is None
    assert await desk.standing() == [Standing.ENDED]


async def test_a_consent_for_one_time_waits_a_day(desk: Desk) -> None:
    await desk.agree("name")
    desk.hall.ground.clock.move(timedelta(hours=24))
    assert await desk.ask() is None


async def test_a_consent_that_was_taken_back_answers_nothing_at_once(desk: Desk) -> None:
    given = await desk.agree("name", until=china_date(desk.hall.ground.clock.now()))
    other = Caller(uuid4(), uuid4(), Level.PRESENT, elder=False, actor_id=uuid4())
    with pytest.raises(NoSuchDisclosure):
        await desk.disclosures.withdraw(other, given.id)
    assert await desk.ask() is not None
    await desk.disclosures.withdraw(desk.hall.me, given.id)
    assert await desk.ask() is None
    assert await desk.standing() == [Standing.WITHDRAWN]
    with pytest.raises(DisclosureEnded):
        await desk.disclosures.withdraw(desk.hall.me, given.id)
    assert (await desk.disclosures.get(desk.hall.me, given.id)).standing is Standing.WITHDRAWN
    with pytest.raises(NoSuchDisclosure):
        await desk.disclosures.get(other, given.id)


async def test_a_consent_is_to_one_verifier_and_one_purpose(desk: Desk) -> None:
    await desk.agree("name", until=china_date(desk.hall.ground.clock.now()))
    desk.hall.verifiers.terms[desk.shop.id] = replace(
        desk.shop, purposes={HIRE: frozenset({"name"}), "保险": frozenset({"name"})}
    )
    assert await desk.ask(purpose="保险") is None
    other = desk.hall.verifiers.register(HIRE, "name")
    assert await desk.queries.ask(other.id, LICENCE_KIND, ME, purpose=HIRE) is None
    assert await desk.ask() is not None


async def test_what_the_register_lets_a_verifier_read_no_more_is_told_no_more(desk: Desk) -> None:
    await desk.agree("name", "number", until=china_date(desk.hall.ground.clock.now()))
    desk.hall.verifiers.terms[desk.shop.id] = replace(desk.shop, purposes={HIRE: frozenset({"name"})})
    shared = await desk.ask()
    assert shared is not None
    assert set(shared.fields) == {"name"}


async def test_nobody_here_and_nothing_agreed_look_the_same(desk: Desk) -> None:
    assert await desk.ask(STRANGER) is None
    assert await desk.ask(ME) is None


@pytest.mark.parametrize("purpose", ["", "看看"])
async def test_a_question_needs_a_purpose_that_is_registered(desk: Desk, purpose: str) -> None:
    await desk.agree("name")
    with pytest.raises(PurposeRequired) as caught:
        await desk.ask(purpose=purpose)
    assert [error.pointer for error in caught.value.extras.errors] == ["/use_cause"]


async def test_questions_are_counted_whether_they_are_answered_or_not(desk: Desk) -> None:
    desk.hall.verifiers.terms[desk.shop.id] = replace(desk.shop, quota_per_day=3)
    for holder in (ME, STRANGER, ME):
        assert await desk.ask(holder) is None
    with pytest.raises(QuotaUsedUp):
        await desk.ask()


async def test_a_verifier_that_was_suspended_and_a_kind_that_is_none_are_refused(desk: Desk) -> None:
    with pytest.raises(KindUnknown):
        await desk.queries.ask(desk.shop.id, "library-card", ME, purpose=HIRE)
    del desk.hall.verifiers.terms[desk.shop.id]
    with pytest.raises(VerifierUnknown):
        await desk.ask()


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ({"kind": "library-card"}, KindUnknown),
        ({"fields": ["salary"]}, FieldUnknown),
        ({"fields": ["address"]}, FieldUnknown),
        ({"claims": ["height>=180"]}, ClaimUnknown),
        ({"claims": ["age>=65"]}, FieldUnknown),
        ({"verifier": uuid4()}, VerifierUnknown),
        ({"purpose": "看看"}, PurposeRequired),
    ],
)
async def test_nothing_is_agreed_to_that_cannot_be(
    desk: Desk, changes: dict[str, Any], problem: type[Exception]
) -> None:
    wanted = {"verifier": desk.shop.id, "kind": LICENCE_KIND, "purpose": HIRE, "fields": ["name"], **changes}
    with pytest.raises(problem):
        await desk.disclosures.agree(desk.hall.me, wanted.pop("verifier"), wanted.pop("kind"), **wanted)
    assert await desk.standing() == []


@pytest.mark.parametrize("days", [-1, 367])
async def test_a_consent_ends_within_a_year(desk: Desk, days: int) -> None:
    with pytest.raises(EndUnusable):
        await desk.agree("name", until=china_date(desk.hall.ground.clock.now()) + timedelta(days=days))


@pytest.mark.parametrize(("state", "outcome"), [(State.FROZEN, Outcome.FROZEN), (State.REVOKED, Outcome.REVOKED)])
async def test_how_a_certificate_stands_is_told_as_an_outcome(desk: Desk, state: State, outcome: Outcome) -> None:
    await desk.agree("name")
    await desk.hall.held(issued(state=state, version=2))
    shared = await desk.ask()
    assert shared is not None
    assert shared.outcome is outcome


async def test_the_holder_reads_of_every_question_and_is_told_of_every_answer(desk: Desk) -> None:
    assert await desk.ask() is None
    given = await desk.agree("name")
    await desk.ask()
    await desk.ask(STRANGER)
    told = [(line.action, line.outcome, line.purpose, line.field_names) for line in await desk.hall.ledger()][:3]
    assert sorted(told) == [
        ("certificates.disclosure-agreed", "ok", HIRE, ("name",)),
        ("certificates.queried", "not-agreed", HIRE, ()),
        ("certificates.queried", "ok", HIRE, ("name",)),
    ]
    rows = await fetch("SELECT payload FROM job WHERE name = 'notices.tell'")
    assert [as_json(row["payload"])["event"] for row in rows] == ["certificates.disclosed"]
    assert given.id in {each.id for each in await desk.disclosures.list_given(desk.hall.me, before=None, limit=5)}


async def test_the_list_goes_on_before_an_item(desk: Desk) -> None:
    made = [(await desk.agree("name")).id for _ in range(3)]
    first = await desk.disclosures.list_given(desk.hall.me, before=None, limit=2)
    rest = await desk.disclosures.list_given(desk.hall.me, before=first[-1].id, limit=2)
    assert [each.id for each in [*first, *rest]] == made[::-1]


async def test_consents_are_part_of_what_is_stored_about_a_person_and_go_with_them(desk: Desk) -> None:
    await desk.agree("name")
    data = WalletData(
        records=desk.hall.records, kinds=desk.hall.kinds, verifiers=desk.hall.verifiers, vault=desk.hall.ground.vault
    )
    sections = {section.name: section for section in await data.export(desk.hall.me.citizen_id)}
    assert [row["fields"] for row in sections["disclosures"].rows] == [["name"]]
    erased = await transaction(lambda: data.erase(desk.hall.me.citizen_id, desk.hall.ground.clock.now()))
    assert erased.erased["certificate_disclosure"] == 1
    assert await desk.standing() == []
