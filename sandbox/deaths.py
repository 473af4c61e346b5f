"""Deaths in the population registry, and the news of them, from `docs/departments/population-registry.md`."""

import json
import sqlite3
from functools import partial

from aiohttp import web

from sandbox.ground.answers import NotUnderstood, answer, read_object, text
from sandbox.ground.callbacks import Callbacks
from sandbox.ground.clock import Clock
from sandbox.ground.news import tell
from sandbox.ground.signing import CallbackSigner
from sandbox.ground.store import Store, remembered
from sandbox.people import People

_DEAD = "dead"


class Deaths:
    """Who of the cast is told dead. `PUT` and `DELETE /sandbox/people/{slug}/death` change it and tell it on."""

    def __init__(
        self, *, people: People, store: Store, signer: CallbackSigner, callbacks: Callbacks, clock: Clock
    ) -> None:
        self._people = people
        self._store = store
        self._signer = signer
        self._callbacks = callbacks
        self._clock = clock
        self._dead: set[str] = set()

    async def load(self) -> None:
        """Read who was told dead before a restart."""
        self._dead = set(json.loads(await self._store.run(partial(remembered, name=_DEAD, first=lambda: "[]"))))

    def includes(self, id_number: str) -> bool:
        """Tell whether the person with this number is told dead."""
        return id_number in self._dead

    def routes(self) -> list[web.RouteDef]:
        """List the addresses."""
        return [
            web.put("/sandbox/people/{slug}/death", partial(self._set, dead=True)),
            web.delete("/sandbox/people/{slug}/death", partial(self._set, dead=False)),
        ]

    async def _set(self, request: web.Request, *, dead: bool) -> web.Response:
        person = self._people.find(request.match_info["slug"])
        if person is None:
            return answer({"error": "There is nobody of that name in the cast: see GET /sandbox/people."}, status=404)
        try:
            told = read_object(await request.read()) if request.can_read_body else {}
            url = text(told, "tell", most=500) if "tell" in told else ""
        except NotUnderstood as refusal:
            return answer({"error": str(refusal)}, status=422)
        if url and not self._callbacks.may_go_to(url):
            return answer({"error": "tell must be an address on this machine or a listed host."}, status=422)
        if dead:
            self._dead.add(person.id_number)
        else:
            self._dead.discard(person.id_number)
        await self._store.run(self._keep)
        news = {"id_number": person.id_number, "died_on": self._clock.today().isoformat() if dead else None}
        return answer(
            {"slug": person.slug, "dead": dead, "answered": await tell(self._signer, url, news) if url else None}
        )

    def _keep(self, db: sqlite3.Connection) -> None:
        db.execute("UPDATE facts SET value = ? WHERE name = ?", (json.dumps(sorted(self._dead)), _DEAD))
