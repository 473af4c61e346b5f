"""The files of keys: written once for this user alone, and refused when others may read them or they are weak."""

import base64
import binascii
import os
from pathlib import Path

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519

from core.settings import UnsafeSettings


def write_key(path: Path, content: bytes) -> None:
    """Write a key into a new file that only this user may read, and see it on the disk.

    Raises:
        FileExistsError: there is such a file already.
    """
    file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(file, "wb") as out:
        out.write(content)
        out.flush()
        os.fsync(out.fileno())


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


def raw_key(path: Path) -> bytes:
    """Read 32 random bytes that stand in base64.

    Raises:
        UnsafeSettings: they are missing, weak, or readable by others.
    """
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


def ec_key(path: Path) -> ec.EllipticCurvePrivateKey:
    """Read a P-256 private key.

    Raises:
        UnsafeSettings: it is missing, another kind of key, or readable by others.
    """
    key = _private_key(path)
    if not isinstance(key, ec.EllipticCurvePrivateKey) or not isinstance(key.curve, ec.SECP256R1):
        raise UnsafeSettings(f"The key {path.name} is not a P-256 private key.")
    return key


def ec_public_key(path: Path) -> ec.EllipticCurvePublicKey:
    """Read the public half of a key; of a key that signs no more the private half need not be kept.

    Raises:
        UnsafeSettings: it is missing, another kind of key, or readable by others.
    """
    if b"PUBLIC KEY" not in _read(path):
        return ec_key(path).public_key()
    try:
        key = serialization.load_pem_public_key(_read(path))
    except (ValueError, UnsupportedAlgorithm) as error:
        raise UnsafeSettings(f"The key {path.name} is no key in PEM.") from error
    if not isinstance(key, ec.EllipticCurvePublicKey) or not isinstance(key.curve, ec.SECP256R1):
        raise UnsafeSettings(f"The key {path.name} is not a P-256 public key.")
    return key


def ed_key(path: Path) -> ed25519.Ed25519PrivateKey:
    """Read an Ed25519 private key.

    Raises:
        UnsafeSettings: it is missing, another kind of key, or readable by others.
    """
    key = _private_key(path)
    if not isinstance(key, ed25519.Ed25519PrivateKey):
        raise UnsafeSettings(f"The key {path.name} is not an Ed25519 private key.")
    return key
