"""The words of the ledger: whatever code a line has for its purpose, the resident reads words of their language."""

import re
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from api.citizen.ledger import _PURPOSES, LedgerLineOut, _actor, purpose_words
from api.citizen.wallet.ledger_terms import _OUTCOMES, LedgerTerms
from auth.registers.purposes import terms_of
from auth.types import ReadPurpose, Term
from auth.ways.types import Purpose as WayPurpose
from certificates.copies.types import CopyOutcome
from certificates.living.asking import Outcome as Asked
from certificates.types import Outcome, ReportState, State
from certificates.wording import OUTCOMES
from core.audit.ledger import LedgerLine
from face.platform.types import Reason as PlatformReason
from face.types import Purpose as FacePurpose
from face.types import Reason as FaceReason
from face.types import Unjudged
from tests.fakes.certificates import FakeVerifiers
from tests.fakes.shipped import shipped_kinds

ME = UUID(int=1)
QUERIED = LedgerLine(
    id=UUID(int=3),
    at=datetime(2026, 3, 10, tzinfo=UTC),
    actor_kind="verifier",
    actor_id="",
    action="certificates.queried",
    purpose="check-in",
    object_kind="driving-licence",
    object_id="",
    field_names=("name", "age>=18"),
    outcome="not-agreed",
)
CHINESE = re.compile(r"[\u4e00-\u9fff]")


def test_every_purpose_of_ours_has_words_in_both_languages() -> None:
    codes = {purpose.value for kind in (ReadPurpose, WayPurpose, FacePurpose) for purpose in kind}
    assert {"delegation", "step-up", "elder-session", "login"} <= codes
    assert codes - {str(purpose) for purpose in _PURPOSES} == set()
    for chinese, english in _PURPOSES.values():
        assert CHINESE.search(chinese)
        assert not re.search("[A-Za-z]", chinese)
        assert not CHINESE.search(english)


def test_every_end_of_a_face_check_has_words() -> None:
    ends = {reason.value for kind in (FaceReason, PlatformReason, Unjudged) for reason in kind}
    # A replay has an action of its own, and with it stands `refused`.
    assert ends - {Unjudged.REPLAYED.value} - set(_OUTCOMES) == set()


def test_family_that_reads_along_is_a_relative_and_not_an_agent() -> None:
    me, family = UUID(int=1), UUID(int=2)
    line = LedgerLine(
        id=UUID(int=3),
        at=datetime(2026, 3, 10, tzinfo=UTC),
        actor_kind="citizen",
        actor_id=str(family),
        action="notices.copy-accepted",
        purpose="",
        object_kind="notice-copy",
        object_id="",
        field_names=(),
        outcome="ok",
    )
    assert _actor(line, me, {str(family): "宛**"}) == ("亲友（宛**）", "A relative (宛**)")
    assert _actor(line, family, {}) == ("您本人", "Yourself")


async def test_codes_of_verifiers_claims_and_outcomes_are_read_as_words() -> None:
    verifiers = FakeVerifiers()
    other = verifiers.register("check-in", "name", titles={"check-in": Term("住店", "Staying")})
    shop = verifiers.register("check-in", "name", "age>=18", titles={"check-in": Term("办理入住", "Checking in")})
    late = verifiers.register("x-1", "name", titles=terms_of({"purposes": {"x-1": []}}))
    kinds = shipped_kinds()
    words = LedgerTerms(kinds=kinds, verifiers=verifiers, purposes=purpose_words())

    async def said(**changes: Any) -> list[tuple[str, list[str], str]]:
        line = replace(QUERIED, **{"actor_id": str(shop.id), **changes})
        terms = await words.terms_of([line])
        told = [LedgerLineOut.of(line, me=ME, terms=terms, names={}, english=english) for english in (False, True)]
        return [(each.purpose, each.field_titles, each.outcome_title) for each in told]

    assert await said() == [
        ("办理入住", ["姓名", "年满18周岁"], "您没有授权，未提供"),
        ("Checking in", ["Name", "Aged 18 or over"], "You had not agreed: nothing was told"),
    ]
    assert (await said(actor_id=str(other.id)))[0][0] == "住店"
    assert (await said(actor_id=str(late.id), purpose="x-1"))[0][0] == "已登记的用途（x-1）"
    assert (await said(actor_kind="nobody", purpose="hello"))[1][0] == "hello"


def test_every_outcome_of_certificates_has_words() -> None:
    codes = {each.value for kind in (Outcome, Asked, CopyOutcome, State, ReportState) for each in kind}
    assert codes - {*OUTCOMES, "waiting", "sent"} == set()
    for term in OUTCOMES.values():
        assert CHINESE.search(term.zh)
        assert not CHINESE.search(term.en)
