"""The sandbox's own addresses under `/sandbox`: codes, the cast, the camera, the fault switches, what was received."""

import asyncio
import base64
import json
import secrets
import sqlite3
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Protocol

from aiohttp import web

from sandbox.ground.answers import Json, NotUnderstood, answer, read_object, text, whole_number
from sandbox.ground.faults import DEPARTMENTS, SYSTEMS, Faults, Mode
from sandbox.ground.store import Store
from sandbox.ground.submissions import received
from sandbox.people import People, Person
from sandbox.wechat import WeChat

ACTIONS = ("turn_one_side", "turn_other_side", "tilt", "come_closer", "open_mouth")
STYLES = ("genuine", "still", "other_person", "replayed", "swapped", "reordered", "rotated_photo", "screen")
_MOST_ACTIONS = 6
_LEAST_FRAMES, _MOST_FRAMES, _USUAL_FRAMES = 6, 24, 12
_STRANGER = "stranger"


class Camera(Protocol):
    """What takes the pictures: the module `sandbox.faces`, or a fake."""

    def make_frames(self, person: str, actions: list[str], as_: str, count: int, /) -> list[bytes]:
        """Make JPEG frames of somebody who does these actions, or who cheats in this style.

        Raises:
            ValueError: it cannot pose like that.
        """
        ...


class _Refused(Exception):
    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status


class Admin:
    """What tests, the demo and the clients ask of the sandbox itself. Bad input is answered with a sentence."""

    def __init__(self, *, people: People, wechat: WeChat, faults: Faults, store: Store, camera: Camera) -> None:
        self._people = people
        self._wechat = wechat
        self._faults = faults
        self._store = store
        self._camera = camera
        # Apart from the loop's own threads: pictures are slow, and nothing else may wait for them.
        self._studio = ThreadPoolExecutor(max_workers=2, thread_name_prefix="sandbox-camera")

    def routes(self) -> list[web.RouteDef]:
        """List the addresses under `/sandbox`."""
        return [
            web.post("/sandbox/wechat/codes", _answered(self._login_code)),
            web.post("/sandbox/wechat/phone-codes", _answered(self._phone_code)),
            web.post("/sandbox/wechat/sealed-phones", _answered(self._sealed_phone)),
            web.get("/sandbox/people", _answered(self._cast)),
            web.post("/sandbox/faces/{person}/frames", _answered(self._frames)),
            web.get("/sandbox/faults", _answered(self._list_faults)),
            web.put("/sandbox/faults/{system}", _answered(self._set_fault)),
            web.get("/sandbox/{department}/received", _answered(self._received)),
        ]

    def close(self) -> None:
        """Let the camera finish; nobody waits for it."""
        self._studio.shutdown(wait=False, cancel_futures=True)

    async def _login_code(self, request: web.Request) -> web.Response:
        return await self._code(request, self._wechat.issue_login_code)

    async def _phone_code(self, request: web.Request) -> web.Response:
        return await self._code(request, self._wechat.issue_phone_code)

    async def _sealed_phone(self, request: web.Request) -> web.Response:
        told = await _read(request)
        person = self._person(text(told, "person"))
        if not person.has_wechat:
            raise _Refused(409, f"{person.slug} has no WeChat account.")
        app_id = text(told, "app_id") if told.get("app_id") is not None else ""
        return answer(await self._wechat.seal_phone(person.slug, app_id=app_id), status=201)

    async def _code(self, request: web.Request, issue: Callable[[str], Awaitable[str]]) -> web.Response:
        told = await _read(request)
        slug = text(told, "person")
        if slug == _STRANGER:
            account = text(told, "account") if told.get("account") is not None else secrets.token_hex(8)
            code = await issue(f"{_STRANGER}:{account}")
            return answer({"code": code, "account": account}, status=201)
        person = self._person(slug)
        if not person.has_wechat:
            raise _Refused(409, f"{slug} has no WeChat account: use an elder session, or another of the cast.")
        return answer({"code": await issue(slug)}, status=201)

    async def _cast(self, _request: web.Request) -> web.Response:
        return answer({"items": [_shown(person) for person in self._people]})

    async def _frames(self, request: web.Request) -> web.Response:
        person = self._person(request.match_info["person"])
        told = await _read(request)
        style, actions = told.get("as", "genuine"), told.get("actions")
        count = whole_number(told, "count", least=_LEAST_FRAMES, most=_MOST_FRAMES) or _USUAL_FRAMES
        if style not in STYLES:
            raise _Refused(422, f"as must be one of {', '.join(STYLES)}.")
        if (
            not isinstance(actions, list)
            or not 1 <= len(actions) <= _MOST_ACTIONS
            or not all(action in ACTIONS for action in actions)
        ):
            raise _Refused(422, f"actions must list 1 to {_MOST_ACTIONS} of {', '.join(ACTIONS)}.")
        if style == "replayed":
            pictures = await self._store.run(partial(_last_pictures, person=person.slug))
            if pictures is None:
                raise _Refused(409, f"No genuine frames of {person.slug} were made yet: there is nothing to replay.")
            return answer({"frames": pictures})
        try:
            frames = await asyncio.get_running_loop().run_in_executor(
                self._studio, self._camera.make_frames, person.slug, actions, style, count
            )
        except ValueError as cannot:
            raise _Refused(422, f"The camera cannot do that: {cannot}") from None
        pictures = [base64.b64encode(frame).decode() for frame in frames]
        if style == "genuine":
            await self._store.run(partial(_keep_pictures, person=person.slug, pictures=pictures))
        return answer({"frames": pictures})

    async def _list_faults(self, _request: web.Request) -> web.Response:
        return answer({"items": [self._faults.shown(system) for system in SYSTEMS]})

    async def _set_fault(self, request: web.Request) -> web.Response:
        system = request.match_info["system"]
        if system not in SYSTEMS:
            raise _Refused(404, f"There is no system {system!r}; there are {', '.join(SYSTEMS)}.")
        told = await _read(request)
        if told.get("mode") not in list(Mode):
            raise _Refused(422, f"mode must be one of {', '.join(Mode)}.")
        await self._faults.set(
            system,
            Mode(told["mode"]),
            delay_ms=whole_number(told, "delay_ms", least=0, most=600_000),
            count=whole_number(told, "count", least=1, most=1_000_000),
        )
        return answer(self._faults.shown(system))

    async def _received(self, request: web.Request) -> web.Response:
        department = request.match_info["department"]
        if department not in DEPARTMENTS:
            raise _Refused(404, f"There is no department {department!r}; there are {', '.join(DEPARTMENTS)}.")
        return answer({"items": await self._store.run(partial(received, department=department))})

    def _person(self, slug: str) -> Person:
        person = self._people.find(slug)
        if person is None:
            raise _Refused(404, f"There is nobody called {slug!r} in the cast: see GET /sandbox/people.")
        return person


def _shown(person: Person) -> dict[str, str]:
    shown = {name: getattr(person, name) for name in ("slug", "name", "id_number", "mobile", "bank_card")}
    return {**shown, "story": person.story["zh"], "story_en": person.story["en"]}


async def _read(request: web.Request) -> Json:
    try:
        return read_object(await request.read())
    except NotUnderstood as refusal:
        raise _Refused(400, str(refusal)) from None


def _answered(
    work: Callable[[web.Request], Awaitable[web.Response]],
) -> Callable[[web.Request], Awaitable[web.Response]]:
    async def handle(request: web.Request) -> web.Response:
        try:
            return await work(request)
        except _Refused as refusal:
            return answer({"error": str(refusal)}, status=refusal.status)
        except NotUnderstood as refusal:
            return answer({"error": str(refusal)}, status=422)

    return handle


def _last_pictures(db: sqlite3.Connection, *, person: str) -> list[str] | None:
    row = db.execute("SELECT pictures FROM frames WHERE person = ?", (person,)).fetchone()
    if row is None:
        return None
    pictures: list[str] = json.loads(row["pictures"])
    return pictures


def _keep_pictures(db: sqlite3.Connection, *, person: str, pictures: list[str]) -> None:
    row = (person, json.dumps(pictures))
    db.execute("INSERT OR REPLACE INTO frames (person, pictures) VALUES (?, ?)", row)
