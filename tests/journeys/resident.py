"""A resident with a phone: what the mini program would send, step by step."""

import asyncio
import base64
import json
import uuid
from dataclasses import dataclass, field
from io import BytesIO
from typing import Any

import aiohttp


@dataclass
class Reply:
    """One answer of the product."""

    status: int
    body: Any
    headers: dict[str, str]
    text: str


@dataclass
class Resident:
    """One of the cast, or a stranger, with the tokens their phone holds."""

    session: aiohttp.ClientSession
    portal: str
    sandbox: str
    slug: str
    device: str = ""
    access_token: str = ""
    refresh_token: str = ""
    problems: list[str] = field(default_factory=list)
    renewing: asyncio.Lock = field(default_factory=asyncio.Lock)

    def __post_init__(self) -> None:
        """Give somebody the same phone in every journey: nobody is told of a device that is new to one journey only."""
        self.device = self.device or uuid.uuid5(uuid.NAMESPACE_OID, self.slug).hex

    async def ask(
        self,
        method: str,
        path: str,
        body: object | None = None,
        *,
        key: str | None = None,
        headers: dict[str, str] | None = None,
        files: list[bytes] | None = None,
        field_name: str = "frames",
        token: str | None = None,
    ) -> Reply:
        """Send one request to the portal."""
        sent = {"X-Device-Id": self.device, **(headers or {})}
        bearer = self.access_token if token is None else token
        if bearer:
            sent["Authorization"] = f"Bearer {bearer}"
        if key is not None:
            sent["Idempotency-Key"] = key
        form = None
        if files is not None:
            form = aiohttp.FormData()
            for number, content in enumerate(files):
                form.add_field(field_name, BytesIO(content), filename=f"{number}.jpg", content_type="image/jpeg")
        async with self.session.request(
            method, self.portal + path, json=body if files is None else None, data=form, headers=sent
        ) as response:
            # A file is no text, and nobody asks what stands in it.
            text = await response.text(errors="replace")
            if response.status >= 400:
                self.problems.append(text)
            is_json = "json" in response.headers.get("Content-Type", "")
            return Reply(response.status, json.loads(text) if is_json and text else None, dict(response.headers), text)

    async def tell_sandbox(self, method: str, path: str, body: object | None = None) -> Any:
        """Ask or set something at the sandbox."""
        async with self.session.request(method, self.sandbox + path, json=body) as response:
            response.raise_for_status()
            return await response.json()

    async def person(self) -> dict[str, str]:
        """Return this person's entry in the cast."""
        people = await self.tell_sandbox("GET", "/sandbox/people")
        return next(person for person in people["items"] if person["slug"] == self.slug)

    async def log_in(self) -> Reply:
        """Tap once."""
        code = (await self.tell_sandbox("POST", "/sandbox/wechat/codes", {"person": self.slug}))["code"]
        reply = await self.ask("POST", "/v1/citizen/sessions", {"code": code}, token="")
        self.keep(reply)
        return reply

    def keep(self, reply: Reply) -> None:
        """Keep the tokens of a session."""
        if reply.status == 201:
            self.access_token, self.refresh_token = reply.body["access_token"], reply.body["refresh_token"]

    async def identify(self) -> Reply:
        """Give name and number."""
        person = await self.person()
        return await self.ask(
            "PUT",
            "/v1/citizen/me/identity",
            {"name": person["name"], "id_number": person["id_number"], "consent": "real-name@1"},
        )

    async def frames(self, actions: list[str], style: str = "genuine", count: int = 12) -> list[bytes]:
        """Stand before the sandbox's camera."""
        made = await self.tell_sandbox(
            "POST", f"/sandbox/faces/{self.slug}/frames", {"actions": actions, "as": style, "count": count}
        )
        return [base64.b64decode(frame) for frame in made["frames"]]

    async def show_face(self, style: str = "genuine", purpose: str = "step-up") -> Reply:
        """Start a face check, do what it asks, and send the evidence."""
        check = await self.ask("POST", "/v1/citizen/face-checks", {"purpose": purpose, "consent": "face@1"})
        if check.status != 201:
            return check
        frames = await self.frames(check.body["actions"], style)
        return await self.ask("POST", f"/v1/citizen/face-checks/{check.body['id']}/evidence", files=frames)

    async def come_as_elder(self, style: str = "genuine") -> Reply:
        """Come in by name, number and face alone, and keep the session if one is given."""
        person = await self.person()
        asked = {"name": person["name"], "id_number": person["id_number"], "consent": "face@1"}
        check = await self.ask("POST", "/v1/citizen/elder-sessions", asked, token="")
        if check.status != 201:
            return check
        frames = await self.frames(check.body["actions"], style)
        reply = await self.ask(
            "POST", f"/v1/citizen/elder-sessions/{check.body['id']}/evidence", files=frames, token=""
        )
        self.keep(reply)
        return reply

    async def come_in(self) -> None:
        """Log in, give name and number, and show the face."""
        assert (await self.log_in()).status == 201
        identified = await self.identify()
        assert identified.status == 200, identified.text
        await self.pass_face()

    async def pass_face(self) -> Reply:
        """Show the face until it passes; like anybody, once more where the first time did not do."""
        # Some two of a thousand genuine recordings are refused (benchmarks and face tests measure it, journeys do not).
        shown = await self.show_face()
        if shown.body["outcome"] == "failed":
            shown = await self.show_face()
        assert shown.body["outcome"] == "passed", shown.text
        return shown

    async def apply(self, matter: str, form: dict[str, Any] | None = None) -> Reply:
        """Start and submit an application; return the submission's answer."""
        started = await self.ask(
            "POST",
            "/v1/citizen/applications",
            {"matter": matter, **({"form": form} if form else {})},
            key=uuid.uuid4().hex,
        )
        if started.status != 201:
            return started
        reply = await self.ask(
            "POST", f"/v1/citizen/applications/{started.body['id']}/submissions", key=uuid.uuid4().hex
        )
        if reply.status == 202:
            reply.body["application_id"] = started.body["id"]
        return reply
