"""Tokens of certificates that are held: what is in them, and how soon a change shows."""

import asyncio
import json
import time
from contextvars import Context
from dataclasses import replace
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest

from auth.types import Caller, Level
from certificates.errors import ClaimUnknown, FieldUnknown, StateForbids
from certificates.offline.checking import check
from certificates.offline.jws import decode
from certificates.offline.parts import LONGEST_SHOWN
from certificates.offline.types import Contents, OfflineToken
from certificates.types import Colour, Outcome, State
from core.cache import TooManyRequests
from core.db import execute, fetch, transaction
from tests.certificates.conftest import LICENCE_KIND, PUBLIC_URL, Hall
from tests.fakes.certificates import LICENCE, PERMIT, issued


async def made(hall: Hall, certificate_id: Any = None, **chosen: Any) -> OfflineToken:
    view_id = certificate_id or (await hall.held()).id
    token = await hall.tokens.issue(hall.me, view_id, **chosen)
    assert token is not None
    return token


def contents(hall: Hall, token: OfflineToken) -> Contents:
    found = check(token.token, None, keys=hall.keys.accepted(), now=hall.ground.clock.now())
    assert found.contents is not None
    return found.contents


async def offline(hall: Hall, token: OfflineToken) -> Outcome:
    """What a verifier learns who fetches the list now and then goes where there is no connection."""
    number = int(contents(hall, token).status_uri.rpartition("/")[2])
    listed = await hall.lists.publish(number)
    return check(token.token, listed, keys=hall.keys.accepted(), now=hall.ground.clock.now()).outcome


async def online(hall: Hall, token: OfflineToken) -> Outcome:
    return (await hall.verification.verify(token.token)).outcome


async def both(hall: Hall, token: OfflineToken) -> tuple[Outcome, Outcome]:
    return await offline(hall, token), await online(hall, token)


async def test_a_token_of_a_certificate_that_was_replaced_is_good_for_nothing(hall: Hall) -> None:
    token = await made(hall)
    view = await hall.held(issued(serial="DL0000000999", version=1))
    hall.ground.clock.move(timedelta(seconds=60))
    assert await both(hall, token) == (Outcome.REVOKED, Outcome.REVOKED)
    assert await both(hall, await made(hall, view.id)) == (Outcome.OK, Outcome.OK)


async def test_a_token_is_good_with_and_without_a_connection(hall: Hall) -> None:
    token = await made(hall)
    assert await both(hall, token) == (Outcome.OK, Outcome.OK)
    told = contents(hall, token)
    assert (told.issuer, told.kind, told.colour.value) == (PUBLIC_URL, LICENCE_KIND, "black")
    assert told.expires_at == token.expires_at == hall.ground.clock.now() + timedelta(hours=24)
    assert token.token not in repr(token)


@pytest.mark.parametrize(
    ("chosen", "told"),
    [
        ({"fields": ["vehicle_class"]}, {"vehicle_class": "C1"}),
        ({"claims": ["age>=18"]}, {"age>=18": True}),
        ({"claims": ["age>=65", "licence-covers=C2"]}, {"age>=65": False, "licence-covers=C2": True}),
        ({"fields": ["name"], "claims": ["age>=18"]}, {"name": "霍明哲", "age>=18": True}),
    ],
)
async def test_a_token_holds_what_was_chosen_and_no_other_value(
    hall: Hall, chosen: dict[str, list[str]], told: dict[str, object]
) -> None:
    token = await made(hall, **chosen)
    assert dict(contents(hall, token).values) == told
    first, *disclosures = token.token.removesuffix("~").split("~")
    clear = [decode(part).decode() for part in [*first.split(".")[:2], *disclosures]]
    others = {str(value) for name, value in LICENCE.items() if name not in told and len(str(value)) > 3}
    assert others
    assert not [value for value in others if value in "".join(clear)]
    assert len(json.loads(clear[1])["fields"]["_sd"]) == len(told)


async def test_a_token_that_can_be_scanned_has_its_picture(hall: Hall) -> None:
    view = await hall.held()
    small = await made(hall, view.id, claims=["age>=18", "licence-covers=C1"])
    assert len(small.qr_svgs) == 1
    six = await made(hall, view.id, fields=["number", "name", "sex", "vehicle_class", "valid_until", "status"])
    assert len(six.qr_svgs) == 1
    assert len((await made(hall, view.id, fields=list(LICENCE))).qr_svgs) == 3


async def test_more_than_pictures_hold_is_refused_with_what_does_fit(hall: Hall) -> None:
    long = {"address": "长" * 200, "nationality": "久" * 60, "issuer": "远" * 120}
    view = await hall.held(issued({**LICENCE, **long}))
    assert len((await made(hall, view.id, fields=list(LICENCE))).qr_svgs) <= 9
    fields = dict.fromkeys(LICENCE, "y" * 480)
    contents = Contents(
        issuer=PUBLIC_URL, kind="x", colour=Colour.BLACK, issued_at=hall.ground.clock.now(),
        expires_at=hall.ground.clock.now(), status_uri="u", status_index=1, values={**fields, "points": 1},
    )  # fmt: skip
    assert len(hall.tokens._compose(contents)) > LONGEST_SHOWN
    fitting = hall.tokens._fitting(contents)
    assert "points" in fitting
    assert 3 < len(fitting) < len(LICENCE)
    assert (
        len(hall.tokens._compose(replace(contents, values={name: contents.values[name] for name in fitting})))
        <= LONGEST_SHOWN
    )


async def test_what_the_kind_does_not_have_is_refused(hall: Hall) -> None:
    view = await hall.held()
    with pytest.raises(FieldUnknown):
        await made(hall, view.id, fields=["salary"])
    with pytest.raises(ClaimUnknown):
        await made(hall, view.id, claims=["height>=180"])


@pytest.mark.parametrize("state", [state for state in State if state not in {State.ACTIVE, State.EXPIRING}])
async def test_only_what_is_in_force_becomes_a_token(hall: Hall, state: State) -> None:
    view = await hall.held(issued(state=state))
    with pytest.raises(StateForbids):
        await made(hall, view.id)


async def test_a_token_ends_with_the_last_day_of_its_certificate(hall: Hall) -> None:
    today = hall.ground.clock.now().date()
    view = await hall.held(issued({**PERMIT, "endorsed_until": today.isoformat()}, serial="RP1"), "residence-permit")
    token = await made(hall, view.id)
    assert token.expires_at.isoformat() == f"{today + timedelta(days=1)}T00:00:00+08:00"
    hall.ground.clock.set(token.expires_at)
    assert await both(hall, token) == (Outcome.EXPIRED, Outcome.EXPIRED)


@pytest.mark.parametrize(
    ("state", "outcome"),
    [(State.REVOKED, Outcome.REVOKED), (State.CANCELLED, Outcome.REVOKED), (State.FROZEN, Outcome.FROZEN)],
)
async def test_a_change_is_seen_at_once_online_and_in_the_next_list(hall: Hall, state: State, outcome: Outcome) -> None:
    token = await made(hall)
    await hall.held(issued(state=state, version=2))
    assert await both(hall, token) == (outcome, outcome)


async def test_a_new_version_ends_the_tokens_of_the_one_before(hall: Hall) -> None:
    token = await made(hall)
    view = await hall.held(issued({**LICENCE, "points": 12}, version=2))
    assert await both(hall, token) == (Outcome.REVOKED, Outcome.REVOKED)
    red = await made(hall, view.id)
    assert await both(hall, red) == (Outcome.OK, Outcome.OK)
    assert contents(hall, red).colour.value == "red"


async def test_a_certificate_that_is_given_back_ends_its_tokens(hall: Hall) -> None:
    token = await made(hall)

    async def remove() -> None:
        await execute("DELETE FROM certificate")

    await transaction(remove)
    assert await both(hall, token) == (Outcome.REVOKED, Outcome.REVOKED)


async def test_a_holder_ends_tokens_without_touching_the_certificate(hall: Hall) -> None:
    token = await made(hall)
    [view] = await hall.wallet.list_held(hall.me, after=None, limit=1)
    assert await hall.tokens.revoke(hall.me, view.id)
    assert await both(hall, token) == (Outcome.REVOKED, Outcome.REVOKED)
    assert await both(hall, await made(hall, view.id)) == (Outcome.OK, Outcome.OK)


async def test_what_was_frozen_may_thaw_and_what_was_revoked_may_not(hall: Hall) -> None:
    token = await made(hall)

    async def become(state: str) -> None:
        await transaction(lambda: execute("UPDATE certificate SET state = $1", state))

    told = []
    for state in ("frozen", "active", "revoked", "active"):
        await become(state)
        told.append(await offline(hall, token))
    assert told == [Outcome.FROZEN, Outcome.OK, Outcome.REVOKED, Outcome.REVOKED]


@pytest.mark.parametrize("change", ["UPDATE certificate_status SET mark = 0", "DELETE FROM certificate_status"])
async def test_the_database_itself_keeps_what_became_of_a_token(hall: Hall, change: str) -> None:
    await made(hall)
    [view] = await hall.wallet.list_held(hall.me, after=None, limit=1)
    await hall.tokens.revoke(hall.me, view.id)
    with pytest.raises(Exception, match=r"for good|given once"):
        await transaction(lambda: execute(change))


async def test_a_list_is_some_seconds_old_at_the_most(hall: Hall) -> None:
    hall.lists._settings = hall.settings.model_copy(update={"status_list_seconds": 20})
    token = await made(hall)
    assert await offline(hall, token) is Outcome.OK
    await hall.held(issued(state=State.REVOKED, version=2))
    assert await offline(hall, token) is Outcome.OK
    hall.ground.clock.move(timedelta(seconds=20))
    assert await offline(hall, token) is Outcome.REVOKED


async def test_places_are_given_once_and_shared_by_tokens_of_one_version(hall: Hall) -> None:
    view = await hall.held()
    one, two = await made(hall, view.id), await made(hall, view.id)
    assert contents(hall, one).status_index == contents(hall, two).status_index
    permit = await hall.held(issued(PERMIT, serial="RP1"), "residence-permit")
    assert contents(hall, await made(hall, permit.id)).status_index != contents(hall, one).status_index
    assert len(await fetch("SELECT place FROM certificate_status")) == 2
    assert await hall.lists.publish(1) is None


async def test_when_a_list_is_full_the_next_one_begins(hall: Hall) -> None:
    class OnePlace:
        def token(self, size: int) -> str:
            return "AAAB"

    hall.lists._ids = OnePlace()  # type: ignore[assignment]
    given = [await transaction(lambda: hall.lists.give_place(uuid4(), 1)) for _ in range(3)]
    assert given == [(hall.lists.uri(number), 1) for number in range(3)]
    assert await hall.lists.publish(2) is not None


async def test_the_holder_reads_of_every_token_and_every_look_at_it(hall: Hall) -> None:
    token = await made(hall, claims=["age>=18"])
    shop = hall.verifiers.register("租车", "age>=18")
    verified = await hall.verification.verify(token.token, verifier=shop.id, purpose="租车")
    assert verified.fields["age>=18"] is True
    assert verified.fields["name"] == "霍**"
    stranger = await hall.verification.verify(token.token)
    assert set(stranger.fields) == {"name", "state", "valid_until", "colour"}
    lines = [(line.action, line.outcome, line.actor_kind) for line in await hall.ledger()]
    assert lines[:3] == [
        ("certificates.verified", "ok", "nobody"),
        ("certificates.verified", "ok", "verifier"),
        ("certificates.token-made", "ok", "citizen"),
    ]
    assert len(await fetch("SELECT id FROM job WHERE name = 'notices.tell'")) == 2


async def test_a_verifier_reads_of_a_token_what_the_register_lets_it(hall: Hall) -> None:
    token = await made(hall, fields=["name", "number"])
    shop = hall.verifiers.register("租车", "name", "vehicle_class")
    verified = await hall.verification.verify(token.token, verifier=shop.id, purpose="租车")
    assert set(verified.fields) == {"name", "state", "valid_until", "colour"}
    assert verified.fields["name"] == "霍明哲"


async def test_a_forged_token_is_told_apart_and_nobody_is_told(hall: Hall) -> None:
    token = (await made(hall)).token
    head, *rest = token.split("~")
    forged = "~".join([head[:-4] + ("AAAA" if head[-4:] != "AAAA" else "BAAA"), *rest])
    verified = await hall.verification.verify(forged)
    assert (verified.outcome, verified.holder_notified, dict(verified.fields)) == (Outcome.BAD_SIGNATURE, False, {})
    assert (await hall.verification.verify("x.y~")).outcome is Outcome.UNREADABLE


async def test_somebody_elses_certificate_becomes_no_token(hall: Hall) -> None:
    view = await hall.held()
    other = Caller(uuid4(), uuid4(), Level.PRESENT, elder=False, actor_id=uuid4())
    assert await hall.tokens.issue(other, view.id) is None
    assert not await hall.tokens.revoke(other, view.id)
    assert await fetch("SELECT place FROM certificate_status") == []


async def test_tokens_are_not_made_without_end(hall: Hall) -> None:
    view = await hall.held()
    hall.tokens._settings = hall.settings.model_copy(update={"show_limit": "2/hour"})
    for _ in range(2):
        await made(hall, view.id)
    with pytest.raises(TooManyRequests):
        await made(hall, view.id)


async def test_a_revocation_beside_the_making_of_a_token_marks_it(hall: Hall, monkeypatch: pytest.MonkeyPatch) -> None:
    """While a token is signed the certificate is taken away: either there is no token, or its place says so."""
    view_id = (await hall.held()).id
    compose = hall.tokens._compose
    revoking: list[asyncio.Task[None]] = []

    def slow(inside: Contents) -> str:
        # In a context of its own: it is another request, and not inside this one's transaction.
        loop.call_soon_threadsafe(lambda: revoking.append(asyncio.create_task(_revoke())), context=Context())
        time.sleep(0.2)
        return compose(inside)

    loop = asyncio.get_running_loop()
    monkeypatch.setattr(hall.tokens, "_compose", slow)
    token = await hall.tokens.issue(hall.me, view_id)
    await asyncio.gather(*revoking)
    assert token is not None
    assert await offline(hall, token) is Outcome.REVOKED


async def _revoke() -> None:
    await transaction(lambda: execute("UPDATE certificate SET state = 'revoked', revision = revision + 1"))
