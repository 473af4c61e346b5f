"""What stands for the outside systems under load."""

import json

from benchmarks.front import ACCOUNT, DELAY_SECONDS, NAME, Front
from benchmarks.wire import end_of_message


def body_of(message: bytes) -> dict[str, object]:
    found = end_of_message(message)
    assert found is not None
    told: dict[str, object] = json.loads(message[found[0] : found[1]])
    return told


def test_each_account_of_the_load_has_an_openid_of_its_own_always_the_same() -> None:
    front = Front("http://127.0.0.1:9")
    answers = [
        front.known("GET", f"/wechat/sns/jscode2session?appid=a&js_code={ACCOUNT}{account}", b"")
        for account in ("00001", "00002", "00001")
    ]
    assert all(given is not None and given[1] == 0.0 for given in answers)
    openids = [body_of(given[0])["openid"] for given in answers if given is not None]
    assert openids[0] == openids[2] != openids[1]


def test_codes_of_the_sandbox_go_to_the_sandbox() -> None:
    assert Front("http://127.0.0.1:9").known("GET", "/wechat/sns/jscode2session?js_code=xyz", b"") is None


def test_the_registry_knows_the_pretended_residents_and_leaves_the_others_to_the_sandbox() -> None:
    front, target = Front("http://127.0.0.1:9"), "/population-registry/v1/verifications"
    given = front.known("POST", target, json.dumps({"name": NAME}, ensure_ascii=False).encode())
    assert given is not None
    assert body_of(given[0])["result"] == "match"
    assert front.known("POST", target, json.dumps({"name": "别人"}, ensure_ascii=False).encode()) is None


def test_a_check_that_nobody_asked_yet_goes_to_the_sandbox() -> None:
    assert Front("http://127.0.0.1:9").known("POST", "/education/v1/checks/degree", b"{}") is None
    assert DELAY_SECONDS == 0.05
