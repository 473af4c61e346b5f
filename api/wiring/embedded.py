"""What the embedded mode makes for itself on first start: keys, and credentials that it shares with the sandbox.

Random for every installation and kept in its data folder. Production is given all of this and makes none.
"""

import base64
import json
import os
import secrets
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import gmssl_pyx
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ed25519

from core.crypto import make_keys, private_pem
from core.keyring.sm2 import Sm2PrivateKey


@dataclass(frozen=True, slots=True)
class EmbeddedFolder:
    """The data folder of an embedded installation."""

    path: Path

    @property
    def ours(self) -> Path:
        """What only the product may read of the credentials."""
        return self.path / "keys" / "partners.json"

    @property
    def theirs(self) -> Path:
        """What the sandbox reads: its side of the same credentials."""
        return self.path / "sandbox" / "credentials.json"

    def prepare(self) -> list[str]:
        """Make what is missing and return the names of what was made. What exists stays untouched."""
        self.path.mkdir(parents=True, exist_ok=True)
        made = make_keys(self.path / "keys")
        (self.path / "sandbox").mkdir(exist_ok=True)
        before = (_read(self.ours), _read(self.theirs))
        ours, theirs = _credentials()
        # What is known on both sides stays; a system that came with a newer version gets its own.
        for name in before[0].keys() & before[1].keys():
            ours[name], theirs[name] = before[0][name], before[1][name]
        if (ours, theirs) != before:
            _write(self.theirs, theirs)
            _write(self.ours, ours)
            made += [self.theirs.name, self.ours.name]
        return made

    def partners(self, sandbox_url: str) -> dict[str, dict[str, Any]]:
        """Return the settings of all outside systems, at the sandbox's addresses."""
        ours: dict[str, dict[str, Any]] = json.loads(self.ours.read_text())
        return {
            name: {**section, "address": f"{sandbox_url.rstrip('/')}/{name.replace('_', '-')}"}
            for name, section in ours.items()
        }


_SIGNED: Final = (
    "population_registry",
    "public_security",
    "education",
    "real_estate",
    "department_desk",
    "civil_affairs",
    "civil_affairs_cases",
    "taxation",
    "notary",
    "market_regulation",
    "disabled_persons",
    "health",
    "data_quality",
    "object_store",
    "sms",
    "mobile_register",
    "bank_clearing",
    "payment",
    "network_identity",
)


# Who tells of certificates under a key of their own; public security has one for all that it tells.
_ISSUERS: Final = ("human-resources", "housing-fund", "disabled-persons", "health")


# Whose matters come to the common desk of departments; each tells of its cases there under a key of its own.
_AT_THE_DESK: Final = (
    "public-security",
    "human-resources",
    "housing-fund",
    "disabled-persons",
    "health",
    "education",
    "real-estate",
    "notary",
    "civil-affairs",
    "taxation",
    "medical-insurance",
)


def _credentials() -> tuple[dict[str, Any], dict[str, Any]]:
    """Return both sides of fresh credentials: the product's and the sandbox's."""
    ours: dict[str, Any] = {}
    theirs: dict[str, Any] = {}
    wechat = {"app_id": f"wx{secrets.token_hex(8)}", "app_secret": secrets.token_hex(16)}
    ours["wechat"] = theirs["wechat"] = wechat
    for name in _SIGNED:
        ours[name] = {"app_id": secrets.token_hex(8), "secret": secrets.token_urlsafe(32)}
        theirs[name] = dict(ours[name])
    key = ed25519.Ed25519PrivateKey.generate()
    key_id = f"public-security-{secrets.token_hex(4)}"
    theirs["public_security"] |= {"callback_key_id": key_id, "callback_private_key": private_pem(key).decode()}
    ours["public_security"] |= {
        "callback_key_id": key_id,
        "callback_public_key": _public_pem(key),
    }
    ours["issuer_callbacks"], theirs["issuer_callbacks"] = {}, {}
    for department in _ISSUERS:
        key = ed25519.Ed25519PrivateKey.generate()
        key_id = f"{department}-{secrets.token_hex(4)}"
        ours["issuer_callbacks"][department] = {"key_id": key_id, "public_key": _public_pem(key)}
        theirs["issuer_callbacks"][department] = {"key_id": key_id, "private_key": private_pem(key).decode()}
    ours["department_desk"] |= {"callback_key_ids": {}, "callback_public_keys": {}}
    theirs["department_desk"] |= {"callbacks": {}}
    for department in _AT_THE_DESK:
        key = ed25519.Ed25519PrivateKey.generate()
        key_id = f"desk-{department}-{secrets.token_hex(4)}"
        ours["department_desk"]["callback_key_ids"][department] = key_id
        ours["department_desk"]["callback_public_keys"][department] = _public_pem(key)
        theirs["department_desk"]["callbacks"][department] = {
            "key_id": key_id,
            "private_key": private_pem(key).decode(),
        }
    report_key = ed25519.Ed25519PrivateKey.generate()
    report_key_id = f"sms-{secrets.token_hex(4)}"
    theirs["sms_reports"] = {"key_id": report_key_id, "private_key": private_pem(report_key).decode()}
    ours["sms_reports"] = {"report_key_id": report_key_id, "report_public_key": _public_pem(report_key)}
    # WeChat's own form: 32 bytes in base64 without the sign that fills it up.
    push = {
        "token": secrets.token_hex(16),
        "aes_key": base64.b64encode(secrets.token_bytes(32)).decode().rstrip("="),
    }
    ours["wechat_push"], theirs["wechat_push"] = push, push
    public, private = gmssl_pyx.sm2_key_generate()
    shared = {
        "access_id": secrets.token_hex(8),
        "secret": secrets.token_urlsafe(32),
        "soap_app_id": secrets.token_hex(8),
        "soap_secret": secrets.token_urlsafe(32),
        "sm2_public_key": "04" + public.hex(),
    }
    theirs["human_resources"] = shared
    ours["human_resources"] = {**shared, "sm2_private_key": private.hex()}
    public, private = gmssl_pyx.sm2_key_generate()
    shared = {
        "access_id": secrets.token_hex(8),
        "secret": secrets.token_urlsafe(32),
        "sm2_public_key": "04" + public.hex(),
    }
    theirs["housing_fund"] = shared
    ours["housing_fund"] = {**shared, "sm2_private_key": private.hex()}
    ours["health_cases"], theirs["health_cases"] = _sealed_pair()
    ours["disabled_persons_cases"], theirs["disabled_persons_cases"] = _signing_pair()
    return ours, theirs


def _sealed_pair() -> tuple[dict[str, Any], dict[str, Any]]:
    """Return both sides of a sealed conversation: each has its own SM2 key and the other's public one."""
    our_public, our_private = gmssl_pyx.sm2_key_generate()
    their_public, their_private = gmssl_pyx.sm2_key_generate()
    shared = {"app_id": secrets.token_hex(8), "secret": secrets.token_urlsafe(32)}
    return (
        {**shared, "private_key": our_private.hex(), "public_key": "04" + their_public.hex()},
        {**shared, "private_key": their_private.hex(), "caller_public_key": "04" + our_public.hex()},
    )


def _signing_pair() -> tuple[dict[str, Any], dict[str, Any]]:
    """Return both sides of a conversation that each signs with an SM2 key of its own."""
    ours, theirs, app_id = Sm2PrivateKey.generate(), Sm2PrivateKey.generate(), secrets.token_hex(8)

    def side(own: Sm2PrivateKey, other: Sm2PrivateKey) -> dict[str, Any]:
        private_key, public_key = own.text().decode().strip(), "04" + other.public.point.hex()
        return {"app_id": app_id, "private_key": private_key, "public_key": public_key}

    return side(ours, theirs), side(theirs, ours)


def _read(path: Path) -> dict[str, Any]:
    told: dict[str, Any] = json.loads(path.read_text()) if path.exists() else {}
    return told


def _public_pem(key: ed25519.Ed25519PrivateKey) -> str:
    form = serialization.PublicFormat.SubjectPublicKeyInfo
    return key.public_key().public_bytes(serialization.Encoding.PEM, form).decode()


def _write(path: Path, value: dict[str, Any]) -> None:
    """Write a file that only this user can read, whole or not at all."""
    draft = path.with_suffix(".draft")
    draft.unlink(missing_ok=True)
    file = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(file, "w") as out:
        json.dump(value, out, indent=2)
        out.flush()
        os.fsync(out.fileno())
    draft.replace(path)
