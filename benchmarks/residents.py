"""The people of the measurement, made through the public API: real names, certificates in the wallet, drafts."""

import asyncio
import base64
import secrets
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Final, TypeVar
from uuid import UUID

import aiohttp

from benchmarks.front import ACCOUNT, NAME
from benchmarks.machine import CannotMeasure
from core.pii import id_check_digit

T = TypeVar("T")

GRADUATE: Final = "chenxinran"
SETTLEMENT: Final = "graduate-settlement"
ENDORSEMENT: Final = "residence-permit-endorsement"
# Whose certificates the pretended residents get copies of.
_HOLDERS: Final = {
    "huomingzhe": ("driving-licence", "social-security-card"),
    "qumanlin": ("residence-permit",),
}
# Of the cast, whom the registry does not know.
_UNKNOWN: Final = "hefangzhou"
_AT_ONCE: Final = 16


@dataclass(frozen=True, slots=True)
class Resident:
    """Somebody logged in."""

    account: str
    token: str

    @property
    def headers(self) -> dict[str, str]:
        """What every request of theirs carries."""
        return {"Authorization": f"Bearer {self.token}"}


def pretended_number(index: int) -> str:
    """Return an ID number of an area that was never assigned; the cast's are others."""
    first = f"9999991980{1 + index // 28_000 % 12:02d}{1 + index // 1000 % 28:02d}{index % 1000:03d}"
    return first + id_check_digit(first)


class Town:
    """The portal and the sandbox as callers see them."""

    def __init__(self, *, portal: str, sandbox: str) -> None:
        self._portal = portal
        self._sandbox = sandbox
        self._session: aiohttp.ClientSession | None = None

    async def open(self) -> None:
        """Open the connections."""
        self._session = aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=30))

    async def close(self) -> None:
        """Close them."""
        if self._session is not None:
            await self._session.close()

    async def somebody_of_the_cast(self, slug: str) -> Resident:
        """Log somebody of the sandbox's cast in under their real name."""
        code = (await self._ask("POST", f"{self._sandbox}/sandbox/wechat/codes", {"person": slug}))["code"]
        resident = await self._log_in(slug, code)
        people = (await self._ask("GET", f"{self._sandbox}/sandbox/people"))["items"]
        person = next(one for one in people if one["slug"] == slug)
        await self._bind(resident, person["name"], person["id_number"])
        return resident

    async def nobody_yet(self, account: str) -> Resident:
        """Log a new account in whose person is not known."""
        return await self._log_in(account, ACCOUNT + account)

    async def known_numbers(self) -> list[str]:
        """Return the numbers of the cast that the population registry knows; some are residents here by now."""
        people = (await self._ask("GET", f"{self._sandbox}/sandbox/people"))["items"]
        return [one["id_number"] for one in people if one["slug"] != _UNKNOWN]

    async def certificates_to_copy(self) -> tuple[str, ...]:
        """Fetch the certificates of which the pretended residents will hold copies; return their kinds."""
        for slug, kinds in _HOLDERS.items():
            holder = await self.somebody_of_the_cast(slug)
            for kind in kinds:
                await self._fetch(holder, kind)
        return tuple(kind for kinds in _HOLDERS.values() for kind in kinds)

    async def pretended(self, count: int, kinds: Sequence[str]) -> list[Resident]:
        """Make residents with real names and these certificates."""

        async def one(index: int) -> Resident:
            account = f"{index:05d}"
            resident = await self._log_in(account, ACCOUNT + account)
            await self._bind(resident, NAME, pretended_number(index))
            for kind in kinds:
                await self._fetch(resident, kind)
            return resident

        return await _several(one, range(count))

    async def once_more(self, residents: Sequence[Resident]) -> list[Resident]:
        """Log pretended residents in anew: a token lives ten minutes, and filling a table may take longer."""
        return await _several(lambda index: self.nobody_yet(residents[index].account), range(len(residents)))

    async def licences(self, residents: Sequence[Resident]) -> list[tuple[Resident, UUID, UUID]]:
        """Return each with their id and the driving licence they hold."""

        async def one(index: int) -> tuple[Resident, UUID, UUID]:
            resident = residents[index]
            me = await self._ask("GET", f"{self._portal}/v1/citizen/me", headers=resident.headers)
            held = await self._ask("GET", f"{self._portal}/v1/citizen/certificates", headers=resident.headers)
            licence = next(each["id"] for each in held["items"] if each["kind"] == "driving-licence")
            return resident, UUID(me["id"]), UUID(licence)

        return await _several(one, range(len(residents)))

    async def drafts(
        self,
        residents: Sequence[Resident],
        count: int,
        *,
        matter: str = ENDORSEMENT,
        form: Mapping[str, Any] = MappingProxyType({}),
    ) -> list[tuple[Resident, UUID]]:
        """Make drafts that can be submitted as they are, one resident after the other."""

        async def one(index: int) -> tuple[Resident, UUID]:
            resident = residents[index % len(residents)]
            body = {"matter": matter, "form": dict(form)}
            headers = {**resident.headers, "Idempotency-Key": secrets.token_hex(16)}
            told = await self._ask("POST", f"{self._portal}/v1/citizen/applications", body, headers)
            return resident, UUID(told["id"])

        return await _several(one, range(count))

    async def submitted(self, residents: Sequence[Resident]) -> list[tuple[Resident, UUID]]:
        """Have each resident submit an application; return whose and which."""
        drafts = await self.drafts(residents, len(residents))
        await _several(lambda index: self.submit(*drafts[index]), range(len(drafts)))
        return drafts

    async def submit(self, resident: Resident, application_id: UUID) -> None:
        """Submit a draft."""
        path = f"{self._portal}/v1/citizen/applications/{application_id}/submissions"
        await self._ask("POST", path, headers={**resident.headers, "Idempotency-Key": secrets.token_hex(16)})

    async def set_fault(self, system: str, fault: Mapping[str, Any]) -> None:
        """Let a system of the sandbox misbehave, or behave again."""
        await self._ask("PUT", f"{self._sandbox}/sandbox/faults/{system}", dict(fault))

    async def settlement(self, graduate: Resident) -> dict[str, Any]:
        """Run the settlement's checks once."""
        url = f"{self._portal}/v1/citizen/matters/{SETTLEMENT}/checks"
        told: dict[str, Any] = await self._ask("POST", url, headers=graduate.headers)
        return told

    async def frames(self, actions: Sequence[str]) -> list[bytes]:
        """Let the sandbox's camera take the pictures of somebody who does these actions."""
        url = f"{self._sandbox}/sandbox/faces/{GRADUATE}/frames"
        told = await self._ask("POST", url, {"actions": list(actions)})
        return [base64.b64decode(frame) for frame in told["frames"]]

    async def _log_in(self, account: str, code: str) -> Resident:
        told = await self._ask("POST", f"{self._portal}/v1/citizen/sessions", {"code": code})
        return Resident(account, told["access_token"])

    async def _bind(self, resident: Resident, name: str, id_number: str) -> None:
        body = {"name": name, "id_number": id_number, "consent": "real-name@1"}
        await self._ask("PUT", f"{self._portal}/v1/citizen/me/identity", body, resident.headers)

    async def _fetch(self, resident: Resident, kind: str) -> None:
        await self._ask("POST", f"{self._portal}/v1/citizen/certificates", {"kind": kind}, resident.headers)

    async def _ask(self, method: str, url: str, body: object = None, headers: dict[str, str] | None = None) -> Any:  # noqa: ANN401 — JSON
        if self._session is None:
            raise CannotMeasure("the connections are not open")
        async with self._session.request(method, url, json=body, headers=headers) as response:
            text = await response.text()
            if response.status >= 300:
                raise CannotMeasure(f"{method} {url} answered {response.status}: {text[:400]}")
            return await response.json()


async def _several(work: Callable[[int], Awaitable[T]], indices: Iterable[int]) -> list[T]:
    """Do work for every index, so many at once, and return what came of it in order."""
    places = asyncio.Semaphore(_AT_ONCE)

    async def one(index: int) -> T:
        async with places:
            return await work(index)

    return list(await asyncio.gather(*(one(index) for index in indices)))
