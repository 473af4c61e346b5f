"""Accounts in the wrong hands, in new hands, and of those who have died."""

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


async def test_a_new_wechat_account_asks_for_the_old_one_and_its_holder_stops_it(
    resident: Callable[[str], Resident],
) -> None:
    owner, other = resident("zhouqiangshan"), resident("stranger")
    assert (await owner.log_in()).status == 201
    assert (await owner.identify()).status == 200
    assert (await other.log_in()).status == 201
    person = await owner.person()
    asked = {"name": person["name"], "id_number": person["id_number"], "consent": "face@1"}
    check = await other.ask("POST", "/v1/citizen/takeovers", asked)
    assert check.status == 201, check.text
    evidence = check.headers["Location"]
    failed = await other.ask("POST", evidence, files=await owner.frames(check.body["actions"], "other_person"))
    assert (failed.status, failed.body["outcome"], failed.body["takeover"]) == (200, "failed", None)

    for _ in range(2):  # One genuine recording in some hundred is refused.
        check = await other.ask("POST", "/v1/citizen/takeovers", asked)
        assert check.status == 201, check.text
        passed = await other.ask("POST", check.headers["Location"], files=await owner.frames(check.body["actions"]))
        if passed.body["outcome"] == "passed":
            break
    takeover = passed.body["takeover"]
    assert (takeover["side"], takeover["state"]) == ("claimant", "waiting")
    assert (await other.ask("GET", "/v1/citizen/me")).body["level"] == "linked"

    [seen] = (await owner.ask("GET", "/v1/citizen/takeovers")).body["items"]
    assert (seen["id"], seen["side"]) == (takeover["id"], "holder")
    unsure = await owner.ask("DELETE", f"/v1/citizen/takeovers/{takeover['id']}")
    assert (unsure.status, unsure.body["code"]) == (403, "auth.level-too-low")
    await owner.pass_face()
    assert (await owner.ask("DELETE", f"/v1/citizen/takeovers/{takeover['id']}")).status == 204
    assert (await owner.ask("DELETE", f"/v1/citizen/takeovers/{takeover['id']}")).status == 404
    told = [line["action"] for line in (await owner.ask("GET", "/v1/citizen/ledger?limit=100")).body["items"]]
    assert {"auth.takeover-asked", "auth.takeover-stopped"} <= set(told)


async def test_a_death_ends_what_was_open_and_a_mistake_is_taken_back(resident: Callable[[str], Resident]) -> None:
    person = resident("wujinglan")
    assert (await person.log_in()).status == 201
    assert (await person.identify()).status == 200
    news = {"tell": f"{person.portal}/v1/departments/public-security/deaths"}
    death = f"/sandbox/people/{person.slug}/death"
    try:
        assert (await person.tell_sandbox("PUT", death, news))["answered"] == 204
        assert (await person.ask("GET", "/v1/citizen/me")).status == 401
        closed = await person.log_in()
        assert (closed.status, closed.body["code"]) == (403, "auth.account-closed")
    finally:
        assert (await person.tell_sandbox("DELETE", death, news))["answered"] == 204
    assert (await person.ask("GET", "/v1/citizen/me")).status == 401
    assert (await person.log_in()).body["citizen"]["level"] == "real_name"
