"""A transaction of Tortoise's that gives back what it holds also when it cannot begin."""

from types import TracebackType
from typing import Final

from tortoise.backends.base.client import BaseDBAsyncClient, TransactionContext
from tortoise.exceptions import TransactionManagementError

# Tortoise sets it once the connection (on SQLite the only lock) is held and just before it begins.
_HELD: Final = "token"


class Begun:
    """What `async with` stands on: begins, and ends by a commit or a rollback.

    Where BEGIN fails, because the connection was cut, Tortoise 1.1.9 keeps that connection for good: as many cuts as
    the pool has places stop a process until it is started again.
    """

    __slots__ = ("_context",)

    def __init__(self, context: TransactionContext) -> None:
        self._context = context

    async def __aenter__(self) -> BaseDBAsyncClient:
        try:
            return await self._context.__aenter__()
        except BaseException:
            if hasattr(self._context, _HELD):
                # Told that no transaction runs, it only gives back.
                await self._context.__aexit__(TransactionManagementError, None, None)
            raise

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._context.__aexit__(kind, error, trace)
