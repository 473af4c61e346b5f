"""The declared operations as an attacker reads them: addresses to fill, bodies that get past the first look.

One place to extend. A new path parameter needs a maker in `MAKERS` (or a word in `NOBODYS`), a new body a line in
`BODIES`; tests fail until they are there.
"""

import asyncio
import secrets
import uuid
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Final

from api.access import Audience
from api.operation import Operation
from tests.architecture.test_routes import operations
from tests.fakes.papers import PDF
from tests.faults.neighbours import ENDORSEMENT
from tests.journeys.resident import Resident

Maker = Callable[[Resident], Awaitable[str]]


async def an_application(who: Resident) -> str:
    """Begin an application."""
    started = await who.ask("POST", "/v1/citizen/applications", {"matter": ENDORSEMENT}, key=uuid.uuid4().hex)
    assert started.status == 201, started.text
    return str(started.body["id"])


async def an_attachment(who: Resident) -> str:
    """Give a file for an application."""
    where = f"/v1/citizen/applications/{await an_application(who)}/attachments"
    given = await who.ask("POST", where, files=[PDF], field_name="file")
    assert given.status == 201, given.text
    return str(given.body["id"])


async def a_kept_material(who: Resident) -> str:
    """Keep a file that was given."""
    kept = await who.ask(
        "POST", "/v1/citizen/materials", {"attachment": await an_attachment(who), "reuse": "same-matter"}
    )
    assert kept.status == 201, kept.text
    return str(kept.body["id"])


async def a_certificate(who: Resident) -> str:
    """Fetch a certificate, or the one that is there."""
    fetched = await who.ask("POST", "/v1/citizen/certificates", {"kind": "residence-permit"})
    assert fetched.status in {200, 201}, fetched.text
    return str(fetched.body["id"])


async def a_face_check(who: Resident) -> str:
    """Begin a face check."""
    started = await who.ask("POST", "/v1/citizen/face-checks", {"purpose": "step-up", "consent": "face@1"})
    assert started.status == 201, started.text
    return str(started.body["id"])


async def a_platform_check(who: Resident) -> str:
    """Begin a face check by WeChat."""
    asked = {"purpose": "step-up", "consent": "wechat-face@1"}
    started = await who.ask("POST", "/v1/citizen/wechat-face-checks", asked)
    assert started.status == 201, started.text
    return str(started.body["id"])


async def a_session(who: Resident) -> str:
    """Log in at another place, on a phone that nobody has seen."""
    phone = Resident(who.session, who.portal, who.sandbox, who.slug, device=secrets.token_hex(16))
    granted = await phone.log_in()
    assert granted.status == 201, granted.text
    return granted.headers["Location"].rpartition("/")[2]


async def an_account(who: Resident) -> str:
    """Name the account by which they come in."""
    listed = await who.ask("GET", "/v1/citizen/me/accounts")
    return str(listed.body["items"][0]["id"])


async def a_step_up(who: Resident) -> str:
    """Begin to be confirmed by an officer at a counter, in the place of one that may be open."""
    for open_one in (await who.ask("GET", "/v1/citizen/step-ups")).body["items"]:
        await who.ask("DELETE", f"/v1/citizen/step-ups/{open_one['id']}")
    started = await who.ask("POST", "/v1/citizen/step-ups", {"method": "counter"})
    assert started.status == 201, started.text
    return str(started.body["id"])


async def a_notice(who: Resident) -> str:
    """Come in from a new device, and wait for the word of it."""
    await a_session(who)
    async with asyncio.timeout(20):
        while not (items := (await who.ask("GET", "/v1/citizen/notices")).body["items"]):
            await asyncio.sleep(0.1)
    return str(items[0]["id"])


async def an_export(who: Resident) -> str:
    """Ask for one's data, once a day, and wait until they are there."""
    asked = await who.ask("POST", "/v1/citizen/exports")
    assert asked.status in {202, 429}, asked.text
    async with asyncio.timeout(60):
        while (mine := (await who.ask("GET", "/v1/citizen/exports")).body["items"][0])["state"] != "ready":
            await asyncio.sleep(0.2)
    return str(mine["id"])


async def a_correction(who: Resident) -> str:
    """Call something wrong, unless that was done."""
    if not (items := (await who.ask("GET", "/v1/citizen/corrections")).body["items"]):
        asked = await who.ask("POST", "/v1/citizen/corrections", {"about": "mobile", "text": "手机号不对"})
        assert asked.status == 201, asked.text
        return str(asked.body["id"])
    return str(items[0]["id"])


async def a_line(who: Resident) -> str:
    """Name a line of one's ledger: coming in has left one."""
    listed = await who.ask("GET", "/v1/citizen/ledger")
    return str(listed.body["items"][0]["id"])


async def a_presentation(who: Resident) -> str:
    """Show the certificate that `a_certificate` names."""
    path = f"/v1/citizen/certificates/{await a_certificate(who)}/presentations"
    shown = await who.ask("POST", path, {})
    assert shown.status == 201, shown.text
    return str(shown.body["id"])


async def a_stamped_copy(who: Resident) -> str:
    """Make a copy of the certificate that `a_certificate` names."""
    path = f"/v1/citizen/certificates/{await a_certificate(who)}/copies"
    made = await who.ask("POST", path, BODIES["citizen_wallet_copies_make_copy"])
    assert made.status == 201, made.text
    return made.headers["Location"].rpartition("/")[2]


async def a_line_report(who: Resident) -> str:
    """Say of a line that it was somebody else."""
    made = await who.ask("POST", f"/v1/citizen/ledger/{await a_line(who)}/reports", {"kind": "not-me"})
    assert made.status == 201, made.text
    return str(made.body["id"])


# How a resident comes to own what an address names, by the parameter.
MAKERS: Final[Mapping[str, Maker]] = {
    "application_id": an_application,
    "attachment_id": an_attachment,
    "kept_id": a_kept_material,
    "certificate_id": a_certificate,
    "check_id": a_face_check,
    "platform_check_id": a_platform_check,
    "session_id": a_session,
    "account_id": an_account,
    "step_up_id": a_step_up,
    "notice_id": a_notice,
    "export_id": an_export,
    "correction_id": a_correction,
    "line_id": a_line,
    "presentation_id": a_presentation,
    "stamped_copy_id": a_stamped_copy,
    "line_report_id": a_line_report,
}
# What takes two people to come about is tried between them where it is made: each such folder has its own tests of who
# gets at what. Here only ids that are nobody's are tried at these doors.
BETWEEN_TWO: Final[Mapping[str, str]] = {
    "relative_id": "tests/auth/delegation",
    "mandate_id": "tests/auth/delegation",
    "purpose": "tests/auth/delegation",
    "assistance_id": "tests/auth/ways",
    "takeover_id": "tests/face",
    "takeover_check_id": "tests/face",
    "copy_id": "tests/notices",
    "disclosure_id": "tests/certificates/sharing",
}
# What belongs to no resident: everybody may see a matter, a bundle and a verifier, and names by the text of a consent
# their own.
NOBODYS: Final = frozenset({"bundle", "code", "consent", "text", "verifier_id"})
# A body for each operation that reads one and names something in its address, good enough to be looked at.
BODIES: Final[Mapping[str, Any]] = {
    "citizen_applications_amend": {"form": {}},
    "citizen_asking_value_reports_report": {"field": "residence_address", "text": "地址写错了"},
    "citizen_applications_supplement": {"note": "补充"},
    "citizen_asking_results_choose_delivery": {"way": "courier", "place": "示例市某路1号"},
    "citizen_asking_commitments_object_to": {"material": "proof-of-residence", "text": "情况属实"},
    "citizen_applications_rate": {"level": "very_satisfied"},
    "citizen_wallet_showing_show": {},
    "citizen_wallet_showing_make_token": {"fields": ["name"]},
    "citizen_wallet_copies_make_copy": {"consumer": "某酒店", "purpose": "登记入住"},
    "citizen_wallet_reports_report": {"field": "name", "text": "名字写错了"},
    "citizen_wallet_ledger_reports_report": {"kind": "not-me"},
    "citizen_ways_step_ups_send_evidence": {},
    "citizen_delegation_mandates_consent": {"consent": "face@1"},
    "citizen_delegation_relatives_confirm": {"consent": "delegation@1"},
}


def parameters_of(operation: Operation) -> list[str]:
    """Return the names of what stands in an address."""
    return [part[1:-1].partition(":")[0] for part in operation.path.split("/") if part.startswith("<")]


def filled(operation: Operation, values: Mapping[str, str]) -> str:
    """Return an address with its parameters filled in; any id where none is given."""
    parts = operation.path.split("/")
    return "/".join(
        values.get(part[1:-1].partition(":")[0], str(uuid.uuid4())) if part.startswith("<") else part for part in parts
    )


def owned() -> list[Operation]:
    """Return the operations of residents whose address names something that is somebody's."""
    return [
        operation
        for operation in operations()
        if operation.access.audience is Audience.CITIZEN
        and set(parameters_of(operation)) - NOBODYS
        and not set(parameters_of(operation)) & BETWEEN_TWO.keys()
    ]


def between_two() -> list[Operation]:
    """Return the operations of residents whose address names what takes two people to come about."""
    return [
        operation
        for operation in operations()
        if operation.access.audience is Audience.CITIZEN and set(parameters_of(operation)) & BETWEEN_TWO.keys()
    ]


def with_token() -> list[Operation]:
    """Return the operations that look at a token."""
    return [operation for operation in operations() if operation.access.audience.comes_with_token]


def without_maker() -> list[str]:
    """Return the parameters of residents' addresses for which nothing can be made."""
    return sorted({name for operation in owned() for name in parameters_of(operation)} - MAKERS.keys() - NOBODYS)


def without_body() -> list[str]:
    """Return the operations that read a body and name something, for which no body is known."""
    named = [*owned(), *between_two()]
    return [operation.name for operation in named if operation.body is not None and operation.name not in BODIES]
