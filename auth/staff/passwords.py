"""Passwords of the staff: kept as argon2id, refused when they are guessed early."""

import asyncio
import secrets
from typing import Final

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from zxcvbn import zxcvbn

from auth.staff.errors import PasswordWeak
from auth.staff.rules import is_guessable
from core.errors import FieldError

LONGEST: Final = 256
# OWASP's figures for argon2id: 19 MiB, two passes, one lane; about 30 ms. Two at once, so that a flood of logins takes
# neither the memory nor all threads.
_AT_ONCE: Final = 2
_OWASP: Final = PasswordHasher(time_cost=2, memory_cost=19 * 1024, parallelism=1)
# zxcvbn looks at so much: what is longer is not guessed by its words.
_LOOKED_AT: Final = 72
# What people here choose first, beyond the list of 30,000 that zxcvbn brings.
_EARLY_WORDS: Final = (
    "zhijian", "zhijianbanshi", "woaini", "woaizhongguo", "5201314", "1314520", "1314521", "aini1314", "wodemima",
    "mima", "zhengwu", "banshidating", "admin", "guanliyuan",
)  # fmt: skip


class Passwords:
    """Hashes and compares, a few at a time, beside the event loop."""

    def __init__(self, *, hasher: PasswordHasher = _OWASP) -> None:
        self._hasher = hasher
        self._places = asyncio.Semaphore(_AT_ONCE)
        # No password has it; compared with when there is no such operator, so that the answer takes as long.
        self._nobody = hasher.hash(secrets.token_hex(16))

    async def hash(self, password: str) -> str:
        """Return what is kept of a password."""
        async with self._places:
            return await asyncio.to_thread(self._hasher.hash, password)

    async def is_right(self, password: str, password_hash: str) -> bool:
        """Tell whether a password is the one of a hash; an empty hash is nobody's and takes as long."""
        async with self._places:
            return await asyncio.to_thread(self._verify, password_hash or self._nobody, password[:LONGEST])

    async def check(self, password: str, username: str) -> None:
        """Refuse a password that is too easy to guess.

        Raises:
            PasswordWeak: it is.
        """
        async with self._places:
            found = await asyncio.to_thread(zxcvbn, password[:_LOOKED_AT], [username, *_EARLY_WORDS])
        if is_guessable(password, username, int(found["score"])):
            raise PasswordWeak(errors=[FieldError("/password", "weak", "密码太容易被猜到", "Too easy to guess")])

    def _verify(self, password_hash: str, password: str) -> bool:
        try:
            return self._hasher.verify(password_hash, password)
        except (VerificationError, InvalidHashError):
            return False
