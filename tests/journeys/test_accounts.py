"""Somebody binds an account to a person whose name and number they know; the person comes in by face and ends it."""

from collections.abc import Callable

from tests.journeys.resident import Resident


async def test_by_face_the_owner_gets_a_stranger_out_of_their_affairs(resident: Callable[[str], Resident]) -> None:
    owner, thief = resident("fenggangyi"), resident("stranger")
    assert (await thief.log_in()).status == 201
    person = await owner.person()
    known = {"name": person["name"], "id_number": person["id_number"], "consent": "real-name@1"}
    assert (await thief.ask("PUT", "/v1/citizen/me/identity", known)).status == 200

    # The owner's own account is told that there is a way out.
    assert (await owner.log_in()).status == 201
    refused = await owner.identify()
    assert (refused.status, refused.body["code"]) == (409, "auth.already-bound")
    assert "/v1/citizen/elder-sessions" in [way.get("start") for way in refused.body["alternatives"]]

    came = await owner.come_as_elder()
    assert (came.status, came.body["citizen"]["level"]) == (201, "present")
    [account] = (await owner.ask("GET", "/v1/citizen/me/accounts")).body["items"]
    gone = await owner.ask("DELETE", f"/v1/citizen/me/accounts/{account['id']}")
    assert gone.status == 204, gone.text

    assert (await thief.ask("GET", "/v1/citizen/me")).status == 401
    renewed = await thief.ask("POST", "/v1/citizen/sessions/renewals", {"refresh_token": thief.refresh_token}, token="")
    assert renewed.status == 401
    told = [line["action"] for line in (await owner.ask("GET", "/v1/citizen/ledger")).body["items"]]
    assert "auth.account-unbound" in told
    assert "auth.identity-tried" in told
