"""Signatures of requests that come to us: whatever is not exactly as signed, fresh and new is refused."""

import asyncio
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed25519
from http_message_signatures import ContentDigest, HTTPMessageSigner, MappingKeyResolver, algorithms
from multidict import CIMultiDict

from core.db import fetch
from core.signers.http_signature import SignatureChecker, SignatureInvalid, Signed, TrustedKey
from tests.fakes.ground import FixedClock

URL = "https://zhijian.city.test/v1/departments/public-security/progress?a=1"
BODY = '{"reference":"r-1","state":"接受"}'.encode()
NONCE = "nonce-0123456789abcdef"
COVERED = ("@method", "@target-uri", "content-digest", "content-type")

PrivateKey = ed25519.Ed25519PrivateKey | ec.EllipticCurvePrivateKey

POLICE, NOTARY, STRANGER = (ed25519.Ed25519PrivateKey.generate() for _ in range(3))
HEALTH = ec.generate_private_key(ec.SECP256R1())
KEYS = {
    "police-1": TrustedKey("public-security", POLICE.public_key()),
    "notary-1": TrustedKey("notary", NOTARY.public_key()),
    "health-1": TrustedKey("health", HEALTH.public_key()),
}


@dataclass
class Sent:
    """A request as a department sends it."""

    method: str = "POST"
    url: str = URL
    headers: CIMultiDict[str] = field(default_factory=lambda: CIMultiDict({"Content-Type": "application/json"}))
    body: bytes = BODY


def sign(
    sent: Sent,
    *,
    key: PrivateKey = POLICE,
    key_id: str = "police-1",
    created: datetime | None = None,
    covered: tuple[str, ...] = COVERED,
    nonce: str | None = NONCE,
    **more: Any,
) -> Sent:
    """Sign as the page says; returns the same request."""
    is_ed25519 = isinstance(key, ed25519.Ed25519PrivateKey)
    signer = HTTPMessageSigner(
        signature_algorithm=algorithms.ED25519 if is_ed25519 else algorithms.ECDSA_P256_SHA256,
        key_resolver=MappingKeyResolver(private_keys={key_id: key}, public_keys={}),
    )
    if "Content-Digest" not in sent.headers:
        ContentDigest.add(sent.headers, sent.body)
    signer.sign(
        sent,
        key_id=key_id,
        created=created or FixedClock().now(),
        nonce=nonce,
        covered_component_ids=covered,
        use_existing_digest=True,
        **more,
    )
    return sent


def check(sent: Sent, clock: FixedClock | None = None) -> Signed:
    checker = SignatureChecker(KEYS, clock=clock or FixedClock())
    checking = checker.check(method=sent.method, target_uri=sent.url, headers=sent.headers, body=sent.body)
    try:
        checking.send(None)
    except StopIteration as ended:
        found: Signed = ended.value
        return found
    raise AssertionError("keys that were given at the start are waited for")


def refused(sent: Sent, clock: FixedClock | None = None) -> bool:
    try:
        check(sent, clock)
    except SignatureInvalid:
        return True
    return False


def flipped(text: str) -> Iterator[str]:
    """The text with one character changed, at each place."""
    for place, char in enumerate(text):
        yield text[:place] + ("A" if char != "A" else "B") + text[place + 1 :]


def test_a_good_signature_names_who_signed() -> None:
    assert check(sign(Sent())) == Signed("public-security", NONCE)
    assert check(sign(Sent(), key=NOTARY, key_id="notary-1")).party == "notary"


def test_a_p_256_key_signs_as_well() -> None:
    assert check(sign(Sent(), key=HEALTH, key_id="health-1")).party == "health"


def test_an_empty_body_is_signed_too() -> None:
    assert check(sign(Sent(body=b""))).party == "public-security"


def test_each_byte_of_the_body_counts() -> None:
    sent = sign(Sent())
    for place in range(len(BODY)):
        changed = BODY[:place] + bytes([BODY[place] ^ 1]) + BODY[place + 1 :]
        assert refused(replace(sent, body=changed)), place
    assert refused(replace(sent, body=b""))
    assert refused(replace(sent, body=BODY + b" "))


def test_each_character_of_the_address_counts() -> None:
    sent = sign(Sent())
    assert [url for url in flipped(URL) if url.lower() != URL.lower() and not refused(replace(sent, url=url))] == []


def test_the_method_counts() -> None:
    sent = sign(Sent())
    assert refused(replace(sent, method="PUT"))
    assert not refused(replace(sent, method="post"))


@pytest.mark.parametrize("name", ["Content-Type", "Content-Digest", "Signature", "Signature-Input"])
def test_each_character_of_the_signed_headers_counts(name: str) -> None:
    sent = sign(Sent())
    good = sent.headers[name]
    passed = []
    for value in flipped(good):
        headers = CIMultiDict(sent.headers)
        headers[name] = value
        if not refused(replace(sent, headers=headers)):
            passed.append(value)
    # The last character of base64 before the padding holds spare bits: the same bytes written otherwise are the same.
    assert len(passed) <= (1 if name == "Signature" else 0)
    headers = CIMultiDict(sent.headers)
    del headers[name]
    assert refused(replace(sent, headers=headers))


@pytest.mark.parametrize("left_out", COVERED)
def test_each_part_must_be_covered(left_out: str) -> None:
    assert refused(sign(Sent(), covered=tuple(part for part in COVERED if part != left_out)))


@pytest.mark.parametrize(
    ("seconds", "fresh"), [(0, True), (299, True), (-299, True), (301, False), (-301, False), (86_400, False)]
)
def test_a_request_is_fresh_within_five_minutes_of_our_clock(seconds: int, fresh: bool) -> None:
    now = FixedClock().now()
    assert refused(sign(Sent(), created=now - timedelta(seconds=seconds))) is not fresh


@pytest.mark.parametrize("year", [2020, 2040])
def test_only_our_clock_counts_not_the_machines(year: int) -> None:
    clock = FixedClock(FixedClock().now().replace(year=year))
    assert not refused(sign(Sent(), created=clock.now()), clock)


def test_a_request_past_its_own_end_is_refused() -> None:
    now = FixedClock().now()
    created = now - timedelta(seconds=100)
    assert not refused(sign(Sent(), created=created, expires=now - timedelta(seconds=4)))
    assert refused(sign(Sent(), created=created, expires=now - timedelta(seconds=6)))


@pytest.mark.parametrize("nonce", [None, "", "short", "x" * 129])
def test_a_nonce_of_a_proper_length_is_needed(nonce: str | None) -> None:
    assert refused(sign(Sent(), nonce=nonce))


def test_an_unknown_key_and_a_strangers_signature_are_refused() -> None:
    assert refused(sign(Sent(), key=STRANGER, key_id="stranger-1"))
    assert refused(sign(Sent(), key=STRANGER, key_id="police-1"))
    assert refused(sign(Sent(), key=NOTARY, key_id="police-1"))


def test_another_algorithm_than_the_keys_is_refused() -> None:
    sent = sign(Sent())
    for other in ("hmac-sha256", "ecdsa-p256-sha256", "none", "ed448"):
        headers = CIMultiDict(sent.headers)
        headers["Signature-Input"] = headers["Signature-Input"].replace('alg="ed25519"', f'alg="{other}"')
        assert headers["Signature-Input"] != sent.headers["Signature-Input"]
        assert refused(replace(sent, headers=headers))
    assert refused(sign(Sent(), key=HEALTH, key_id="police-1"))


@pytest.mark.parametrize(
    "trick",
    [
        {"tag": 'keyid="police-1"'},
        {"tag": "police-1"},
        {"label": "keyid"},
        {"nonce": 'keyid="police-1"-0123456789'},
    ],
)
def test_nobody_passes_for_another_by_naming_its_key(trick: dict[str, Any]) -> None:
    sent = sign(Sent(), key=NOTARY, key_id="notary-1", **trick)
    try:
        assert check(sent).party == "notary"
    except SignatureInvalid:
        return  # Refused is as good.


def test_two_signatures_are_refused() -> None:
    sent = sign(Sent(), label="one")
    assert refused(sign(sent, key=NOTARY, key_id="notary-1", label="two", append_if_signature_exists=True))


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Signature-Input": 'a=();keyid="police-1"', "Signature": "a=:AAAA:"},
        {"Signature-Input": 'keyid="police-1"', "Signature": "x"},
        {"Signature-Input": 'a=("@method");keyid="police-1"', "Signature": 'b=:AAAA:, a="text"'},
        {"Signature-Input": "\udcff", "Signature": "\x00"},
    ],
)
def test_garbage_is_refused_the_same_way(headers: dict[str, str]) -> None:
    assert refused(Sent(headers=CIMultiDict(headers)))


def test_the_refusal_tells_nothing_about_its_cause() -> None:
    with pytest.raises(SignatureInvalid) as caught:
        check(Sent())
    assert caught.value.code == "departments.signature-invalid"
    assert not caught.value.extras.members


class _Register:
    """Knows one key, and counts how often it is asked."""

    def __init__(self) -> None:
        self.asked: list[str] = []

    async def find(self, key_id: str) -> TrustedKey | None:
        self.asked.append(key_id)
        return (
            TrustedKey("a-shop", STRANGER.public_key(), "verifier", ("192.0.2.0/24",)) if key_id == "shop-1" else None
        )


@pytest.mark.parametrize(
    ("key_id", "address", "party"),
    [("shop-1", "192.0.2.7", "a-shop"), ("shop-1", "198.51.100.7", None), ("shop-1", "", None), ("shop-2", "", None)],
)
async def test_a_key_of_the_register_is_known_from_its_networks(key_id: str, address: str, party: str | None) -> None:
    register, sent = _Register(), sign(Sent(), key=STRANGER, key_id=key_id)
    checker = SignatureChecker(KEYS, clock=FixedClock(), register=register)
    asking = checker.check(
        method=sent.method, target_uri=sent.url, headers=sent.headers, body=sent.body, address=address
    )
    if party is None:
        with pytest.raises(SignatureInvalid):
            await asking
    else:
        assert await asking == Signed(party, NONCE, "verifier")
    assert register.asked == [key_id]


async def test_the_register_cannot_give_a_key_of_the_settings_another_owner() -> None:
    register, sent = _Register(), sign(Sent())
    checker = SignatureChecker(KEYS, clock=FixedClock(), register=register)
    signed = await checker.check(method=sent.method, target_uri=sent.url, headers=sent.headers, body=sent.body)
    assert (signed.party, register.asked) == ("public-security", [])


async def test_a_nonce_is_used_once_by_each_party(database: Mapping[str, Any]) -> None:
    checker = SignatureChecker(KEYS, clock=FixedClock())
    police, notary = Signed("public-security", NONCE), Signed("notary", NONCE)
    assert await checker.use(police)
    assert not await checker.use(police)
    assert await checker.use(notary)


async def test_of_fifty_replays_at_once_one_is_new(database: Mapping[str, Any]) -> None:
    checker = SignatureChecker(KEYS, clock=FixedClock())
    news = await asyncio.gather(*(checker.use(Signed("public-security", NONCE)) for _ in range(50)))
    assert sum(news) == 1
    rows = await fetch("SELECT id FROM seen_nonce")
    assert [row["id"] for row in rows] == [f"public-security|{NONCE}"]
