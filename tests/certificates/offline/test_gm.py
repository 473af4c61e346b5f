"""SM2 beside ES256: both have to hold, neither can be taken away, and readers of ES256 alone lose nothing."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from certificates.keys import IssuerKeys
from certificates.offline.checking import check
from certificates.offline.gm import COPY, TOKEN, countersigned, objection, sm2_keys_of
from certificates.offline.jws import keys_of, sign
from certificates.offline.sd_jwt import compose, read
from certificates.offline.types import Contents
from certificates.types import Outcome
from core.keyring.jwk import public_jwk, sm2_jwk, sm2_thumbprint
from core.keyring.ring import Key
from core.keyring.sm2 import Sm2PrivateKey
from scripts import verify_offline
from tests.certificates.conftest import Hall
from tests.certificates.offline.test_checking import listed
from tests.certificates.offline.test_sd_jwt import CONTENTS, KEY, KEYS, NOW, SECRET, payload_of, salts, token


def made() -> Key[Sm2PrivateKey]:
    secret = Sm2PrivateKey.generate()
    return Key(sm2_thumbprint(secret.public), secret)


SM2, OTHER = made(), made()
GM_KEYS = {SM2.kid: SM2.secret.public}
DUAL = compose(CONTENTS, key=KEY, salt=salts(), sm2=SM2)
JWKS = {
    "keys": [
        {**public_jwk(SECRET.public_key()), "kid": KEY.kid, "alg": "ES256"},
        {**sm2_jwk(SM2.secret.public), "kid": SM2.kid, "alg": "SM2-SM3"},
    ]
}


def resigned(payload: dict[str, Any]) -> str:
    """What somebody makes of a token who can sign with ES256, and not with SM2."""
    head = sign(payload, SECRET, key_id=KEY.kid, typ="dc+sd-jwt")
    return head + "~" + DUAL.partition("~")[2]


def outcome(text: str, **given: Any) -> Outcome:
    found = read(text, KEYS, **given)
    return Outcome.OK if isinstance(found, Contents) else found


def test_both_hold_and_who_knows_one_alone_reads_it_too() -> None:
    assert outcome(DUAL, sm2=GM_KEYS, require_sm2=True) is Outcome.OK
    assert outcome(DUAL) is outcome(DUAL, sm2=GM_KEYS) is Outcome.OK
    assert read(DUAL, KEYS) == read(token(), KEYS)
    assert outcome(token(), sm2=GM_KEYS) is Outcome.OK
    assert outcome(token(), sm2=GM_KEYS, require_sm2=True) is Outcome.BAD_SIGNATURE
    found = check(DUAL, listed(), keys=KEYS, now=NOW, sm2=GM_KEYS, require_sm2=True)
    assert found.outcome is Outcome.OK


def test_whoever_forges_the_first_signature_still_lacks_the_second() -> None:
    payload = payload_of(DUAL)
    for name, value in (("exp", payload["exp"] + 1), ("vct", "urn:zhijian:passport"), ("colour", "red"), ("more", 1)):
        assert outcome(resigned({**payload, name: value})) is Outcome.OK  # ES256 alone does not see it.
        assert outcome(resigned({**payload, name: value}), sm2=GM_KEYS) is Outcome.BAD_SIGNATURE
    bare = {name: value for name, value in payload.items() if name != "gm"}
    assert outcome(resigned(bare), sm2=GM_KEYS, require_sm2=True) is Outcome.BAD_SIGNATURE
    by_another = countersigned(bare, OTHER, what=TOKEN)
    assert outcome(resigned(by_another), sm2=GM_KEYS) is Outcome.UNKNOWN
    lying = {**by_another, "gm": {**by_another["gm"], "kid": SM2.kid}}
    assert outcome(resigned(lying), sm2=GM_KEYS) is Outcome.BAD_SIGNATURE


def test_what_was_signed_as_a_paper_is_no_token_and_the_order_of_names_is_no_matter() -> None:
    bare = {"b": "乙", "a": [1, {"d": None, "c": "x"}]}
    paper = countersigned(bare, SM2, what=COPY)
    assert objection(paper, GM_KEYS, what=COPY, required=True) is None
    assert objection(paper, GM_KEYS, what=TOKEN) is Outcome.BAD_SIGNATURE
    turned = json.loads(json.dumps({"gm": paper["gm"], "a": [1, {"c": "x", "d": None}], "b": "乙"}))
    assert objection(turned, GM_KEYS, what=COPY) is None


NONE: list[object] = [
    None, "", [], {}, {"kid": SM2.kid}, {"kid": 1, "sig": "x"}, {"kid": SM2.kid, "sig": "?"},
    {"kid": SM2.kid, "sig": "", "x": ""},
]  # fmt: skip


@pytest.mark.parametrize("gm", NONE)
def test_a_second_signature_that_is_none_is_unreadable(gm: object) -> None:
    assert outcome(resigned({**payload_of(DUAL), "gm": gm}), sm2=GM_KEYS) is Outcome.UNREADABLE


def test_no_mutated_second_signature_is_taken() -> None:
    payload = payload_of(DUAL)
    text = payload["gm"]["sig"]
    for place in range(len(text)):
        letter = "A" if text[place] != "A" else "B"
        changed = {**payload["gm"], "sig": text[:place] + letter + text[place + 1 :]}
        found = objection({**payload, "gm": changed}, GM_KEYS, what=TOKEN)
        assert found in {Outcome.BAD_SIGNATURE, Outcome.UNREADABLE}


def test_a_key_set_tells_both_kinds_apart() -> None:
    assert sm2_keys_of(JWKS) == GM_KEYS
    assert set(keys_of(JWKS)) == {KEY.kid}
    for wrong in ({"x": "AA"}, {"y": JWKS["keys"][1]["x"]}, {"x": 1}):
        with pytest.raises(ValueError, match=r"SM2 point|key|base64url"):
            sm2_keys_of({"keys": [{**JWKS["keys"][1], **wrong}]})
    with pytest.raises(ValueError, match="keys"):
        sm2_keys_of([])


def test_the_command_checks_both(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    keys, status_list = tmp_path / "keys.json", tmp_path / "list.jwt"
    keys.write_text(json.dumps(JWKS))
    status_list.write_text(listed())
    given = ["--keys", str(keys), "--status-list", str(status_list), "--at", NOW.isoformat()]
    assert verify_offline.main([DUAL, *given, "--require-sm2"]) == 0
    assert verify_offline.main([token(), *given]) == 0
    assert verify_offline.main([token(), *given, "--require-sm2"]) == 7
    assert verify_offline.main([resigned({**payload_of(DUAL), "colour": "red"}), *given]) == 7
    assert "签名不对" in capsys.readouterr().out


async def test_where_the_profile_says_so_a_token_has_both_and_the_portal_checks_both(hall: Hall) -> None:
    ring, clock = hall.ground.ring, hall.ground.clock
    before = await hall.tokens.issue(hall.me, (await hall.held()).id, claims=["age>=18"])
    dual = IssuerKeys(lambda: ring.issuers, clock=clock, sm2=lambda: ring.sm2)
    hall.tokens._keys = hall.verification._keys = dual
    after = await hall.tokens.issue(hall.me, (await hall.held()).id, claims=["age>=18"])
    assert before is not None
    assert after is not None
    assert "gm" not in payload_of(before.token)
    assert payload_of(after.token)["gm"]["kid"] == ring.sm2.current(clock.now()).kid
    assert len(after.qr_svgs) == 1
    for each in (before, after):
        assert (await hall.verification.verify(each.token)).outcome is Outcome.OK
    assert [(key["crv"], key["alg"]) for key in dual.jwks()] == [("P-256", "ES256"), ("SM2", "SM2-SM3")]
    assert sm2_keys_of({"keys": dual.jwks()}) == dual.accepted_sm2()
    forged = replace(CONTENTS, kind="passport")
    assert isinstance(read(compose(forged, key=KEY, salt=salts(), sm2=OTHER), KEYS), Contents)
