"""How large a status list of a million entries is, and how long it takes to build and sign it."""

import time
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Final

from cryptography.hazmat.primitives.asymmetric import ec

from certificates.offline.status_list import SIZE, compose, deflate
from core.keyring.jwk import thumbprint
from core.keyring.ring import Key

MOST_SECONDS: Final = 1.0
MOST_BYTES: Final = 20_000
_REVOKED_PERCENT: Final = 1
_ROUNDS: Final = 5
_NOW: Final = datetime(2026, 3, 10, 2, 0, tzinfo=UTC)


def figures() -> dict[str, float]:
    """Build lists with one entry in a hundred revoked, anywhere; return the slowest time and the largest size."""
    secret = ec.generate_private_key(ec.SECP256R1())
    key = Key(thumbprint(secret.public_key()), secret)
    took, sizes = [], []
    for seed in range(_ROUNDS):
        marked = [(index, 1) for index in Random(seed).sample(range(SIZE), SIZE * _REVOKED_PERCENT // 100)]
        begun = time.perf_counter()
        lst = deflate(marked)
        compose(lst, uri="https://x", now=_NOW, ttl=timedelta(minutes=5), lives=timedelta(hours=24), key=key)
        took.append(time.perf_counter() - begun)
        sizes.append(len(lst) * 3 // 4)
    return {"entries": SIZE, "revoked": SIZE * _REVOKED_PERCENT // 100, "seconds": max(took), "bytes": max(sizes)}
