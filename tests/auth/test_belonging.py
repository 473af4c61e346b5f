"""Accounts and persons, played at random: bound, bound again, removed, logged in by face. One person, one row."""

from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test

from auth.errors import AlreadyBound, IdentityFixed, IdentityMismatch, LastWayIn, TokenInvalid
from auth.types import Caller, Grant, Level
from core.db import as_uuid, fetch
from core.pii import IdNumber, PersonName
from tests.auth.stage import Stage, stage

ACCOUNTS = ("left", "middle", "right")
PEOPLE = ("first", "second")
_ACCOUNTS = "SELECT openid_hash, citizen_id FROM wechat_account WHERE openid_hash IN ($1, $2, $3)"
_WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)


def number_of(example: int, index: int) -> str:
    """Return a well-formed number that no other example has (GB 11643: check digit by ISO 7064 MOD 11-2)."""
    born = date(1950, 1, 1) + timedelta(days=example)
    body = f"999999{born:%Y%m%d}{index:03d}"
    total = sum(int(digit) * weight for digit, weight in zip(body, _WEIGHTS, strict=True))
    return body + "10X98765432"[total % 11]


@dataclass(eq=False)
class Place:
    """A session, whose it should be, by which account, and whether it should still be open."""

    grant: Grant
    owner: UUID
    account: str | None
    is_open: bool = True


class Belonging(RuleBasedStateMachine):
    """Plays people with phones, some of them not their own."""

    on: Stage
    examples = 0

    @initialize()
    def begin(self) -> None:
        type(self).examples += 1
        self.numbers = {who: number_of(self.examples, index) for index, who in enumerate(PEOPLE)}
        for who in PEOPLE:
            self.on.auth.registry.people[self.numbers[who]] = self.name(who)
        self.owner: dict[str, UUID] = {}
        self.person_of: dict[UUID, str] = {}
        self.places: list[Place] = []

    def name(self, who: str) -> str:
        return {"first": "霍明哲", "second": "厉云齐"}[who]

    def openid(self, account: str) -> str:
        return f"openid-{self.examples}-{account}"

    def citizen_of(self, who: str) -> UUID | None:
        return next((citizen for citizen, person in self.person_of.items() if person == who), None)

    def caller(self, place: Place) -> Caller:
        token = self.on.auth.tokens.issue(place.owner, place.grant.session_id)
        return self.on.do(self.on.auth.sessions.caller_of(token, lately=True))

    @rule(account=st.sampled_from(ACCOUNTS))
    def log_in(self, account: str) -> None:
        grant = self.on.do(self.on.auth.log_in(self.openid(account)))
        assert self.owner.setdefault(account, grant.citizen.id) == grant.citizen.id
        named = grant.citizen.id in self.person_of
        assert grant.citizen.level is (Level.REAL_NAME if named else Level.LINKED)
        self.places.append(Place(grant, grant.citizen.id, account))

    @rule(which=st.integers(0, 99), who=st.sampled_from(PEOPLE), rightly=st.booleans())
    def bind(self, which: int, who: str, rightly: bool) -> None:
        place = self._open(which)
        if place is None:
            return
        name = self.name(who) if rightly else "宛秋实"
        caller = self.caller(place)
        came = self.on.tried(
            self.on.auth.realname.bind(caller, name=name, id_number=self.numbers[who], consent="real-name@1")
        )
        mine, holder = self.person_of.get(place.owner), self.citizen_of(who)
        if mine is not None and mine != who:
            assert isinstance(came, IdentityFixed), came
        elif not rightly:
            assert isinstance(came, IdentityMismatch), came
        elif holder is not None and holder != place.owner:
            assert isinstance(came, AlreadyBound), came
        else:
            assert came is None
            self.person_of[place.owner] = who

    @rule(who=st.sampled_from(PEOPLE), rightly=st.booleans())
    def come_by_face(self, who: str, rightly: bool) -> None:
        name = PersonName(self.name(who) if rightly else "宛秋实")
        came = self.on.tried(self.on.auth.citizens.ensure_by_number(name, IdNumber.parse(self.numbers[who])))
        if not rightly:
            assert isinstance(came, IdentityMismatch), came
            return
        assert isinstance(came, UUID), came
        assert self.citizen_of(who) in {None, came}
        self.person_of[came] = who
        grant = self.on.do(self.on.auth.sessions.open(came, level=Level.PRESENT, device=""))
        self.places.append(Place(grant, came, None))

    @rule(which=st.integers(0, 99), account=st.sampled_from(ACCOUNTS))
    def remove(self, which: int, account: str) -> None:
        place = self._open(which)
        if place is None or account not in self.owner:
            return
        row = self._row(account)
        came = self.on.tried(self.on.auth.accounts.remove(self.caller(place), as_uuid(row["id"])))
        if self.owner[account] != place.owner:
            assert came is False, came
        elif place.account == account and list(self.owner.values()).count(place.owner) == 1:
            assert isinstance(came, LastWayIn), came
        else:
            assert came is True, came
            for other in self.places:
                if other.account == account and other.owner == place.owner:
                    other.is_open = False
            self.owner[account] = as_uuid(self._row(account)["citizen_id"])
            assert self.owner[account] not in self.person_of

    @rule(which=st.integers(0, 99))
    def log_out(self, which: int) -> None:
        place = self._open(which)
        if place is not None:
            assert self.on.do(self.on.auth.logout.of(self.caller(place), place.grant.session_id))
            place.is_open = False

    @invariant()
    def a_person_has_one_row_and_an_account_one_person(self) -> None:
        if not self.places:
            return
        vault = self.on.auth.ground.vault
        hashes = {who: vault.index("citizen.id_number", self.numbers[who]) for who in PEOPLE}
        rows = self.on.do(
            fetch("SELECT id, id_number_hash FROM citizen WHERE id_number_hash IN ($1, $2)", *hashes.values())
        )
        expected = {hashes[who]: citizen for citizen, who in self.person_of.items()}
        assert len(rows) == len(expected)
        assert {row["id_number_hash"]: as_uuid(row["id"]) for row in rows} == expected
        openids = {account: vault.index("wechat_account.openid", self.openid(account)) for account in ACCOUNTS}
        rows = self.on.do(fetch(_ACCOUNTS, *openids.values()))
        owners = {openids[account]: owner for account, owner in self.owner.items()}
        assert len(rows) == len(owners)
        assert {row["openid_hash"]: as_uuid(row["citizen_id"]) for row in rows} == owners

    @invariant()
    def a_session_is_as_open_and_as_high_as_its_resident_is_known(self) -> None:
        for place in self.places[-2:]:
            token = self.on.auth.tokens.issue(place.owner, place.grant.session_id)
            for lately in (True, False):
                came = self.on.tried(self.on.auth.sessions.caller_of(token, lately=lately))
                if not place.is_open:
                    assert isinstance(came, TokenInvalid), came
                    continue
                assert isinstance(came, Caller), came
                known = place.owner in self.person_of
                by_face = Level.PRESENT if place.account is None else Level.REAL_NAME
                assert came.level is (by_face if known else Level.LINKED)

    def _row(self, account: str) -> dict[str, Any]:
        openid_hash = self.on.auth.ground.vault.index("wechat_account.openid", self.openid(account))
        [row] = self.on.do(fetch("SELECT id, citizen_id FROM wechat_account WHERE openid_hash = $1", openid_hash))
        return row

    def _open(self, which: int) -> Place | None:
        places = [place for place in self.places if place.is_open]
        return places[which % len(places)] if places else None


def test_a_person_has_one_account_whatever_is_bound_and_removed(database_url: str, tmp_path: Path) -> None:
    with stage(database_url, tmp_path) as on:
        machine = type("Played", (Belonging,), {"on": on})
        run_state_machine_as_test(machine, settings=settings(max_examples=200, stateful_step_count=50, deadline=None))
        assert machine.examples >= 200  # type: ignore[attr-defined]
