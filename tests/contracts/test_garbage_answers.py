"""Departments that answer with anything at all: every adapter ends in the failures of its port, and nothing piles up.

`ZHIJIAN_TEST_GARBAGE` says how many answers are given (`make bench-nightly`: 10,000).
"""

import asyncio
import gzip
import json
import os
import random
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import gmssl_pyx
import pytest
from aiohttp import web
from pydantic import SecretStr

from core.clock import SystemClock
from core.ids import RandomIds
from core.keyring.sm2 import Sm2PrivateKey
from core.outbound import Outbound, Partner
from core.pii import IdNumber, PersonName
from core.settings import OutboundSettings
from core.signers.sealed_json import SealedJson
from core.signers.sharing import SharingEnvelope
from core.signers.signed_json import hmac_hex
from core.signers.sm2_json import Sm2Json
from matters.adapters.civil_affairs import CivilAffairs
from matters.adapters.department_desk import DepartmentDesk
from matters.adapters.disabled_persons import DisabledPersons
from matters.adapters.education import Admissions, Degrees
from matters.adapters.health import Health
from matters.adapters.housing_fund import HousingFund
from matters.adapters.human_resources import Insurance, PensionDesk
from matters.adapters.notary import Notary
from matters.adapters.public_security import Households, PublicSecurity
from matters.adapters.real_estate import RealEstate, Residences
from matters.adapters.taxation import Taxation
from matters.errors import DepartmentUnavailable, DossierDeclined, QuestionRefused
from matters.handover.errors import WithdrawalDeclined
from matters.types import Applicant, Capability, CaseStatus, Dossier, Filed, Receipt
from tests.fakes.matters import FakeContents
from tests.sandbox.town import served

ANSWERS: Final = int(os.environ.get("ZHIJIAN_TEST_GARBAGE", "600"))
MOST_GROWTH: Final = 48 * 2**20
SECRET: Final = "s" * 40
APPLICANT: Final = Applicant(PersonName.parse("瞿漫林"), IdNumber.parse("999999199502286280"))
SENT: Final = Dossier("R1", "1" * 31, APPLICANT, {"reason": "work"}, "http://127.0.0.1:9/", datetime.now(UTC), 2026)
CASE: Final = Filed("R1", "education", "T1")
PAGE: Final = 4096
# Well-formed answers of every page, to be bent: `"0000"` and friends must be reached behind the first check too.
JSON_ANSWERS: Final[tuple[dict[str, Any], ...]] = (
    {"code": "0000", "receipt_number": "R", "received_at": "2026-03-10T10:00:00+08:00"},
    {"code": "0000", "receipt_number": "R", "decision": {"state": "approved", "result": {"document_number": "D"}}},
    {"code": "2422", "reason": "not-due", "message": "no"},
    {"code": "0000", "ticket": "T", "opened_at": "2026-03-10T10:00:00+08:00"},
    {
        "code": "0000",
        "tickets": [
            {
                "ticket": "T",
                "steps": [
                    {"number": 1, "status": "10", "at": "2026-03-10T10:00:00+08:00", "remark": "", "wanted": ["a"]},
                    {"number": 2, "status": "80", "at": "2026-03-10T10:00:00+08:00", "remark": "", "outcome": {"a": 1}},
                ],
            }
        ],
    },
    {"code": "0000", "result": "confirmed", "degree": "bachelor", "graduated_on": "2025-06-30"},
    {"code": "0000", "result": "clear"},
    {"head": {"status": 0, "message": "done"}, "data": {"certData": {"key": "", "iv": "", "cipher": ""}}},
)
SOAP: Final = (
    '<soap:Envelope xmlns:soap="http://schemas.xmlsoap.org/soap/envelope/"><soap:Body>{}</soap:Body></soap:Envelope>'
)
XML_ANSWERS: Final = (
    SOAP.format(
        '<p:AuthenticateEligibilityResponse xmlns:p="urn:human-resources:pension:1">'
        "<p:ReceiptNumber>R</p:ReceiptNumber><p:Result>CONFIRMED</p:Result><p:NextDueOn>2027-01-01</p:NextDueOn></p:AuthenticateEligibilityResponse>"
    ),
    SOAP.format(
        '<c:AcceptResponse xmlns:c="urn:civil-affairs:acceptance:1"><c:Code>ACCEPTED</c:Code>'
        "<c:AcceptanceNumber>R</c:AcceptanceNumber></c:AcceptResponse>"
    ),
    SOAP.format("<soap:Fault><faultcode>soap:Client</faultcode><faultstring>no</faultstring></soap:Fault>"),
    (
        '<n:Acknowledgement xmlns:n="urn:notary:exchange:1" number="G"><n:Step sequence="1" state="taken" '
        'at="2026-03-10T10:00:00+08:00"><n:Note/><n:Result name="a">b</n:Result></n:Step></n:Acknowledgement>'
    ),
)
BOMBS: Final = (
    '<?xml version="1.0"?><!DOCTYPE a [<!ENTITY a "aaaaaaaaaa">'
    + "".join(f'<!ENTITY {chr(98 + n)} "{f"&{chr(97 + n)};" * 10}">' for n in range(9))
    + "]><a>&j;</a>",
    '<?xml version="1.0"?><!DOCTYPE a [<!ENTITY x "' + "x" * 50_000 + '">]><a>' + "&x;" * 5_000 + "</a>",
    '<?xml version="1.0"?><!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/passwd">]><a>&x;</a>',
    '<?xml version="1.0"?><!DOCTYPE a SYSTEM "http://127.0.0.1:9/a.dtd"><a/>',
    '<?xml version="1.0" encoding="no-such-encoding"?><a/>',
    '<?xml version="1.0" encoding="utf-7"?><a/>',
    '<?xml version="1.0" encoding="big5"?><a/>',
    "<a>" * 50_000,
    "<a>" * 20_000 + "</a>" * 20_000,
    "<a " + " ".join(f'a{n}="1"' for n in range(20_000)) + "/>",
)
STRANGE: Final[tuple[Any, ...]] = (
    None, True, False, 0, -1, 10**30, 1.5, 1e308, "", "0000", "x" * 100_000, "\ud800", "\x00", "9" * 5000, [], {},
    [[]], {"a": {}}, ["0000"], {"code": "0000"}, "2026-13-45", "0001-01-01T00:00:00+23:59", "9999-12-31T23:59:59-23:59",
)  # fmt: skip


class Hostile:
    """A department that answers with the next thing it thinks of."""

    def __init__(self, dice: random.Random) -> None:
        self.dice = dice
        self.keys = gmssl_pyx.sm2_key_generate()

    async def answer(self, request: web.Request) -> web.StreamResponse:
        told = await request.read()
        body = self.thought(told)
        status = self.dice.choice((200,) * 8 + (201, 204, 301, 304, 400, 401, 404, 409, 412, 418, 422, 429, 500, 503))
        headers = {"Content-Type": self.dice.choice(("application/json", "text/xml; charset=gb2312", "x/y", ""))}
        if self.dice.random() < 0.05:
            headers["Content-Encoding"] = self.dice.choice(("gzip", "br", "deflate"))
        if self.dice.random() < 0.02 and request.transport is not None:
            request.transport.close()
        return web.Response(body=body, status=status, headers=headers)

    def thought(self, told: bytes) -> bytes:
        """Return one answer, bent in one of many ways."""
        kinds: tuple[Callable[[], bytes], ...] = (
            lambda: self.dice.randbytes(self.dice.randrange(2_000)),
            lambda: self.dice.choice(("[", '{"code":', "[[{")).encode() * self.dice.choice((10, 1_000, 100_000)),
            lambda: b"x" * self.dice.choice((0, 1, 999_999, 1_000_001, 3_000_000)),
            lambda: self.dice.choice(BOMBS).encode(),
            lambda: json.dumps(self.bent(self.dice.choice(JSON_ANSWERS))).encode(),
            lambda: json.dumps(self.bent(self.dice.choice(JSON_ANSWERS))).encode(),
            lambda: json.dumps(self.dice.choice(JSON_ANSWERS)).encode(
                self.dice.choice(("utf-16", "utf-32", "utf-8-sig"))
            ),
            lambda: json.dumps(self.dice.choice(STRANGE)).encode(),
            lambda: b'{"code": NaN, "receipt_number": Infinity}',
            lambda: self.cut(self.dice.choice(XML_ANSWERS).encode()),
            lambda: self.dice.choice(XML_ANSWERS).encode(self.dice.choice(("utf-16", "utf-8-sig", "utf-32"))),
            lambda: (
                self.dice.choice(XML_ANSWERS)
                .replace("R<", self.dice.choice(("<", "x" * 5_000 + "<", "&#1;<")))
                .encode()
            ),
            lambda: gzip.compress(b"0" * 2_000_000),
            lambda: self.sealed(told),
            lambda: self.sealed(told),
        )
        return self.dice.choice(kinds)()

    def cut(self, content: bytes) -> bytes:
        """Cut a piece out, or put another sign in."""
        place = self.dice.randrange(len(content))
        if self.dice.random() < 0.5:
            return content[:place] + self.dice.randbytes(1) + content[place + 1 :]
        return content[:place] + content[place + self.dice.randrange(1, 40) :]

    def bent(self, value: Any) -> Any:
        """Put something strange in one place of an answer."""
        if isinstance(value, dict) and value and self.dice.random() < 0.8:
            name = self.dice.choice(list(value))
            return {**value, name: self.bent(value[name])}
        if isinstance(value, list) and value and self.dice.random() < 0.8:
            place = self.dice.randrange(len(value))
            return [*value[:place], self.bent(value[place]), *value[place + 1 :]]
        return self.dice.choice(STRANGE)

    def sealed(self, told: bytes) -> bytes:
        """Answer health with something properly sealed and proved, which says anything."""
        try:
            nonce = json.loads(told)["nonce"]
        except (ValueError, KeyError, TypeError):
            return b"{}"
        says = self.bent(self.dice.choice(JSON_ANSWERS))
        parts = envelope(self.keys).seal(says if isinstance(says, dict) else {"code": says}).body
        signed = "\n".join(("answer", nonce, parts["key"], parts["iv"], parts["cipher"]))
        mac = hmac_hex("sm3", SECRET.encode(), signed.encode())
        answer = {name: parts[name] for name in ("key", "iv", "cipher")} | {"mac": mac}
        if self.dice.random() < 0.3:
            answer[self.dice.choice(list(answer))] = self.dice.choice(("", "AAAA", "!" * 50, "04" * 200))
        return json.dumps(answer).encode()


def envelope(keys: tuple[bytes, bytes]) -> SealedJson:
    return SealedJson(
        app_id="us",
        secret=SecretStr(SECRET),
        private_key=SecretStr(keys[1].hex()),
        public_key="04" + keys[0].hex(),
        clock=SystemClock(),
        ids=RandomIds(),
    )


def signer() -> Sm2Json:
    """Sign as the federation's page has it; nobody answers by the key that is expected."""
    ours, theirs = Sm2PrivateKey.generate(), Sm2PrivateKey.generate()
    return Sm2Json(
        app_id="us",
        private_key=SecretStr(ours.text().decode()),
        public_key="04" + theirs.public.point.hex(),
        clock=SystemClock(),
        ids=RandomIds(),
    )


def questions(base: str, door: Outbound, keys: tuple[bytes, bytes]) -> list[Callable[[], Awaitable[object]]]:
    """Everything that matters may ask of a department, by every adapter."""
    clock, ids, secret = SystemClock(), RandomIds(), SecretStr(SECRET)

    def partner(name: str) -> Partner:
        return Partner(name, f"{base}/{name}", 20.0, 1)

    sharing = SharingEnvelope(access_id="us", secret=secret, private_key=SecretStr(keys[1].hex()), clock=clock)
    takers = (
        PublicSecurity(outbound=door, partner=partner("public-security")),
        DepartmentDesk(outbound=door, partner=partner("department-desk")),
        PensionDesk(outbound=door, partner=partner("human-resources"), app_id="us", secret=secret, clock=clock),
        RealEstate(outbound=door, partner=partner("acceptances")),
        Taxation(outbound=door, partner=partner("taxation")),
        Notary(outbound=door, partner=partner("notary"), app_id="us", secret=secret, contents=FakeContents()),
        CivilAffairs(outbound=door, partner=partner("civil-affairs"), app_id="us", secret=secret, clock=clock, ids=ids),
        Health(outbound=door, partner=partner("health"), envelope=envelope(keys)),
        DisabledPersons(outbound=door, partner=partner("disabled-persons"), signer=signer()),
        Admissions(outbound=door, partner=partner("education")),
        HousingFund(outbound=door, partner=partner("housing-fund"), envelope=sharing),
    )
    keepers = (
        Households(outbound=door, partner=partner("households"), ids=ids),
        Degrees(outbound=door, partner=partner("education"), ids=ids),
        Residences(outbound=door, partner=partner("real-estate"), ids=ids),
        Insurance(outbound=door, partner=partner("insurance"), envelope=sharing),
    )
    asked: list[Callable[[], Awaitable[object]]] = [lambda each=each: each.submit(SENT) for each in takers]  # type: ignore[misc]
    for each in takers:
        if Capability.STATUS in each.capabilities:
            asked.append(lambda each=each: each.status(CASE))  # type: ignore[misc]
        if Capability.WITHDRAW in each.capabilities:
            asked.append(lambda each=each: each.withdraw(CASE))  # type: ignore[misc]
    asked += [lambda each=each: each.ask(APPLICANT, purpose="核验") for each in keepers]  # type: ignore[misc]
    return asked


@pytest.fixture
async def door() -> AsyncIterator[Outbound]:
    # A breaker would keep the garbage away: here all of it has to come in.
    settings = OutboundSettings(connect_seconds=10, breaker_minimum=1_000_000)
    door = Outbound(settings, clock=SystemClock(), production=False)
    await door.open()
    yield door
    await door.close()


def resident_bytes() -> int:
    return int(Path("/proc/self/statm").read_text().split()[1]) * PAGE


def is_sound(answer: object) -> bool:
    """Tell whether what was read keeps its promises, where some garbage was an answer by chance."""
    match answer:
        case Receipt():
            return 0 < len(answer.receipt_number) <= 64 and (answer.approved is None or len(answer.approved) <= 20)
        case CaseStatus():
            return len(answer.receipt_number) <= 80 and all(
                len(event.event_id) <= 64 and event.at.tzinfo and len(event.note) <= 400 for event in answer.events
            )
        case Mapping():
            return all(isinstance(name, str) for name in answer)
    return answer is None


async def test_whatever_a_department_answers_nothing_breaks_and_nothing_piles_up(door: Outbound) -> None:
    dice = random.Random(10_000)
    hostile = Hostile(dice)
    app = web.Application()
    app.router.add_route("*", "/{anything:.*}", hostile.answer)
    ends: dict[str, int] = {}
    early = 0
    async with served(app) as base:
        asked = questions(base, door, hostile.keys)
        for number in range(ANSWERS):
            if number == ANSWERS // 4:
                early = resident_bytes()
            async with asyncio.timeout(30):
                try:
                    answer = await asked[number % len(asked)]()
                except (DepartmentUnavailable, DossierDeclined, QuestionRefused, WithdrawalDeclined) as failure:
                    end = type(failure).__name__
                else:
                    assert is_sound(answer), number
                    end = "answered"
            ends[end] = ends.get(end, 0) + 1
    assert sum(ends.values()) == ANSWERS
    assert ends["DepartmentUnavailable"] > ANSWERS // 2, ends
    grown = resident_bytes() - early
    assert grown < MOST_GROWTH, f"{grown / 2**20:.1f} MiB more than after the first quarter"
    print(f"garbage: {ends}, memory {grown / 2**20:+.1f} MiB")  # noqa: T201 — the figure, with -s
