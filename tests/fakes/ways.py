"""Fakes of the ports of the ways, and the ways put together over auth with them."""

from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from auth.staff.grants import replace_grants
from auth.types import Caller, Role, RoleGrant, StaffCaller
from auth.ways.assistances import Assistances
from auth.ways.attempts import Attempts
from auth.ways.counter import Counter
from auth.ways.desk import Desk
from auth.ways.logins import LoginChecks
from auth.ways.menu import Faces, Menu, Numbers
from auth.ways.ports import Way
from auth.ways.records import Records
from auth.ways.settings import WaySettings
from auth.ways.sms import SmsCodes
from auth.ways.stepups import StepUps
from auth.ways.texting import Texting
from auth.ways.tidying import Tidying
from auth.ways.types import Begun, Claim, Finding, Method, Outcome, Prompt, Proof, Reason, StartedCheck
from core.db import fetch, forbid_inside_transaction, transaction
from core.errors import Problem
from core.pii import IdNumber, Mobile, PersonName, Secret
from tests.conftest import Ground
from tests.fakes.auth import Auth, make_auth

_FACE = Faces(Numbers(5, 60, 21_600), Numbers(8, 120, 21_600))


def usual_menu(settings: WaySettings | None = None, *, faces: Faces | None = _FACE) -> Menu:
    """What an embedded installation tells of its ways."""
    return Menu(settings or WaySettings(), faces=faces)


@dataclass
class FakeSmsSender:
    """Keeps what it was given, newest last. `trouble` is what every call fails with while it is set."""

    sent: dict[str, list[str]] = field(default_factory=dict)
    trouble: Problem | None = None
    _references: set[str] = field(default_factory=set)

    async def send_code(self, mobile: Mobile, code: str, *, minutes: int, reference: str) -> None:
        forbid_inside_transaction()
        assert minutes > 0
        if self.trouble is not None:
            raise self.trouble
        if reference not in self._references:
            self._references.add(reference)
            self.sent.setdefault(mobile.reveal(), []).append(code)

    def last_to(self, mobile: str) -> str:
        """The code that a mobile got last."""
        return self.sent[mobile][-1]


@dataclass
class FakeMobileRegister:
    """Knows who holds which mobile: mobile → (name, number)."""

    holders: dict[str, tuple[str, str]] = field(default_factory=dict)
    trouble: Problem | None = None
    questions: int = 0

    async def agrees(self, name: PersonName, id_number: IdNumber, mobile: Mobile) -> bool:
        forbid_inside_transaction()
        self.questions += 1
        if self.trouble is not None:
            raise self.trouble
        return self.holders.get(mobile.reveal()) == (name.reveal(), id_number.reveal())


@dataclass
class FakeWay:
    """A way whose provider knows some people (number → name); with `takes_code` it takes the code of the check."""

    people: dict[str, str] = field(default_factory=dict)
    takes_code: bool = False
    trouble: Problem | None = None
    # Who has done on their side what there is to do, by the ticket that they were shown.
    opened_by: dict[str, tuple[str, str]] = field(default_factory=dict)
    begun: list[Claim] = field(default_factory=list)
    finished: int = 0

    def code_of(self, check_id: UUID) -> str:
        """The code that somebody gets for a check."""
        return str(check_id.int)[-6:]

    async def begin(self, claim: Claim, *, check_id: UUID, until: datetime) -> Begun:
        forbid_inside_transaction()
        if self.trouble is not None:
            raise self.trouble
        self.begun.append(claim)
        if self.takes_code:
            assert claim.mobile is not None
            return Begun(Secret(check_id.hex), Prompt("code", sent_to=claim.mobile.masked()))
        return Begun(Secret(check_id.hex), Prompt("open", ticket=check_id.hex))

    async def finish(self, proof: Proof, code: str | None) -> Finding:
        forbid_inside_transaction()
        self.finished += 1
        if self.trouble is not None:
            raise self.trouble
        who = (proof.claim.name.reveal(), proof.claim.id_number.reveal())
        is_known = self.people.get(who[1]) == who[0]
        if self.takes_code:
            right = is_known and code == self.code_of(proof.check_id)
            return Finding(Outcome.PASSED) if right else Finding(Outcome.FAILED, Reason.CODE_WRONG)
        opened_by = self.opened_by.get(proof.reference.reveal())
        if opened_by is None:
            return Finding(Outcome.PENDING)
        passed = is_known and opened_by == who
        return Finding(Outcome.PASSED) if passed else Finding(Outcome.FAILED, Reason.NOT_PASSED)


OFFICER = StaffCaller(UUID(int=0xA11CE), UUID(int=0x5E55), "an.officer", (RoleGrant(Role.OPERATOR),))
_EMPLOY = """
INSERT INTO operator_account (id, username, state, password_hash, otp_step, networks, attempts, lock_count, created_at)
VALUES ($1, $2, 'active', '', 0, $3, 0, 0, $4) ON CONFLICT (id) DO NOTHING RETURNING id
"""


async def employ(ground: Ground, officer: StaffCaller = OFFICER) -> StaffCaller:
    """Let an officer be one of the staff, with the roles that they hold."""

    async def work() -> None:
        if await fetch(_EMPLOY, officer.operator_id, officer.username, [], ground.clock.now()):
            await replace_grants(officer.operator_id, officer.grants, ids=ground.ids)

    await transaction(work)
    return officer


@dataclass
class Ways:
    """The rooms of the ways, with fakes outside."""

    ground: Ground
    auth: Auth
    settings: WaySettings
    menu: Menu
    sender: FakeSmsSender
    register: FakeMobileRegister
    card: FakeWay
    payment: FakeWay
    network: FakeWay
    attempts: Attempts
    step_ups: StepUps
    login_checks: LoginChecks
    counter: Counter
    assistances: Assistances
    tidying: Tidying

    def know(self, name: str, id_number: str, mobile: str) -> None:
        """Let everybody outside know a person."""
        self.auth.registry.people[id_number] = name
        self.register.holders[mobile] = (name, id_number)
        for way in (self.card, self.payment, self.network):
            way.people[id_number] = name

    async def step_up(
        self,
        caller: Caller,
        method: Method = Method.PAYMENT_PASSWORD,
        *,
        mobile: str | None = None,
        card_number: str | None = None,
    ) -> StartedCheck:
        """Start a step-up."""
        return await self.step_ups.start(
            caller,
            method,
            consent=None,
            mobile=mobile,
            card_number=card_number,
            address=self.auth.address,
        )


def make_ways(ground: Ground, *, auth: Auth | None = None, settings: WaySettings | None = None) -> Ways:
    """Put the ways together over the ground."""
    auth, settings = auth or make_auth(ground), settings or WaySettings()
    clock, ids, vault, audit = ground.clock, ground.ids, ground.vault, ground.audit
    menu, records, attempts = usual_menu(settings), Records(vault=vault, clock=clock), Attempts(clock=clock, ids=ids)
    sender, register = FakeSmsSender(), FakeMobileRegister()
    card, payment, network = FakeWay(takes_code=True), FakeWay(), FakeWay()
    texting = Texting(sender=sender, attempts=attempts, vault=vault, ids=ids, settings=settings)
    counter = Counter(
        realname=auth.realname, attempts=attempts, audit=audit, vault=vault, clock=clock, ids=ids, settings=settings
    )
    ways: dict[Method, Way] = {
        Method.SMS: SmsCodes(texting=texting, register=register, clock=clock),
        Method.BANK_CARD: card,
        Method.PAYMENT_PASSWORD: payment,
        Method.NETWORK_ID: network,
        Method.COUNTER: counter,
    }
    desk = Desk(
        ways=ways,
        records=records,
        attempts=attempts,
        menu=menu,
        audit=audit,
        clock=clock,
        ids=ids,
        settings=settings,
    )
    assistances = Assistances(
        residents=auth.records,
        realname=auth.realname,
        sessions=auth.sessions,
        texting=texting,
        attempts=attempts,
        jobs=ground.jobs,
        audit=audit,
        vault=vault,
        clock=clock,
        ids=ids,
        settings=settings,
    )
    return Ways(
        ground=ground,
        auth=auth,
        settings=settings,
        menu=menu,
        sender=sender,
        register=register,
        card=card,
        payment=payment,
        network=network,
        attempts=attempts,
        step_ups=StepUps(
            desk=desk,
            records=records,
            realname=auth.realname,
            sessions=auth.sessions,
            consents=auth.consents,
            audit=audit,
            limits=ground.limits,
            settings=settings,
        ),
        login_checks=LoginChecks(
            desk=desk,
            records=records,
            realname=auth.realname,
            sessions=auth.sessions,
            consents=auth.consents,
            limits=ground.limits,
            clock=clock,
            settings=settings,
            fresh_for=auth.settings.levels.fresh_for(),
        ),
        counter=counter,
        assistances=assistances,
        tidying=Tidying(
            records=records,
            attempts=attempts,
            counter=counter,
            assistances=assistances,
            clock=clock,
            settings=settings,
        ),
    )
