"""Every matter that is handled in full is walked from search to result, by somebody of the cast who may ask for it.

The journeys are made from the catalogue itself, all in one town of their own: a further matter is a further journey.
"""

import asyncio
import io
import json
import re
import uuid
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Final

import aiohttp
import pytest
from PIL import Image

from matters.catalogue.terms.types import Offer
from matters.catalogue.types import Handling
from tests.fakes.shipped import shipped_matters
from tests.journeys.conftest import town_of_its_own
from tests.journeys.resident import Resident
from tests.journeys.town import Town
from tests.privacy import leaks

pytestmark = [pytest.mark.xdist_group("every-matter"), pytest.mark.slow]

MATTERS: Final = {each.matter.slug: each.matter for each in shipped_matters() if each.matter.offer is Offer.HANDLING}
# Whose story it is; everybody else's matters are those of whoever meets the requirements.
TOLD: Final = {
    "pension-eligibility": "pangxiuying",
    "graduate-settlement": "chenxinran",
    "residence-permit-endorsement": "qumanlin",
}
CAST: Final = ("huomingzhe", "fenggangyi", "pangxiuying")
WITHOUT_WECHAT: Final = frozenset({"pangxiuying"})
TEXTS: Final = ("2026-03-01", "0999-5550101", "9999990000008371", "HUO MINGZHE", "示例市东湖区梧桐路", "示A12345")
AT_ONCE: Final = 6


@dataclass
class Walk:
    """How far a journey came."""

    steps: list[str] = field(default_factory=list)
    application: dict[str, Any] = field(default_factory=dict)
    number: str = ""
    given: list[str] = field(default_factory=list)
    arrived: list[tuple[str, str]] = field(default_factory=list)
    trouble: str = ""


class Stuck(Exception):
    """A step was answered with something else."""


def filled(schema: dict[str, Any], *, all_of_it: bool = False) -> dict[str, Any]:
    """Fill in a form as its schema allows: what is required, or everything."""
    wanted = schema["properties"] if all_of_it else schema.get("required", [])
    return {name: value_for(schema["properties"][name]) for name in wanted}


def value_for(field_: dict[str, Any]) -> Any:
    if "const" in field_:
        return field_["const"]
    if "enum" in field_:
        return field_["enum"][0]
    if field_["type"] == "boolean":
        return True
    if field_["type"] == "integer":
        return field_.get("minimum", 1)
    fitting = (
        text
        for text in TEXTS[::-1]
        if re.search(field_.get("pattern", ""), text)
        and field_.get("minLength", 0) <= len(text) <= field_.get("maxLength", 1000)
    )
    return next(fitting)


def picture() -> bytes:
    out = io.BytesIO()
    Image.new("RGB", (320, 200), "white").save(out, "JPEG")
    return out.getvalue()


class Walker:
    """Walks journeys with one phone for each of the cast."""

    def __init__(self, session: aiohttp.ClientSession, town: Town) -> None:
        self._session = session
        self._town = town
        self._phones: dict[str, Resident] = {}
        self._lock = asyncio.Lock()

    async def phone(self, slug: str) -> Resident:
        """Return somebody who has come in under their real name, with what their wallet may hold."""
        async with self._lock:
            if slug not in self._phones:
                who = Resident(self._session, self._town.portal, self._town.sandbox, slug)
                if slug in WITHOUT_WECHAT:
                    for _ in range(2):
                        if (await who.come_as_elder()).status == 201:
                            break
                else:
                    await who.log_in()
                    await who.identify()
                for kind in sorted({kind for matter in MATTERS.values() for kind in matter.certificates}):
                    await who.ask("POST", "/v1/citizen/certificates", {"kind": kind})
                who.problems.clear()
                self._phones[slug] = who
            return self._phones[slug]

    async def ask(self, walk: Walk, who: Resident, method: str, path: str, *wanted: int, **sent: Any) -> Any:
        """Take one step."""
        reply = await who.ask(method, path, **sent)
        walk.steps.append(f"{method} {path.partition('?')[0]} {reply.status}")
        if reply.status not in wanted:
            raise Stuck(f"{walk.steps[-1]}: {reply.text[:400]}")
        return reply.body

    async def walk(self, slug: str) -> Walk:
        """Walk one matter to its end."""
        walk = Walk()
        try:
            async with asyncio.timeout(60):
                await self._walk(slug, walk)
        except (Stuck, TimeoutError, StopIteration) as trouble:
            walk.trouble = f"{type(trouble).__name__}: {trouble}"
        return walk

    async def _walk(self, slug: str, walk: Walk) -> None:
        who, guide = await self._whoever_may(slug, walk)
        title = guide["title"]
        listed = await self.ask(walk, who, "GET", f"/v1/citizen/matters?query={title}&offer=handling", 200)
        assert listed["items"][0]["slug"] == slug
        draft = await self.ask(
            walk,
            who,
            "POST",
            "/v1/citizen/applications",
            201,
            body={"matter": guide["code"], "form": filled(guide["form"])},
            key=uuid.uuid4().hex,
        )
        path = f"/v1/citizen/applications/{draft['id']}"
        # With the form filled in, what is asked for is no more than the guide has said.
        to_bring = [each["code"] for each in draft["materials"] if each["way"] == "upload"]
        assert set(to_bring) <= {each["code"] for each in guide["materials"]}
        for material in to_bring:
            files = {"files": [picture()], "field_name": "file"}
            await self.ask(walk, who, "POST", f"{path}/attachments?material={material}", 201, **files)
            walk.given.append(material)
        submitted = await self.ask(walk, who, "POST", f"{path}/submissions", 202, key=uuid.uuid4().hex)
        walk.number = submitted["number"]
        while True:
            walk.application = await self.ask(walk, who, "GET", path, 200)
            if walk.application["state"] in {"approved", "rejected", "not_accepted"}:
                return
            await asyncio.sleep(0.2)

    async def _whoever_may(self, slug: str, walk: Walk) -> tuple[Resident, Any]:
        for person in (TOLD[slug],) if slug in TOLD else CAST:
            who = await self.phone(person)
            guide = await self.ask(walk, who, "GET", f"/v1/citizen/matters/{slug}", 200)
            if all(each["met"] is not False for each in guide["requirements"]):
                return who, guide
        raise Stuck("nobody of the cast may ask for it")

    @property
    def problems(self) -> list[str]:
        """What the portal refused."""
        return [text for who in self._phones.values() for text in who.problems]


async def walk_all(town: Town) -> dict[str, Walk]:
    """Walk all matters, a few at once."""
    places = asyncio.Semaphore(AT_ONCE)
    async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=30)) as session:
        walker = Walker(session, town)

        async def one(slug: str) -> tuple[str, Walk]:
            async with places:
                return slug, await walker.walk(slug)

        walks = dict(await asyncio.gather(*map(one, MATTERS)))
        assert leaks(walker.problems) == [], "the cast turned up in an error body"
        by_number = {walk.number: walk for walk in walks.values()}
        for department in {each.department.slug for each in shipped_matters()}:
            async with session.get(f"{town.sandbox}/sandbox/{department}/received") as answer:
                items = (await answer.json())["items"]
            for item in items:
                if walk := by_number.get(item["reference"]):
                    walk.arrived += [(file["material"], file["outcome"]) for file in item["files"]]
        return walks


@pytest.fixture(scope="module")
def walks(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Walk]]:
    """All journeys, in a town of their own: what they leave behind is in nobody's way."""
    with town_of_its_own(tmp_path_factory.mktemp("walks"), pause_ms=20) as town:
        yield asyncio.run(walk_all(town))
        # Late in a year the next one's calendar may be missing: an operator is alarmed and nobody is stopped.
        told = [line for role in town.roles for line in town.errors_of(role)]
        errors = [line for line in told if "calendar-missing" not in line]
        assert errors == []


@pytest.mark.parametrize("slug", MATTERS)
def test_a_matter_is_walked_from_search_to_its_result(walks: dict[str, Walk], slug: str) -> None:
    walk, matter = walks[slug], MATTERS[slug]
    assert walk.trouble == "", json.dumps(walk.steps[-6:])
    assert walk.application["state"] == "approved"
    assert walk.number.startswith(matter.code)
    assert len(walk.number) == 43


def test_what_residents_gave_has_reached_the_departments(walks: dict[str, Walk]) -> None:
    for slug, walk in walks.items():
        if MATTERS[slug].handling is Handling.DEPARTMENT:
            assert sorted(walk.arrived) == sorted((material, "same") for material in walk.given), slug
    assert sum(len(walk.arrived) for walk in walks.values()) > 9


def test_all_72_of_them(walks: dict[str, Walk]) -> None:
    assert sum(walk.application.get("state") == "approved" for walk in walks.values()) == 72
    assert len({walk.number for walk in walks.values()}) == 72
