"""The engine that stands apart: face nodes asked over HTTP with certificates on both sides (docs/decisions/).

A check takes a place at one node and stays there. A node that has none passes the check on to the next one; when all
are full, this portal sends people away by itself for as long as the nodes said, or until one of its own checks ends.
"""

import asyncio
import math
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, replace
from http import HTTPStatus
from typing import Final, TypeVar
from uuid import UUID

import msgspec

from core.clock import Clock
from core.ids import Ids
from core.outbound import Incoming, Outbound, Partner, Unreachable
from face.errors import EngineBusy, EngineOvertime, EngineUnavailable, PictureUnusable
from face.nodes.words import CONDITION, LOOKS, PICTURES, PLACES, Condition, Looked, Place, PlaceWanted, Trouble, packed
from face.types import FrameObservation

A = TypeVar("A")

_RETRY_AFTER: Final = 2
# For everything but looking at pictures: a node answers at once, or it is ill.
_SHORT_SECONDS: Final = 1.0


def is_answer(answer: Incoming) -> bool:
    """Tell a node's own word that it is busy or has failed over a picture from a failure of the node itself."""
    return _trouble(answer) is not None


def _trouble(answer: Incoming) -> Trouble | None:
    with suppress(msgspec.MsgspecError):
        return msgspec.json.decode(answer.body, type=Trouble)
    return None


@dataclass(slots=True)
class _Node:
    """One node, and until when it said to have no place: for anybody, for the nameless."""

    partner: Partner
    busy_until: float = 0.0
    busy_for_nameless_until: float = 0.0

    def is_busy(self, until: float, *, logged_in: bool) -> None:
        """Note that the node has no such place."""
        self.busy_for_nameless_until = until
        if logged_in:
            self.busy_until = until

    def has_a_place_again(self) -> None:
        """Note that a check has ended at the node."""
        self.busy_until = self.busy_for_nameless_until = 0.0

    @property
    def short(self) -> Partner:
        """The node for a short question."""
        return replace(self.partner, timeout=_SHORT_SECONDS)


class _Examination:
    """One check's place at a node."""

    def __init__(self, outbound: Outbound, node: _Node, place: UUID) -> None:
        self._outbound = outbound
        self._node = node
        self._place = place

    async def look_at(self, pictures: Sequence[bytes]) -> tuple[FrameObservation, ...]:
        """Send the pictures to the node and wait for what is on them.

        Raises:
            PictureUnusable: one is no picture the engine looks at.
            EngineUnavailable: the node or one of its children failed over them.
            EngineOvertime: the check took too long.
        """
        if not pictures:
            return ()
        path = f"{PLACES}/{self._place}/{LOOKS}"
        answer = await _ask(self._outbound, self._node.partner, "POST", path, body=packed(pictures), media=PICTURES)
        if answer.status == HTTPStatus.OK:
            looked = _read(answer, Looked)
            if len(looked.seen) == len(pictures):
                return looked.seen
        match _trouble(answer):
            case Trouble(trouble="unusable", fault=fault, index=index) if fault is not None:
                raise PictureUnusable(fault, index)
            case Trouble(trouble="overtime", retry_after=seconds):
                raise EngineOvertime(retry_after=seconds or _RETRY_AFTER)
            case Trouble(retry_after=seconds):
                raise EngineUnavailable(retry_after=seconds or _RETRY_AFTER)
        raise EngineUnavailable(retry_after=_RETRY_AFTER)


class FaceNodes:
    """A `FaceEngine` on other machines. `nodes` are asked in turn; their `is_answer` is the one above."""

    def __init__(self, *, outbound: Outbound, nodes: Sequence[Partner], clock: Clock, ids: Ids) -> None:
        self._outbound = outbound
        self._nodes = [_Node(partner) for partner in nodes]
        self._clock = clock
        self._ids = ids
        self._next = 0
        self._model_id = ""
        self._closed = False

    @property
    def name(self) -> str:
        """The engine as results and callers name it: the same one, wherever it stands."""
        return "local"

    @property
    def model_id(self) -> str:
        """Model, weights and preprocessing of the node that was asked last; empty until one was."""
        return self._model_id

    async def is_whole(self) -> bool:
        """Whether every node answers, and all of its engine works.

        Raises:
            Nothing: a node that does not answer is not whole.
        """
        return not self._closed and all(await asyncio.gather(*map(self._node_is_whole, self._nodes)))

    def require_place(self, *, logged_in: bool = True) -> None:
        """Refuse a check while every node has said that it is full.

        Raises:
            EngineBusy: so it is, or this engine is closing.
        """
        if self._closed:
            raise EngineBusy(retry_after=_RETRY_AFTER)
        until = min(node.busy_until if logged_in else node.busy_for_nameless_until for node in self._nodes)
        wait = until - self._clock.monotonic()
        if wait > 0:
            raise EngineBusy(retry_after=math.ceil(wait))

    @asynccontextmanager
    async def admit(self, *, logged_in: bool = True) -> AsyncIterator[_Examination]:
        """Take a place at the first node that has one.

        Raises:
            EngineBusy: none has; `retry_after` is what the nodes said.
            EngineUnavailable: no node could be asked.
        """
        self.require_place(logged_in=logged_in)
        place = self._ids.uuid()
        node = await self._node_for(place, logged_in=logged_in)
        try:
            yield _Examination(self._outbound, node, place)
        finally:
            node.has_a_place_again()
            await self._give_back(node, place)

    async def warm_up(self) -> None:
        """See that a node is there; each has started its engine by itself.

        Raises:
            EngineUnavailable: none is.
        """
        if not any(await asyncio.gather(*map(self._node_is_whole, self._nodes))):
            raise EngineUnavailable(retry_after=_RETRY_AFTER)

    async def close(self) -> None:
        """Take no more checks; the nodes stay.

        Raises:
            Nothing: closing twice is fine.
        """
        self._closed = True

    async def _node_for(self, place: UUID, *, logged_in: bool) -> _Node:
        """Return the first node that has a place, taken under this id."""
        first = self._next = (self._next + 1) % len(self._nodes)
        shed: list[int] = []
        for node in (*self._nodes[first:], *self._nodes[:first]):
            try:
                seconds = await self._take(node, place, logged_in=logged_in)
            except EngineUnavailable:
                continue
            except asyncio.CancelledError:
                # Whether it was taken is not known: it would be missed until it falls back.
                await self._give_back(node, place)
                raise
            if not seconds:
                return node
            shed.append(seconds)
            node.is_busy(self._clock.monotonic() + seconds, logged_in=logged_in)
        if shed:
            raise EngineBusy(retry_after=min(shed))
        raise EngineUnavailable(retry_after=_RETRY_AFTER)

    async def _take(self, node: _Node, place: UUID, *, logged_in: bool) -> int:
        """Take a place at a node; return 0, or after how many seconds it may have one."""
        body = msgspec.json.encode(PlaceWanted(logged_in=logged_in))
        answer = await _ask(self._outbound, node.short, "PUT", f"{PLACES}/{place}", body=body, media="application/json")
        if answer.status == HTTPStatus.OK:
            self._model_id = _read(answer, Place).model_id
            return 0
        trouble = _trouble(answer)
        if trouble is None or trouble.trouble != "busy":
            raise EngineUnavailable(retry_after=_RETRY_AFTER)
        return trouble.retry_after or _RETRY_AFTER

    async def _give_back(self, node: _Node, place: UUID) -> None:
        with suppress(EngineUnavailable):  # Then it falls back by itself.
            await _ask(self._outbound, node.short, "DELETE", f"{PLACES}/{place}")

    async def _node_is_whole(self, node: _Node) -> bool:
        with suppress(EngineUnavailable):
            answer = await _ask(self._outbound, node.short, "GET", CONDITION)
            if answer.status == HTTPStatus.OK:
                told = _read(answer, Condition)
                self._model_id = told.model_id or self._model_id
                return told.whole
        return False


async def _ask(
    outbound: Outbound, node: Partner, method: str, path: str, *, body: bytes | None = None, media: str = ""
) -> Incoming:
    headers = {"Content-Type": media} if media else {}
    try:
        return await outbound.call(node, method, path, body=body, headers=headers, repeatable=False)
    except Unreachable as error:
        raise EngineUnavailable(retry_after=_RETRY_AFTER) from error


def _read(answer: Incoming, kind: type[A]) -> A:
    try:
        return msgspec.json.decode(answer.body, type=kind)
    except msgspec.MsgspecError as error:
        raise EngineUnavailable(retry_after=_RETRY_AFTER) from error
