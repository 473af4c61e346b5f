"""The keys that never stand in the database: files in one folder, several of a kind while one follows another.

`token.pem`, `issuer.pem`, `index.key` and `kek.key` are made on the first start. A rotation puts another file beside
them (`token-<id>.pem`) and writes into `keys.json` from when it is the current one, and until when an earlier one is
still taken. Times decide, never a restart: every process looks at the folder once a second, so a key is known
everywhere before anybody uses it (docs/decisions/0028).
"""

import base64
import binascii
import hashlib
import json
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final, Generic, TypeVar

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519

from core.keyring.jwk import sm2_thumbprint, thumbprint
from core.keyring.sm2 import Sm2PrivateKey
from core.log import get_logger
from core.settings import UnsafeSettings

log = get_logger(__name__)

K = TypeVar("K")
_Reader = Callable[[Path], tuple[str, K]]

KEK_FILE: Final = "kek.key"
INDEX_FILE: Final = "index.key"
MARK_FILE: Final = "mark.key"
TOKEN_FILE: Final = "token.pem"  # noqa: S105 — the name of a file
ISSUER_FILE: Final = "issuer.pem"
SM2_FILE: Final = "sm2.key"
AUDIT_FILE: Final = "audit.pem"
# When which key is current; holds no key.
PLAN_FILE: Final = "keys.json"

# The kinds of which there may be several, by the file of the first.
FIRST_FILES: Final[Mapping[str, str]] = {
    "token": TOKEN_FILE,
    "issuer": ISSUER_FILE,
    "sm2": SM2_FILE,
    "index": INDEX_FILE,
    "kek": KEK_FILE,
}
_ALWAYS: Final = datetime.min.replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True, repr=False)
class Key(Generic[K]):
    """One key of a kind. `accepted_until`: from then on nothing that was made with it is taken any more."""

    kid: str
    secret: K
    current_from: datetime = _ALWAYS
    accepted_until: datetime | None = None

    def __repr__(self) -> str:
        return f"<Key {self.kid}>"


@dataclass(frozen=True, slots=True)
class KeySet(Generic[K]):
    """All keys of a kind, in the order in which they become current."""

    keys: tuple[Key[K], ...]

    @classmethod
    def of(cls, *keys: Key[K]) -> "KeySet[K]":
        """Return a set of keys."""
        return cls(tuple(sorted(keys, key=lambda key: key.current_from)))

    def current(self, now: datetime) -> Key[K]:
        """Return the key that is used for what is made now."""
        for key in reversed(self.keys):
            if key.current_from <= now:
                return key
        return self.keys[0]

    def accepted(self, now: datetime) -> tuple[Key[K], ...]:
        """Return every key of which something may turn up now: earlier ones, the current one, and those to come."""
        return tuple(key for key in self.keys if key.accepted_until is None or key.accepted_until > now)

    def next_change(self, now: datetime) -> datetime | None:
        """Return when `current` or `accepted` will answer otherwise, if the folder stays as it is."""
        moments = [key.current_from for key in self.keys]
        moments += [key.accepted_until for key in self.keys if key.accepted_until is not None]
        return min((moment for moment in moments if moment > now), default=None)


@dataclass(frozen=True, slots=True)
class DataKeyPlan:
    """What the folder says of the data keys, which lie wrapped in the database."""

    # The highest number there is to be, and from when it seals.
    newest: int = 0
    current_from: datetime = _ALWAYS
    # Those below it are to be destroyed.
    retired_below: int = 0


@dataclass(frozen=True, slots=True, repr=False)
class _Keys:
    """One reading of the folder."""

    token: KeySet[ec.EllipticCurvePrivateKey]
    issuer: KeySet[ec.EllipticCurvePrivateKey]
    sm2: KeySet[Sm2PrivateKey]
    index: KeySet[bytes]
    kek: KeySet[bytes]
    mark: bytes
    audit: ed25519.Ed25519PrivateKey
    data: DataKeyPlan
    retired: frozenset[str]


class KeyRing:
    """The keys of an installation as its folder holds them now; `refresh` looks again."""

    def __init__(self, folder: Path) -> None:
        """Read the folder.

        Raises:
            UnsafeSettings: a key is missing, weak, or readable by others.
        """
        self._folder = folder
        self._seen = _signature(folder)
        self._keys = _read_folder(folder)

    def __repr__(self) -> str:
        return "<KeyRing>"

    @classmethod
    def load(cls, folder: Path) -> "KeyRing":
        """Read the keys from a folder that only this user may read.

        Raises:
            UnsafeSettings: a key is missing, weak, or readable by others.
        """
        return cls(folder)

    def refresh(self) -> bool:
        """Look at the folder again; tell whether it had changed. What cannot be read leaves the keys as they were."""
        try:
            seen = _signature(self._folder)
            if seen == self._seen:
                return False
            self._keys = _read_folder(self._folder)
        except (UnsafeSettings, OSError) as error:
            log.error("the key folder cannot be read; going on with the keys of before", error=type(error).__name__)
            return False
        self._seen = seen
        log.info("keys taken up", count=sum(len(keys.keys) for keys in (self.tokens, self.issuers, self.indexes)))
        return True

    @property
    def tokens(self) -> KeySet[ec.EllipticCurvePrivateKey]:
        """The keys of access tokens."""
        return self._keys.token

    @property
    def issuers(self) -> KeySet[ec.EllipticCurvePrivateKey]:
        """The keys under which certificates are issued."""
        return self._keys.issuer

    @property
    def sm2(self) -> KeySet[Sm2PrivateKey]:
        """The keys under which certificates are issued where SM2 stands beside ES256."""
        return self._keys.sm2

    @property
    def indexes(self) -> KeySet[bytes]:
        """The keys of blind indexes."""
        return self._keys.index

    @property
    def keks(self) -> KeySet[bytes]:
        """The keys that wrap data keys."""
        return self._keys.kek

    @property
    def mark(self) -> bytes:
        """The key of marks (`Vault.mark`)."""
        return self._keys.mark

    @property
    def audit(self) -> ed25519.Ed25519PrivateKey:
        """The key that signs the heads of the audit chain."""
        return self._keys.audit

    @property
    def retired(self) -> frozenset[str]:
        """The keys that were taken out of the folder, as `kind:id`."""
        return self._keys.retired

    @property
    def data(self) -> DataKeyPlan:
        """What is planned for the data keys."""
        return self._keys.data


def make_keys(folder: Path) -> list[str]:
    """Make the keys that are missing in `folder` and return their names. Existing ones stay untouched."""
    folder.mkdir(parents=True, exist_ok=True)
    folder.chmod(0o700)
    made = []
    for name in (KEK_FILE, INDEX_FILE, MARK_FILE, TOKEN_FILE, ISSUER_FILE, SM2_FILE, AUDIT_FILE):
        stem, _, ending = name.partition(".")
        # The first of a kind is gone once another has followed it.
        if not (folder / name).exists() and not any(folder.glob(f"{stem}-*.{ending}")):
            write_key(folder / name, fresh_key(stem))
            made.append(name)
    return made


def fresh_key(kind: str) -> bytes:
    """Return a new key of a kind as it stands in its file."""
    if kind in {"token", "issuer"}:
        return private_pem(ec.generate_private_key(ec.SECP256R1()))
    if kind == "sm2":
        return Sm2PrivateKey.generate().text()
    if kind == "audit":
        return private_pem(ed25519.Ed25519PrivateKey.generate())
    return base64.b64encode(os.urandom(32)) + b"\n"


def private_pem(key: ec.EllipticCurvePrivateKey | ed25519.Ed25519PrivateKey) -> bytes:
    """Return a private key as unencrypted PKCS 8."""
    return key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )


def key_id(path: Path) -> str:
    """Return the id of the key in a file of the folder.

    Raises:
        UnsafeSettings: it is missing, weak, or readable by others.
    """
    if path.suffix == ".pem":
        return thumbprint(_ec_key(path).public_key())
    if path.name.lstrip(".").startswith("sm2"):
        return _sm2(path)[0]
    return _raw_id(_raw_key(path))


def read_plan(folder: Path) -> dict[str, Any]:
    """Return what `keys.json` says; nothing where no key has ever followed another.

    Raises:
        UnsafeSettings: it cannot be read.
    """
    path = folder / PLAN_FILE
    if not path.exists():
        return {}
    try:
        plan = json.loads(_read(path))
    except ValueError as error:
        raise UnsafeSettings(f"{PLAN_FILE} in the key folder is not JSON; restore it from your backup.") from error
    if not isinstance(plan, dict):
        raise UnsafeSettings(f"{PLAN_FILE} in the key folder is not JSON; restore it from your backup.")
    return plan


def write_key(path: Path, content: bytes) -> None:
    """Write a new file that only this user can read, and see it on the disk."""
    file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(file, "wb") as out:
        out.write(content)
        out.flush()
        os.fsync(out.fileno())


def _signature(folder: Path) -> tuple[tuple[str, int, int], ...]:
    """Return what changes when the folder does. A plan is replaced as a whole, so its inode changes with it."""
    with os.scandir(folder) as found:
        stats = [(entry.name, entry.stat()) for entry in found if entry.name.endswith((".pem", ".key", PLAN_FILE))]
    return tuple(sorted((name, stat.st_ino, stat.st_mtime_ns) for name, stat in stats))


def _read_folder(folder: Path) -> _Keys:
    plan = read_plan(folder)
    try:
        return _Keys(
            token=_set(folder, plan, "token", _signing),
            issuer=_set(folder, plan, "issuer", _signing),
            sm2=_set(folder, plan, "sm2", _sm2),
            index=_set(folder, plan, "index", _symmetric),
            kek=_set(folder, plan, "kek", _symmetric),
            mark=_raw_key(folder / MARK_FILE),
            audit=_ed_key(folder / AUDIT_FILE),
            data=_data_plan(plan.get("data", {})),
            retired=frozenset(plan.get("retired", {})),
        )
    except (KeyError, TypeError, AttributeError, ValueError) as error:
        raise UnsafeSettings(f"{PLAN_FILE} in the key folder does not say what it should.") from error


def _set(folder: Path, plan: Mapping[str, Any], kind: str, read: _Reader[K]) -> KeySet[K]:
    entries = plan.get(kind, {})
    if not entries:
        kid, secret = read(folder / FIRST_FILES[kind])
        return KeySet.of(Key(kid, secret))
    keys = []
    for name, entry in entries.items():
        kid, secret = read(folder / entry["file"])
        if kid != name:
            raise UnsafeSettings(f"The key {entry['file']} is not the one that {PLAN_FILE} names.")
        keys.append(Key(kid, secret, _moment(entry["current_from"]) or _ALWAYS, _moment(entry["accepted_until"])))
    return KeySet.of(*keys)


def _data_plan(entry: Mapping[str, Any]) -> DataKeyPlan:
    if not entry:
        return DataKeyPlan()
    return DataKeyPlan(
        newest=int(entry["newest"]),
        current_from=_moment(entry["current_from"]) or _ALWAYS,
        retired_below=int(entry["retired_below"]),
    )


def _moment(text: str | None) -> datetime | None:
    return None if text is None else datetime.fromisoformat(text)


def _signing(path: Path) -> tuple[str, ec.EllipticCurvePrivateKey]:
    key = _ec_key(path)
    return thumbprint(key.public_key()), key


def _sm2(path: Path) -> tuple[str, Sm2PrivateKey]:
    try:
        key = Sm2PrivateKey.from_text(_read(path))
    except ValueError as error:
        raise UnsafeSettings(f"The key {path.name} is not an SM2 key with its public half in base64.") from error
    return sm2_thumbprint(key.public), key


def _symmetric(path: Path) -> tuple[str, bytes]:
    key = _raw_key(path)
    return _raw_id(key), key


def _raw_id(key: bytes) -> str:
    return hashlib.sha256(b"key id|" + key).hexdigest()[:16]


def _read(path: Path) -> bytes:
    try:
        if path.stat().st_mode & 0o077:
            raise UnsafeSettings(f"The key {path.name} may be read by others; run: chmod 600 on it.")
        return path.read_bytes()
    except FileNotFoundError as error:
        raise UnsafeSettings(
            f"The key {path.name} is missing in the key folder. Make keys with `python -m scripts.prepare --keys`, or "
            "restore them from your backup: what was sealed with lost keys cannot be read again.",
        ) from error


def _raw_key(path: Path) -> bytes:
    try:
        key = base64.b64decode(_read(path).strip(), validate=True)
    except binascii.Error as error:
        raise UnsafeSettings(f"The key {path.name} is not 32 random bytes in base64.") from error
    if len(key) != 32 or len(set(key)) < 8:  # noqa: PLR2004 — 256 bits that look random
        raise UnsafeSettings(f"The key {path.name} is not 32 random bytes in base64.")
    return key


def _private_key(path: Path) -> object:
    try:
        return serialization.load_pem_private_key(_read(path), password=None)
    except (ValueError, TypeError, UnsupportedAlgorithm) as error:
        raise UnsafeSettings(f"The key {path.name} is not an unencrypted private key in PEM.") from error


def _ec_key(path: Path) -> ec.EllipticCurvePrivateKey:
    key = _private_key(path)
    if not isinstance(key, ec.EllipticCurvePrivateKey) or not isinstance(key.curve, ec.SECP256R1):
        raise UnsafeSettings(f"The key {path.name} is not a P-256 private key.")
    return key


def _ed_key(path: Path) -> ed25519.Ed25519PrivateKey:
    key = _private_key(path)
    if not isinstance(key, ed25519.Ed25519PrivateKey):
        raise UnsafeSettings(f"The key {path.name} is not an Ed25519 private key.")
    return key
