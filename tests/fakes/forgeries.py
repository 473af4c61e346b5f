"""Tokens that are not ours, each wrong in one way: what an attacker with every tool but our key would try."""

import base64
import hashlib
import hmac
import json
from collections.abc import Callable, Mapping
from typing import Any

import jwt
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa

from core.keyring.jwk import thumbprint

ORDER = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
OTHER = ec.generate_private_key(ec.SECP256R1())
RSA = rsa.generate_private_key(public_exponent=65537, key_size=2048)
RS256 = (padding.PKCS1v15(), hashes.SHA256())
# What never comes to be looked at as a token when it is a header: HTTP cannot carry it, takes it for another spelling
# of the same header, or finds it too long.
NOT_FOR_A_HEADER = frozenset({"spaces", "a line break", "a NUL", "not ascii", "huge", "huge nonsense"})


def b64(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def jwk_of(key: ec.EllipticCurvePrivateKey) -> dict[str, Any]:
    jwk: dict[str, Any] = json.loads(jwt.algorithms.ECAlgorithm.to_jwk(key.public_key()))
    return jwk


def made(header: Mapping[str, Any], payload: Mapping[str, Any] | bytes, sign: Callable[[bytes], bytes]) -> str:
    """Make any token by hand."""
    body = payload if isinstance(payload, bytes) else json.dumps(dict(payload)).encode()
    signed = f"{b64(json.dumps(dict(header)).encode())}.{b64(body)}"
    return f"{signed}.{b64(sign(signed.encode()))}"


def es256(key: ec.EllipticCurvePrivateKey, *, low: bool = True) -> Callable[[bytes], bytes]:
    """Sign as pyjwt does, with the lower or the higher of the two signatures that are good."""

    def sign(data: bytes) -> bytes:
        signature = jwt.algorithms.ECAlgorithm(jwt.algorithms.ECAlgorithm.SHA256).sign(data, key)
        s = int.from_bytes(signature[32:])
        return signature[:32] + (min if low else max)(s, ORDER - s).to_bytes(32)

    return sign


def hs256(secret: bytes) -> Callable[[bytes], bytes]:
    return lambda data: hmac.digest(secret, data, hashlib.sha256)


def forgeries(key: ec.EllipticCurvePrivateKey, payload: Mapping[str, Any]) -> dict[str, str]:
    """Return forged tokens by what is wrong with them; `key` signs ours, `payload` is what one of ours says."""
    header = {"alg": "ES256", "typ": "at+jwt", "kid": thumbprint(key.public_key())}
    kid, now = header["kid"], payload["iat"]
    good = made(header, payload, es256(key))
    head, body, signature = good.split(".")
    public_pem = key.public_key().public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    )

    def ours(header: Mapping[str, Any], payload: Mapping[str, Any] | bytes = payload) -> str:
        return made(header, payload, es256(key))

    def without(name: str) -> dict[str, Any]:
        return {claim: value for claim, value in payload.items() if claim != name}

    return {
        "nothing": "",
        "one segment": "abc",
        "two segments": f"{head}.{body}",
        "four segments": f"{good}.{signature}",
        "five segments": f"{good}.{signature}.{signature}",
        "empty segments": "..",
        "no signature": f"{head}.{body}.",
        "padding": f"{good}==",
        "spaces": f" {good}",
        "a line break": f"{good}\n",
        "not ascii": good.replace("e", "е", 1),
        "a NUL": f"{good}\x00",
        "standard base64": f"{head}.{body}.{signature[:-2]}+/",
        "another spelling of the signature": f"{head}.{body}.{signature[:-1]}{chr(ord(signature[-1]) + 1)}",
        "the other signature of the same text": made(header, payload, es256(key, low=False)),
        "a swapped signature": f"{head}.{body}.{ours(header, {**payload, 'jti': 'b2'}).split('.')[2]}",
        "a signature of zeros": f"{head}.{body}.{b64(bytes(64))}",
        "a short signature": f"{head}.{body}.{b64(bytes(63))}",
        "a DER signature": made(header, payload, lambda data: key.sign(data, ec.ECDSA(hashes.SHA256()))),
        "alg none": made({**header, "alg": "none"}, payload, lambda _data: b""),
        "alg None": made({**header, "alg": "None"}, payload, lambda _data: b""),
        "alg none with our signature": ours({**header, "alg": "none"}, payload),
        "alg empty": ours({**header, "alg": ""}, payload),
        "alg missing": ours({"typ": "at+jwt", "kid": kid}, payload),
        "alg a list": ours({**header, "alg": ["ES256"]}, payload),
        "alg lower case": ours({**header, "alg": "es256"}, payload),
        "HS256 with the public key": made({**header, "alg": "HS256"}, payload, hs256(public_pem)),
        "HS256 with the key id": made({**header, "alg": "HS256"}, payload, hs256(kid.encode())),
        "HS256 with nothing": made({**header, "alg": "HS256"}, payload, hs256(b"")),
        "HS512": made({**header, "alg": "HS512"}, payload, hs256(public_pem)),
        "ES384": ours({**header, "alg": "ES384"}, payload),
        "RS256": made({**header, "alg": "RS256"}, payload, lambda data: RSA.sign(data, *RS256)),
        "EdDSA": made({**header, "alg": "EdDSA"}, payload, ed25519.Ed25519PrivateKey.generate().sign),
        "another key": made(header, payload, es256(OTHER)),
        "another key and its id": made({**header, "kid": thumbprint(OTHER.public_key())}, payload, es256(OTHER)),
        "no kid": ours({"alg": "ES256", "typ": "at+jwt"}, payload),
        "kid empty": ours({**header, "kid": ""}, payload),
        "kid null": ours({**header, "kid": None}, payload),
        "kid a number": ours({**header, "kid": 1}, payload),
        "kid a list": ours({**header, "kid": [kid]}, payload),
        "kid a path": made({**header, "kid": "../../../../dev/null"}, payload, hs256(b"")),
        "kid SQL": made({**header, "kid": "x' UNION SELECT 'secret' --"}, payload, hs256(b"secret")),
        "jku": made({**header, "jku": "https://attacker.test/jwks"}, payload, es256(OTHER)),
        "x5u": made({**header, "x5u": "https://attacker.test/cert"}, payload, es256(OTHER)),
        "jwk": made({**header, "jwk": jwk_of(OTHER)}, payload, es256(OTHER)),
        "x5c": made({**header, "x5c": ["MIIB"]}, payload, es256(OTHER)),
        "jku, signed by us": ours({**header, "jku": "https://attacker.test/jwks"}),
        "jwk, signed by us": ours({**header, "jwk": jwk_of(key)}),
        "crit": ours({**header, "crit": ["exp"]}, payload),
        "b64 false": ours({**header, "b64": False, "crit": ["b64"]}, payload),
        "zip": ours({**header, "zip": "DEF"}, payload),
        "typ JWT": ours({**header, "typ": "JWT"}, payload),
        "typ missing": ours({"alg": "ES256", "kid": kid}, payload),
        "typ refresh": ours({**header, "typ": "rt+jwt"}, payload),
        "typ with its prefix": ours({**header, "typ": "application/at+jwt"}, payload),
        "header a list": f"{b64(b'[]')}.{body}.{signature}",
        "header no JSON": f"{b64(b'{{')}.{body}.{signature}",
        "header deep": f"{b64(b'[' * 3000)}.{body}.{signature}",
        "payload no JSON": ours(header, b"{"),
        "payload a list": ours(header, b"[]"),
        "payload a number": ours(header, b"1"),
        "another audience": ours(header, {**payload, "aud": "zhijian-staff"}),
        "audiences": ours(header, {**payload, "aud": ["zhijian-citizen", "other"]}),
        "another issuer": ours(header, {**payload, "iss": "zhijian-2"}),
        "issued in the future": ours(header, {**payload, "iat": now + 120, "exp": now + 700}),
        "too long a life": ours(header, {**payload, "exp": now + 86_400}),
        "exp a text": ours(header, {**payload, "exp": str(now + 600)}),
        "exp a fraction": ours(header, {**payload, "exp": now + 599.5}),
        "exp infinite": ours(header, json.dumps({**payload, "exp": float("inf")}).encode()),
        "exp true": ours(header, {**payload, "exp": True}),
        "exp null": ours(header, {**payload, "exp": None}),
        "sub no id": ours(header, {**payload, "sub": "somebody"}),
        "sub a number": ours(header, {**payload, "sub": 17}),
        "sid no id": ours(header, {**payload, "sid": "' OR 1=1 --"}),
        "sid a number": ours(header, {**payload, "sid": 23}),
        **{f"no {name}": ours(header, without(name)) for name in payload},
        "huge": ours(header, {**payload, "pad": "x" * 8192}),
        "huge nonsense": "A" * 1_000_000,
    }  # fmt: skip
