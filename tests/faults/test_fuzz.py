"""Thousands of requests that follow the document, and as many that do not, on every operation of a running product.

Schemathesis makes and checks them; what it recorded is read again here: how many there were, that none was answered
5xx but by a documented 503, and that every error is a problem document that names nobody.
"""

import asyncio
import json
import os
import random
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from subprocess import run
from typing import Any, Final
from urllib.parse import urlsplit

import pytest

from tests.faults.books import books_of
from tests.faults.conftest import Found
from tests.faults.installation import answers, services_are_meant
from tests.faults.neighbours import ENDORSEMENT, PENSION, Acknowledged, Neighbours, ask_for, definite, reached
from tests.faults.operators import make_operator, operator_token
from tests.journeys.town import PYTHON, Town

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("faults")]

CASES: Final = 3_000
# Of each operation, beside those that go through every bound of its schema (`make bench-nightly`: five times as many).
EXAMPLES: Final = int(os.environ.get("ZHIJIAN_TEST_EXAMPLES", "8"))
SECONDS: Final = 600 + 40 * EXAMPLES
CHECKS: Final = (
    "not_a_server_error",
    "status_code_conformance",
    "content_type_conformance",
    "response_schema_conformance",
    "response_headers_conformance",
    "negative_data_rejection",
    "missing_required_header",
    "unsupported_method",
    "allow_header_conformance",
    "ignored_auth",
)
# Left out: positive_data_acceptance. What a schema allows may still be refused by what is known beside it: a code that
# WeChat never gave, a number without a person, a picture that shows nobody.
SETTINGS: Final = """
[checks.not_a_server_error]
expected-statuses = ["2xx", "3xx", "4xx", "503"]

[checks.negative_data_rejection]
expected-statuses = [
  "400", "401", "403", "404", "405", "406", "409", "410", "412", "413", "414", "415", "422", "428", "429", "431",
]

[checks.missing_required_header]
expected-statuses = ["400", "401", "403", "406", "415", "422", "428"]
"""
ALARM: Final = "somebody acts alone in an emergency"
REQUIRED: Final = {"type", "title", "status", "code", "instance", "retryable"}


@dataclass(frozen=True)
class Run:
    """One run: who asks, and for what."""

    name: str
    token: str = ""
    only: str = ""
    but: Sequence[str] = ()
    stays: bool = False
    stateful: bool = False


@dataclass
class Seen:
    """What a run has recorded."""

    ended: int
    output: str
    entries: list[dict[str, Any]] = field(repr=False)

    @property
    def statuses(self) -> Counter[int]:
        return Counter(entry["response"]["status"] for entry in self.entries)


@pytest.fixture(scope="module")
def town(found: Found) -> Town:
    return found(before_start=make_operator)


def fuzz(town: Town, asked: Run, seed: int, folder: Path) -> Seen:
    """Let Schemathesis ask; return what it recorded."""
    folder.mkdir()
    settings, record = folder / "schemathesis.toml", folder / "record.har"
    settings.write_text(SETTINGS)
    # What comes in is read alike over every database: beside the services it is asked half as often.
    examples = EXAMPLES // 2 if services_are_meant() else EXAMPLES
    phases = ["examples", "coverage", "fuzzing", *(["stateful"] if asked.stateful else [])]
    command = [
        PYTHON, "-m", "schemathesis.cli", "--config-file", str(settings), "run", f"{town.portal}/openapi.json",
        "--seed", str(seed), "--max-examples", str(examples), "--phases", ",".join(phases),
        "--checks", ",".join(CHECKS), "--continue-on-failure", "--report", "har", "--report-har-path", str(record),
        "--generation-database", "none", "--suppress-health-check", "all", "--warnings", "off", "--no-color",
        "--no-shrink", "--request-timeout", "10",
    ]  # fmt: skip
    if asked.token:
        command += ["--header", f"Authorization: Bearer {asked.token}"]
    if asked.only:
        command += ["--include-path-regex", asked.only]
    for operation in asked.but:
        command += ["--exclude-operation-id", operation]
    ended = run(command, cwd=folder, capture_output=True, text=True, timeout=SECONDS, check=False)
    entries = json.loads(record.read_text())["log"]["entries"] if record.exists() else []
    return Seen(ended.returncode, ended.stdout + ended.stderr, entries)


def faults_of(entry: Mapping[str, Any], documented: Mapping[str, str]) -> list[str]:
    """Return what is wrong with one answer that is not a success."""
    response = entry["response"]
    status = response["status"]
    if status < 400:
        return []
    where = f"{entry['request']['method']} {urlsplit(entry['request']['url']).path}: {status}"
    if not response["content"].get("mimeType", "").startswith("application/problem+json"):
        return [f"{where} is {response['content'].get('mimeType')}"]
    try:
        problem = json.loads(response["content"].get("text", ""))
    except ValueError:
        return [f"{where} is not JSON"]
    found = []
    if missing := REQUIRED - problem.keys():
        found.append(f"{where} lacks {sorted(missing)}")
    if problem.get("status") != status:
        found.append(f"{where} says {problem.get('status')}")
    if status >= 500 and (status != 503 or problem.get("code") not in documented):
        found.append(f"{where} {problem.get('code')}")
    return found


async def documented_503(neighbours: Neighbours) -> dict[str, str]:
    """Return the codes of 503 that the document names."""
    document = (await neighbours.stranger("nobody").ask("GET", "/openapi.json")).body
    texts = [
        operation["responses"]["503"]["description"]
        for path in document["paths"].values()
        for operation in path.values()
        if "503" in operation["responses"]
    ]
    return {code: "503" for text in texts for code in re.findall(r"`([^`]+)`", text)}


async def tokens_to_lose(neighbours: Neighbours) -> str:
    who = neighbours.stranger("huoxiaoman")
    assert (await who.log_in()).status == 201
    return who.access_token


async def test_no_request_makes_the_product_stumble(
    town: Town, neighbours: Neighbours, acknowledged: Acknowledged, tmp_path: Path
) -> None:
    seed = random.getrandbits(32)
    print(f"seed {seed}")  # noqa: T201 — shown when it fails
    # Somebody who has something of everything: their ids come back in answers and are asked for again.
    who = await neighbours.present("wanqiushi")
    for kind in ("residence-permit", "social-security-card"):
        await who.ask("POST", "/v1/citizen/certificates", {"kind": kind})
    await reached(who, await ask_for(who, ENDORSEMENT, acknowledged))
    await definite(who, "/v1/citizen/applications", {"matter": ENDORSEMENT}, key="draft")
    ending = ("citizen_sessions_end_current", "citizen_sessions_end", "citizen_sessions_end_all")
    runs = [
        Run("resident", who.access_token, "^/v1/citizen/", ending, stays=True, stateful=True),
        Run("leaver", await tokens_to_lose(neighbours), "^/v1/citizen/sessions"),
        Run(
            "staff",
            await operator_token(town, neighbours),
            "^/v1/staff/",
            ("staff_sessions_end_current",),
            stays=True,
        ),
        Run("nobody", only="^/(v1/(public|verifiers|departments|staff)|.well-known)/"),
    ]
    documented = await documented_503(neighbours)
    person = await who.person()
    total: Counter[int] = Counter()
    for asked in runs:
        seen = await asyncio.to_thread(fuzz, town, asked, seed, tmp_path / asked.name)
        assert seen.ended == 0, seen.output[-6_000:]
        assert [fault for entry in seen.entries for fault in faults_of(entry, documented)] == []
        told = "".join(
            entry["response"]["content"].get("text", "") for entry in seen.entries if entry["response"]["status"] >= 400
        )
        assert [value for value in (person["name"], person["id_number"], person["mobile"]) if value in told] == []
        if asked.stays:
            # They got past the door: else every answer was 401 and nothing was tried.
            assert seen.statuses[401] < seen.statuses.total() / 4, seen.statuses
            assert seen.statuses[200] > 0
        print(asked.name, dict(sorted(seen.statuses.items())))  # noqa: T201
        total += seen.statuses
    assert total.total() >= CASES
    # An operator who breaks the glass is an alarm for those on watch, and nothing that went wrong.
    assert [line for line in town.errors_of(town.roles[0]) if ALARM not in line] == []
    assert await answers(f"{town.portal}/health/ready", seconds=1) == 200
    async with books_of(town) as books:
        assert await books.damage() == {}
    # And afterwards all is as before.
    elder = await neighbours.elder()
    assert (await reached(elder, await ask_for(elder, PENSION, acknowledged)))["state"] == "approved"
