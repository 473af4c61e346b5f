"""Tokens and status lists as callers see them: addresses, statuses, media types."""

from random import Random
from uuid import uuid4

from certificates.offline.checking import check
from certificates.offline.jws import keys_of
from certificates.types import Outcome
from tests.certificates.conftest import PUBLIC_URL, Hall
from tests.certificates.offline.test_sd_jwt import mutated
from tests.certificates.test_edge import Client, client
from tests.fakes.certificates import issued

__all__ = ["client"]  # A fixture.
MUTATED = 100
WALLET = "/v1/citizen/certificates"


async def fetched(client: Client, path: str) -> tuple[int, str, str, str]:
    async with client.session.get(client.base + path) as answer:
        headers = answer.headers
        return answer.status, headers["Content-Type"], headers.get("Cache-Control", ""), await answer.text()


async def test_what_is_published_suffices_to_check_a_token(hall: Hall, client: Client) -> None:
    hall.issue(issued())
    path = f"{WALLET}/{await client.fetched()}/tokens"
    made = await client.call("POST", path, {"claims": ["age>=18"]})
    assert (made.status, set(made.json)) == (201, {"token", "qr_svg", "qr_svgs", "expires_at"})
    assert made.headers["Location"] == path
    stands = await client.call("GET", path, token="real_name")
    assert (stands.status, stands.json["standing"]) == (200, "valid")
    assert made.json["qr_svg"].startswith("<?xml ")
    assert made.json["qr_svgs"] == [made.json["qr_svg"]]
    whole = await client.call("POST", path, {})
    assert (whole.json["qr_svg"], len(whole.json["qr_svgs"])) == (None, 2)
    keys = keys_of((await client.call("GET", "/v1/public/keys", token=None)).json)
    contents = check(made.json["token"], None, keys=keys, now=hall.ground.clock.now()).contents
    assert contents is not None
    status, media_type, cache, text = await fetched(client, contents.status_uri.removeprefix(PUBLIC_URL))
    assert (status, media_type) == (200, "application/statuslist+jwt")
    assert cache.startswith("public")
    assert check(made.json["token"], text, keys=keys, now=hall.ground.clock.now()).outcome is Outcome.OK
    online = await client.call("POST", "/v1/verifiers/verifications", {"code": made.json["token"]}, token=None)
    assert (online.status, online.json["outcome"], online.json["fields"]["name"]) == (200, "ok", "霍**")
    assert (stands.json["status_list"], stands.json["index"]) == (contents.status_uri, contents.status_index)
    assert (await client.call("DELETE", path, token="real_name")).status == 204
    assert (await client.call("GET", path, token="real_name")).json["standing"] == "invalid"
    text = (await fetched(client, contents.status_uri.removeprefix(PUBLIC_URL)))[3]
    assert check(made.json["token"], text, keys=keys, now=hall.ground.clock.now()).outcome is Outcome.REVOKED


async def test_tokens_need_presence_and_a_certificate_of_ones_own(hall: Hall, client: Client) -> None:
    hall.issue(issued())
    mine = await client.fetched()
    assert (await client.call("POST", f"{WALLET}/{mine}/tokens", {}, token="real_name")).status == 403
    assert (await client.call("GET", f"{WALLET}/{mine}/tokens")).status == 404
    for identity, token in ((mine, "other"), (str(uuid4()), "present")):
        for method, body in (("POST", {}), ("DELETE", None), ("GET", None)):
            answer = await client.call(method, f"{WALLET}/{identity}/tokens", body, token=token)
            assert (answer.status, answer.json["code"]) == (404, "request.not-found")


async def test_a_list_that_is_not_there_is_not_found(client: Client) -> None:
    assert (await fetched(client, "/v1/public/status-lists/0"))[0] == 200
    for number in ("1", "999999999999999999999999", "x", "-1"):
        assert (await fetched(client, f"/v1/public/status-lists/{number}"))[0] == 404


async def test_whatever_is_made_of_a_token_is_answered_and_never_good(hall: Hall, client: Client) -> None:
    hall.issue(issued())
    made = await client.call("POST", f"{WALLET}/{await client.fetched()}/tokens", {"claims": ["age>=18"]})
    token, random = made.json["token"], Random(3)
    left_out = token.partition("~")[0] + "~"  # Without its one disclosure it is a good token.
    for _ in range(MUTATED):
        text = mutated(token, random)
        answer = await client.call("POST", "/v1/verifiers/verifications", {"code": text}, token=None)
        # What may not stand in JSON text is refused before anybody looks at it.
        assert answer.status in {200, 400, 422}
        if answer.status == 200 and text != left_out:
            assert answer.json["outcome"] in {"unreadable", "unknown", "bad_signature"}
