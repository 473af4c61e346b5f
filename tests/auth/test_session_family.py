"""The family of a session, played at random: opened, renewed, stolen, lost, logged out, run out.

What is expected is worked out here from the words of `security.md` 4.6, not from the code.
"""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    Bundle,
    RuleBasedStateMachine,
    consumes,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from auth.errors import RefreshInvalid, RefreshReused, TokenExpired, TokenInvalid
from auth.types import Grant
from core.db import fetch
from tests.auth.stage import Stage, stage

PHONE, TABLET = "a-phone-0123456789", "a-tablet-0123456789"
GRACE, IDLE, ABSOLUTE, ACCESS = timedelta(seconds=10), timedelta(days=30), timedelta(days=90), timedelta(minutes=10)
# Steps within the grace, past it, past an access token, past an idle session.
PAUSES = [timedelta(seconds=3), timedelta(seconds=10), timedelta(minutes=10), timedelta(days=13), timedelta(days=31)]


@dataclass(eq=False)
class Family:
    """What should be true of one session."""

    session_id: UUID
    device: str
    expires: datetime
    ended: str = ""
    tokens: list["Token"] = field(default_factory=list)

    @property
    def newest(self) -> "Token":
        return self.tokens[-1]


@dataclass(eq=False)
class Token:
    """A refresh token of a family, and the access token that came with it."""

    family: Family
    generation: int
    text: str
    access: str
    expires: datetime
    access_expires: datetime
    used: datetime | None = None


class SessionFamily(RuleBasedStateMachine):
    """Plays a resident, a thief and a bad network."""

    on: Stage
    examples = 0

    tokens = Bundle("tokens")

    def __init__(self) -> None:
        super().__init__()
        type(self).examples += 1
        self.openid = f"openid-{self.examples}"
        self.citizen: UUID | None = None
        self.families: list[Family] = []

    @property
    def now(self) -> datetime:
        return self.on.auth.ground.clock.now()

    def _came(self, family: Family, grant: Grant, generation: int) -> Token:
        token = Token(
            family, generation, grant.refresh_token, grant.access_token,
            min(self.now + IDLE, family.expires), self.now + ACCESS,
        )  # fmt: skip
        family.tokens.append(token)
        return token

    @rule(target=tokens, device=st.sampled_from([PHONE, TABLET, ""]))
    def log_in(self, device: str) -> Token:
        grant = self.on.do(self.on.auth.log_in(self.openid, device=device))
        self.citizen = grant.citizen.id
        family = Family(grant.session_id, device, self.now + ABSOLUTE)
        self.families.append(family)
        return self._came(family, grant, 0)

    @rule(target=tokens, token=tokens, device=st.sampled_from([PHONE, TABLET, "", None]))
    def renew(self, token: Token, device: str | None) -> Token:
        """Use any token that ever was, the newest or one that is used; `None` is the device it came to."""
        family = token.family
        used_by = family.device if device is None else device
        came = self.on.tried(self.on.auth.sessions.renew(token.text, used_by))
        if family.ended:
            assert isinstance(came, RefreshReused if family.ended == "reused" else RefreshInvalid), came
        elif family.expires <= self.now or (token.used is None and token.expires <= self.now):
            # A used one is known again as long as its session lives, however old it is.
            assert isinstance(came, RefreshInvalid), came
        elif token.used is None:
            assert isinstance(came, Grant), came
            assert (came.session_id, token) == (family.session_id, family.newest)
            token.used = self.now
            return self._came(family, came, token.generation + 1)
        elif self._answer_may_be_lost(token, used_by):
            assert isinstance(came, Grant), came
            assert came.refresh_token == family.newest.text
            family.newest.access, family.newest.access_expires = came.access_token, self.now + ACCESS
        else:
            assert isinstance(came, RefreshReused), came
            family.ended = "reused"
        return token

    def _answer_may_be_lost(self, token: Token, device: str) -> bool:
        assert token.used is not None
        is_before_last = token.generation == token.family.newest.generation - 1
        same = bool(device) and device == token.family.device
        return is_before_last and same and self.now - token.used < GRACE

    @rule(token=tokens, lately=st.booleans())
    def enter(self, token: Token, lately: bool) -> None:
        came = self.on.tried(self.on.auth.sessions.caller_of(token.access, lately=lately))
        if token.access_expires <= self.now:
            assert isinstance(came, TokenExpired), came
        elif token.family.ended or token.family.expires <= self.now:
            assert isinstance(came, TokenInvalid), came
        else:
            assert not isinstance(came, Exception), came
            assert (came.session_id, came.citizen_id) == (token.family.session_id, self.citizen)

    @rule(token=consumes(tokens), elsewhere=tokens)
    def log_out(self, token: Token, elsewhere: Token) -> None:
        caller = self.on.tried(self.on.auth.sessions.caller_of(elsewhere.access))
        if isinstance(caller, Exception):
            return
        ended = self.on.do(self.on.auth.logout.of(caller, token.family.session_id))
        assert ended is (not token.family.ended and token.family.expires > self.now)
        if ended:
            token.family.ended = "logout"

    @rule(token=tokens)
    def log_out_everywhere(self, token: Token) -> None:
        caller = self.on.tried(self.on.auth.sessions.caller_of(token.access))
        if isinstance(caller, Exception):
            return
        open_ones = [one for one in self.families if not one.ended and one.expires > self.now]
        assert self.on.do(self.on.auth.logout.everywhere(caller)) == len(open_ones)
        for family in open_ones:
            family.ended = "logout"

    @precondition(lambda self: self.families)
    @rule(pause=st.sampled_from(PAUSES))
    def wait(self, pause: timedelta) -> None:
        self.on.auth.ground.clock.move(pause)

    @invariant()
    def no_family_forks_and_an_ended_one_stays_so(self) -> None:
        if self.citizen is None:
            return
        rows = self.on.do(fetch(_FAMILIES, self.citizen))
        kept: dict[UUID, list[dict[str, Any]]] = {}
        for row in rows:
            kept.setdefault(UUID(str(row["session_id"])), []).append(row)
        assert len(kept) == len(self.families)
        for family in self.families:
            lines = kept[family.session_id]
            # One token for each generation, all but the last used, the last the session's newest.
            assert [line["generation"] for line in lines] == list(range(len(family.tokens)))
            assert lines[0]["newest"] == len(lines) - 1
            used = [line["used_at"] is not None for line in lines]
            assert all(used[:-1])
            assert not used[-1] or family.ended or family.expires <= self.now
            assert (lines[0]["ended_at"] is not None) is bool(family.ended)
            assert lines[0]["end_reason"] == {"": "", "reused": "refresh-reused", "logout": "logout"}[family.ended]
            # A successor lies there for the last use alone.
            assert not any(line["successor_sealed"] for line in lines[:-2])


_FAMILIES = """
SELECT s.id AS session_id, s.generation AS newest, s.ended_at, s.end_reason, t.generation, t.used_at, t.successor_sealed
FROM citizen_session s JOIN refresh_token t ON t.session_id = s.id WHERE s.citizen_id = $1 ORDER BY s.id, t.generation
"""


def test_a_family_of_sessions_never_forks_whatever_happens_to_it(database_url: str, tmp_path: Path) -> None:
    with stage(database_url, tmp_path) as on:
        machine = type("Played", (SessionFamily,), {"on": on})
        run_state_machine_as_test(machine, settings=settings(max_examples=200, stateful_step_count=50, deadline=None))
        assert machine.examples >= 200  # type: ignore[attr-defined]
