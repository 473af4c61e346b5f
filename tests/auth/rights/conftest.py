"""A person with something in every domain, and the rights over it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest

from api.citizen.ledger import purpose_words
from api.citizen.wallet.ledger_terms import LedgerTerms
from auth.delegation.records import Rows
from auth.delegation.trail import Trail
from auth.delegation.types import Named
from auth.ports import PersonalData
from auth.registers.verifiers import RegisteredVerifiers
from auth.rights.account_data import AccountData
from auth.rights.closures import Closures
from auth.rights.corrections import Corrections
from auth.rights.delegation_data import DelegationData
from auth.rights.exports import Exports
from auth.rights.keeping import Keeping
from auth.rights.own_data import AuthData, LedgerData
from auth.rights.types import About
from auth.rights.ways_data import WaysData
from auth.settings import RightsSettings
from auth.types import Caller, Level, Role, RoleGrant, StaffCaller
from auth.ways.types import Method
from certificates.personal_data import WalletData
from certificates.records import Content
from certificates.records import Records as WalletRecords
from certificates.types import State
from core.db import fetch, transaction
from core.pii import IdNumber, PersonName
from face.personal_data import FaceData
from face.records import Records as FaceRecords
from face.types import Purpose
from matters.personal_data import MatterData
from notices.rights.personal_data import NoticeData
from notices.types import Topic
from tests.auth.ways.people import CARD
from tests.conftest import Ground
from tests.fakes.auth import Auth
from tests.fakes.delegation import Household, make_household
from tests.fakes.face import Face, frames_of, make_face, picture_of
from tests.fakes.notices import House, make_house
from tests.fakes.shipped import shipped_kinds
from tests.fakes.ways import OFFICER, Ways, make_ways
from tests.matters.conftest import ENDORSEMENT, Desk, desk

__all__ = ["desk"]  # A fixture of this folder too.

NAME, NUMBER, MOBILE, OPENID = "霍明哲", "999999198503122179", "19900000001", "openid-of-huomingzhe"
LICENCE_NUMBER = "DL-1985-0312-2179"
OPERATOR = StaffCaller(UUID(int=7), UUID(int=8), "an.operator", (RoleGrant(Role.OPERATOR),))


async def no_pdf(content: str) -> bytes:
    """Lay nothing out: the real one takes seconds and has its own tests."""
    return b"%PDF " + content.encode()


@dataclass
class Rights:
    """The rights, and all of a person's affairs."""

    ground: Ground
    auth: Auth
    face: Face
    desk: Desk
    household: Household
    ways: Ways
    house: House
    wallet: WalletRecords
    sources: Sequence[PersonalData]
    exports: Exports
    corrections: Corrections
    closures: Closures
    matter_data: MatterData

    async def resident(self, openid: str = OPENID, name: str = NAME, number: str = NUMBER) -> Caller:
        """Log somebody in under their real name."""
        caller = await self.auth.caller_named(openid, name, number)
        self.desk.people.add(caller.citizen_id, name=name, number=number, mobile=None)
        self.desk.holdings.give(caller.citizen_id)
        return caller

    async def settled(self) -> Caller:
        """Return a person with rows in every table that can hold something of them."""
        caller = await self.resident()
        await self.auth.citizens.set_mobile(caller, self.auth.mini_program.mobile_code_for(MOBILE))
        self.auth.registry.portraits[NUMBER] = picture_of("me")
        check = await self.face.checks.start(caller, Purpose.STEP_UP, "face@1")
        await self.face.checks.submit_evidence(caller, check.id, frames_of("me", check.actions))
        await transaction(lambda: self.hold(caller))
        await self.desk.submitted(caller)
        await self.desk.drafts.start(caller, ENDORSEMENT, {})
        await self.corrections.ask(caller, About.MOBILE, None, "我的手机号不对")
        await self.related(caller)
        return caller

    async def related(self, caller: Caller) -> Caller:
        """Tie a person to everybody around them: family, officers, other ways, notices. Return the family."""
        caller = replace(caller, level=Level.PRESENT)
        family, _ = await self.household.somebody("宛秋实")
        await self.household.given(caller, family)
        await self.household.given(family, caller)
        asked, _ = await self.household.somebody("贾梓涵")
        await self.household.ask(asked, Named(PersonName(NAME), IdNumber(NUMBER)))
        self.ways.know(NAME, NUMBER, MOBILE)
        passed = await self.ways.step_up(caller, Method.NETWORK_ID)
        self.ways.network.opened_by[str(passed.prompt.ticket)] = (NAME, NUMBER)
        await self.ways.step_ups.submit_evidence(caller, passed.id, None)
        await self.ways.step_up(caller, Method.BANK_CARD, mobile=MOBILE, card_number=CARD)
        await self.ways.step_up(caller, Method.COUNTER)
        await self.ways.assistances.request(OFFICER, name=NAME, id_number=NUMBER, purpose=f"替{NAME}办事")
        await self.house.choices.choose(caller, {Topic.PROGRESS: False})
        await self.house.consent(caller, "progress")
        await self.house.copies.accept(family, (await self.house.copies.offer(caller)).code)
        await self.house.copies.accept(caller, (await self.house.copies.offer(family)).code)
        for told in (caller, family):
            change = await self.house.telling.tell("auth.taken-over", str(told.citizen_id))
            assert change is not None
            await transaction(change)
        claimant = await self.auth.caller("openid-of-a-claimant")
        await transaction(lambda: self.auth.takeovers.ask(claimant, IdNumber(NUMBER)))
        await transaction(lambda: self.auth.groups.grant(caller.citizen_id, "disabled", source="a-card", until=None))
        return family

    async def hold(self, caller: Caller) -> UUID | None:
        """Put a licence into the caller's wallet."""
        content = Content(
            State.ACTIVE, 1, None, "示例市公安局", LICENCE_NUMBER, "1.2.156", {"name": NAME, "number": NUMBER}
        )
        return await self.wallet.add(caller.citizen_id, "driving-licence", content)

    async def close(self, caller: Caller) -> None:
        """Ask for the closing, let the week pass, and run the job."""
        view = await self.closures.request(caller)
        self.ground.clock.move(timedelta(days=7, seconds=1))
        await self.run_close(view.id)

    async def run_close(self, closure_id: UUID) -> None:
        """Run the job as the runner does."""
        await transaction(await self.closures.close(str(closure_id)))

    async def exported(self, caller: Caller) -> UUID:
        """Ask for an export and run its job."""
        view = await self.exports.request(caller)
        change = await self.exports.build(str(view.id))
        if change is not None:
            await transaction(change)
        return view.id


@pytest.fixture
def rights(ground: Ground, auth: Auth, desk: Desk) -> Rights:
    return make_rights(ground, auth, desk)


def make_rights(ground: Ground, auth: Auth, all_of_matters: Desk, settings: RightsSettings | None = None) -> Rights:
    """Put the rights together over all domains."""
    settings = settings or RightsSettings()
    keeping, vault, audit, jobs = Keeping(settings), ground.vault, ground.audit, ground.jobs
    clock, ids = ground.clock, ground.ids
    wallet = WalletRecords(vault=vault, clock=clock, ids=ids)
    matter_data = MatterData(
        catalogue=all_of_matters.catalogue,
        history=all_of_matters.history,
        files=all_of_matters.files,
        vault=vault,
        jobs=jobs,
        keeping=keeping,
    )
    kinds = shipped_kinds()
    verifiers = RegisteredVerifiers(clock=clock, ids=ids)
    wallet_data = WalletData(records=wallet, kinds=kinds, verifiers=verifiers, vault=ground.vault)
    ledger_terms = LedgerTerms(kinds=kinds, verifiers=verifiers, purposes=purpose_words())
    household = make_household(auth)
    sources: list[PersonalData] = [
        matter_data,
        wallet_data,
        FaceData(records=FaceRecords(vault=vault, clock=clock), realname=auth.realname, keeping=keeping),
        NoticeData(contacts=auth.contacts),
        DelegationData(
            rows=Rows(vault=vault),
            trail=Trail(audit=audit, realname=auth.realname),
            ending=household.ending,
            records=auth.records,
        ),
        WaysData(records=auth.records, vault=vault),
        AccountData(),
        AuthData(recent=auth.recent, records=auth.records, vault=vault, keeping=keeping),
        LedgerData(keeping=keeping, words={"auth.identity-bound": "绑定实名信息"}, terms=ledger_terms.terms_of),
    ]
    return Rights(
        ground=ground,
        auth=auth,
        face=make_face(ground, auth=auth),
        desk=all_of_matters,
        household=household,
        ways=make_ways(ground, auth=auth),
        house=make_house(ground, auth),
        wallet=wallet,
        sources=sources,
        exports=Exports(
            sources=sources,
            vault=vault,
            audit=audit,
            jobs=jobs,
            clock=clock,
            ids=ids,
            settings=settings,
            lay_out=no_pdf,
        ),
        corrections=Corrections(
            realname=auth.realname,
            records=auth.records,
            owns={About.CERTIFICATE: wallet_data.owns, About.APPLICATION: matter_data.owns},
            vault=vault,
            audit=audit,
            jobs=jobs,
            clock=clock,
            ids=ids,
            settings=settings,
        ),
        closures=Closures(
            recent=auth.recent,
            sources=sources,
            vault=vault,
            audit=audit,
            jobs=jobs,
            clock=clock,
            ids=ids,
            settings=settings,
        ),
        matter_data=matter_data,
    )


async def actions_of(citizen_id: UUID) -> list[str]:
    """Return what the ledger tells of a person, the oldest first."""
    rows = await fetch("SELECT action FROM audit_line WHERE subject_id = $1 ORDER BY at, id", citizen_id)
    return [str(row["action"]) for row in rows]


async def count(table: str, **where: Any) -> int:
    """Return how many rows a table has under a condition."""
    condition = " AND ".join(f"{name} = ${place}" for place, name in enumerate(where, 1)) or "1 = 1"
    rows = await fetch(f"SELECT count(*) AS n FROM {table} WHERE {condition}", *where.values())  # noqa: S608 — ours
    return int(rows[0]["n"])


def section(document: Mapping[str, Any], name: str) -> list[dict[str, Any]]:
    """Return the rows of one section of an export."""
    [found] = [each for each in document["sections"] if each["name"] == name]
    rows: list[dict[str, Any]] = found["rows"]
    return rows
