"""Residents who go on whatever breaks: they repeat what was not answered, and write down what was."""

import asyncio
import json
import os
import uuid
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp

from tests.journeys.resident import Reply, Resident
from tests.journeys.town import Town

PENSION = "pension-eligibility"
ENDORSEMENT = "residence-permit-endorsement"
SETTLEMENT = "graduate-settlement"
RENEWALS = "/v1/citizen/sessions/renewals"
ENDED = frozenset({"approved", "rejected", "not_accepted", "delivered", "closed"})


@dataclass
class Neighbours:
    """Lets residents in, once for a file."""

    session: aiohttp.ClientSession
    town: Town
    pockets: dict[str, tuple[str, str, str]]

    def stranger(self, slug: str) -> Resident:
        """Return somebody whose phone holds no token."""
        return Resident(self.session, self.town.portal, self.town.sandbox, slug)

    async def elder(self, slug: str = "pangxiuying") -> Resident:
        """Return somebody who came in by name, number and face."""
        return self._known(slug) or self._keep(await self._come(slug, elder=True))

    async def named(self, slug: str) -> Resident:
        """Return somebody under their real name."""
        return self._known(slug) or self._keep(await self._come(slug, elder=False))

    async def present(self, slug: str) -> Resident:
        """Return somebody under their real name who has shown their face."""
        who = await self.named(slug)
        await _until_seen(who.show_face, 200)
        return who

    async def _come(self, slug: str, *, elder: bool) -> Resident:
        who = self.stranger(slug)
        if elder:
            await _until_seen(who.come_as_elder, 201)
            return who
        assert (await who.log_in()).status == 201
        identified = await who.identify()
        assert identified.status == 200, identified.text
        return who

    def _known(self, slug: str) -> Resident | None:
        if slug not in self.pockets:
            return None
        who = self.stranger(slug)
        who.device, who.access_token, who.refresh_token = self.pockets[slug]
        return who

    def _keep(self, who: Resident) -> Resident:
        self.pockets[who.slug] = (who.device, who.access_token, who.refresh_token)
        return who


async def _until_seen(show_face: Callable[[], Awaitable[Reply]], wanted: int) -> Reply:
    """Show a face; the first one starts the engine, and now and then a pose is not made out: then show it again."""
    for _ in range(5):
        reply = await show_face()
        if reply.status == wanted and reply.body.get("outcome") != "failed":
            return reply
    raise AssertionError(reply.text)


class Acknowledged:
    """What the product has promised, written outside it and on the disk before anything else happens."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def note(self, **facts: str) -> None:
        """Write one promise down."""
        with self._path.open("a", encoding="utf-8") as file:
            file.write(json.dumps(facts) + "\n")
            file.flush()
            os.fsync(file.fileno())

    def all(self) -> list[dict[str, str]]:
        """Return every promise."""
        if not self._path.exists():
            return []
        return [json.loads(line) for line in self._path.read_text(encoding="utf-8").splitlines()]

    def submitted(self) -> dict[str, str]:
        """Return the number that each submitted application was promised, by its id."""
        return {promise["id"]: promise["number"] for promise in self.all() if promise["kind"] == "submitted"}


async def definite(who: Resident, path: str, body: object | None = None, *, key: str, seconds: float = 120) -> Reply:
    """Repeat a POST under its key until the answer says what came of it; a token that has run out is renewed."""
    async with asyncio.timeout(seconds):
        while True:
            token = who.access_token
            try:
                reply = await who.ask("POST", path, body, key=key)
                if reply.status == 401 and reply.body["code"] == "auth.token-expired":
                    await renewed(who, token)
                    continue
            except (aiohttp.ClientError, TimeoutError, OSError):
                await asyncio.sleep(0.05)
                continue
            in_progress = reply.status == 409 and reply.body["code"] == "request.idempotency-in-progress"
            if reply.status != 503 and not in_progress:
                return reply
            assert "Retry-After" in reply.headers, reply.text
            await asyncio.sleep(0.1)


async def renewed(who: Resident, old: str) -> None:
    """Exchange a token that has run out, once, whoever of several tasks of a person comes first.

    An answer that is lost in a kill is asked for again with the same token, as a phone would.
    """
    async with who.renewing:
        while who.access_token == old:
            reply = await who.ask("POST", RENEWALS, {"refresh_token": who.refresh_token}, token="")
            if reply.status != 503:
                assert reply.status == 201, reply.text
                who.keep(reply)
                return
            await asyncio.sleep(0.1)


async def ask_for(
    who: Resident,
    matter: str,
    acknowledged: Acknowledged,
    *,
    key: str | None = None,
    form: dict[str, Any] | None = None,
) -> str:
    """Start and submit one application through whatever happens, noting both promises; return its id."""
    key = key or uuid.uuid4().hex
    started = await definite(
        who, "/v1/citizen/applications", {"matter": matter, **({"form": form} if form else {})}, key=f"{key}-start"
    )
    assert started.status == 201, started.text
    application_id = str(started.body["id"])
    acknowledged.note(kind="started", key=key, id=application_id, who=who.slug, matter=matter)
    submitted = await definite(who, f"/v1/citizen/applications/{application_id}/submissions", key=f"{key}-submit")
    assert submitted.status == 202, submitted.text
    acknowledged.note(kind="submitted", key=key, id=application_id, number=submitted.body["number"], matter=matter)
    return application_id


async def keep_asking(
    who: Resident,
    matter: str,
    acknowledged: Acknowledged,
    stop: asyncio.Event,
    *,
    pause: float,
    turns: asyncio.Semaphore | None = None,
    **options: Any,
) -> int:
    """Ask for the same matter again and again, with `turns` only as often as there are some; return how often."""
    count = 0
    while not stop.is_set():
        if turns is not None:
            await turns.acquire()
        await ask_for(who, matter, acknowledged, **options)
        count += 1
        await asyncio.sleep(pause)
    return count


async def reached(who: Resident, application_id: str, *, seconds: float = 30) -> dict[str, Any]:
    """Wait until an application has come to its end, and return it."""
    async with asyncio.timeout(seconds):
        while True:
            shown = await who.ask("GET", f"/v1/citizen/applications/{application_id}")
            if shown.status == 200 and shown.body["state"] in ENDED:
                body: dict[str, Any] = shown.body
                return body
            await asyncio.sleep(0.1)


async def received(who: Resident, department: str) -> list[dict[str, Any]]:
    """Return what a department says it has received."""
    items: list[dict[str, Any]] = (await who.tell_sandbox("GET", f"/sandbox/{department}/received"))["items"]
    return items
