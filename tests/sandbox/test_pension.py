import hashlib
import hmac
import secrets
from datetime import UTC, date, datetime
from xml.sax.saxutils import escape

from defusedxml.ElementTree import fromstring

from sandbox.people import later
from tests.sandbox.town import Caller, Heard

PATH = "/human-resources/soap/pension"
HEADERS = {"Content-Type": "text/xml; charset=utf-8", "SOAPAction": '"AuthenticateEligibility"'}
AT = datetime(2026, 2, 3, 4, 5, tzinfo=UTC)


async def envelope(
    caller: Caller, slug: str, *, reference: str | None = None, at: int | None = None, **wrong: str
) -> str:
    told, person = caller.keys.told["human_resources"], await caller.person(slug)
    reference, timestamp = reference or secrets.token_hex(8), str(at or int(caller.clock.seconds()))
    text = told["soap_app_id"] + timestamp + reference + person["id_number"]
    digest = hmac.new(told["soap_secret"].encode(), text.encode(), hashlib.sha256).hexdigest()
    asked = {"Reference": reference, "Name": person["name"], "IdNumber": person["id_number"], "Year": "2026"}
    asked |= {"Method": "face", "AuthenticatedAt": AT.isoformat(), **wrong}
    body = "".join(f"<q:{name}>{escape(value)}</q:{name}>" for name, value in asked.items())
    return (
        '<?xml version="1.0" encoding="utf-8"?><s:Envelope xmlns:s="http://schemas.xmlsoap.org/soap/envelope/"'
        ' xmlns:q="urn:human-resources:pension:1"><s:Header><q:Access>'
        f"<q:AppId>{told['soap_app_id']}</q:AppId><q:Timestamp>{timestamp}</q:Timestamp><q:Digest>{digest}</q:Digest>"
        f"</q:Access></s:Header><s:Body><q:AuthenticateEligibility>{body}</q:AuthenticateEligibility></s:Body></s:Envelope>"
    )


async def post(caller: Caller, text: str, **headers: str) -> Heard:
    return await caller.call("POST", PATH, text.encode(), headers={**HEADERS, **headers})


def result(heard: Heard) -> dict[str, str]:
    assert heard.status == 200
    assert heard.headers["Content-Type"] == "text/xml; charset=utf-8"
    tags = {"soap": "http://schemas.xmlsoap.org/soap/envelope/", "p": "urn:human-resources:pension:1"}
    response = fromstring(heard.body).find("soap:Body/p:AuthenticateEligibilityResponse", tags)
    assert response is not None
    return {element.tag.rpartition("}")[2]: element.text or "" for element in response}


def client_fault(heard: Heard) -> bool:
    fault = fromstring(heard.body).find(".//{http://schemas.xmlsoap.org/soap/envelope/}Fault")
    return heard.status == 500 and fault is not None and fault.findtext("faultcode") == "soap:Client"


async def test_a_pensioner_is_confirmed_for_a_year(caller: Caller) -> None:
    told = result(await post(caller, await envelope(caller, "pangxiuying")))
    assert told["Result"] == "CONFIRMED"
    assert told["Reason"] == ""
    assert told["ReceiptNumber"]
    assert date.fromisoformat(told["NextDueOn"]) == later(AT.date(), years=1)


async def test_others_are_refused(caller: Caller) -> None:
    for slug in ("huomingzhe", "wanqiushi", "hefangzhou"):
        told = result(await post(caller, await envelope(caller, slug)))
        assert (told["Result"], told["Reason"], told["NextDueOn"]) == ("REFUSED", "NOT_A_PENSIONER", "")


async def test_a_reference_is_counted_once(caller: Caller) -> None:
    told = [
        result(await post(caller, await envelope(caller, "pangxiuying", reference="reference-1"))) for _ in range(3)
    ]
    assert told[0] == told[1] == told[2]
    [received] = await caller.received("human-resources")
    assert (received["reference"], received["count"], received["deliveries"]) == ("reference-1", 1, 3)
    assert received["matter"] == "AuthenticateEligibility"


async def test_a_wrong_digest_or_an_old_timestamp_is_the_clients_fault(caller: Caller) -> None:
    good = await envelope(caller, "pangxiuying")
    assert client_fault(await post(caller, good.replace("<q:Digest>", "<q:Digest>0")))
    late = await envelope(caller, "pangxiuying", at=int(caller.clock.seconds()) - 302)
    assert client_fault(await post(caller, late))
    assert await caller.received("human-resources") == []


async def test_what_is_not_understood_is_the_clients_fault(caller: Caller) -> None:
    good = await envelope(caller, "pangxiuying")
    for wrong in (
        "",
        "<a/>",
        good[:-9],
        good.replace("pension:1", "pension:2"),
        await envelope(caller, "pangxiuying", Year="26"),
        await envelope(caller, "pangxiuying", Method="letter"),
        await envelope(caller, "pangxiuying", AuthenticatedAt="2026-02-03T04:05:00"),
        await envelope(caller, "pangxiuying", AuthenticatedAt="yesterday"),
        await envelope(caller, "pangxiuying", Name=""),
    ):
        assert client_fault(await post(caller, wrong))
    assert client_fault(await post(caller, good, SOAPAction='"Other"'))
    assert client_fault(await post(caller, good, **{"Content-Type": "application/json"}))


async def test_a_document_type_is_refused(caller: Caller) -> None:
    good = await envelope(caller, "pangxiuying")
    bomb = good.replace("?><s:", '?><!DOCTYPE x [<!ENTITY a "aaaa">]><s:').replace("face</q:", "&a;</q:")
    assert client_fault(await post(caller, bomb))
