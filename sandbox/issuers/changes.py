"""Changing what an issuer has on record, and the news of it, from `docs/departments/README.md`."""

import json
import re
import secrets
import sqlite3
from collections.abc import Mapping
from functools import partial
from typing import Any

from aiohttp import web

from sandbox.ground.answers import Json, NotUnderstood, answer, part, read_object, text
from sandbox.ground.callbacks import Callbacks
from sandbox.ground.news import tell
from sandbox.ground.signing import CallbackSigner
from sandbox.ground.store import Store
from sandbox.issuers.drawer import Drawer, put
from sandbox.people import People, Person

ISSUERS = {
    "driving-licence": "public-security",
    "vehicle-licence": "public-security",
    "residence-permit": "public-security",
    "passport": "public-security",
    "hk-macau-permit": "public-security",
    "taiwan-permit": "public-security",
    "social-security-card": "human-resources",
    "housing-fund": "housing-fund",
    "disability-certificate": "disabled-persons",
    "birth-certificate": "health",
}
_STATE = re.compile(r"[0-9]{2}")


class Changes:
    """`PUT /sandbox/people/{slug}/certificates/{kind}` `{"state"?, "fields"?, "reason"?, "tell"?}`.

    Each change is a version more. With `tell`, an address of the product, the issuer tells it on under its own key.
    """

    def __init__(
        self,
        *,
        people: People,
        drawer: Drawer,
        store: Store,
        signers: Mapping[str, CallbackSigner],
        callbacks: Callbacks,
    ) -> None:
        self._people = people
        self._drawer = drawer
        self._store = store
        self._signers = signers
        self._callbacks = callbacks

    def routes(self) -> list[web.RouteDef]:
        """List the addresses."""
        return [web.put("/sandbox/people/{slug}/certificates/{kind}", self._change)]

    async def _change(self, request: web.Request) -> web.Response:
        person, kind = self._people.find(request.match_info["slug"]), request.match_info["kind"]
        if person is None or kind not in ISSUERS:
            return answer({"error": "There is nobody of that name, or no such kind."}, status=404)
        try:
            told = read_object(await request.read())
            url = text(told, "tell", most=500) if "tell" in told else ""
            work = partial(self._put, person=person, kind=kind, told=_checked(told))
        except NotUnderstood as refusal:
            return answer({"error": str(refusal)}, status=422)
        if url and not self._callbacks.may_go_to(url):
            return answer({"error": "tell must be an address on this machine or a listed host."}, status=422)
        document = await self._store.run(work)
        if document is None:
            return answer({"error": f"{person.slug} holds no {kind}."}, status=404)
        heard = None
        if url:
            heard = await tell(self._signers[ISSUERS[kind]], url, _news(person, kind, document, told.get("reason")))
        return answer({"version": document["version"], "state": document["state"], "answered": heard})

    def _put(self, db: sqlite3.Connection, *, person: Person, kind: str, told: Json) -> dict[str, Any] | None:
        document = self._drawer.read(db, person=person, kind=kind)
        if document is None:
            return None
        fields = {**document["fields"], **told["fields"]}
        changed = {
            **document,
            "state": told["state"] or document["state"],
            "version": document["version"] + 1,
            "fields": fields,
        }
        put(db, person=person.slug, kind=kind, document=json.dumps(changed, ensure_ascii=False))
        return changed


def _checked(told: Json) -> Json:
    state = text(told, "state") if "state" in told else None
    if state is not None and not _STATE.fullmatch(state):
        message = "state must be two digits."
        raise NotUnderstood(message)
    return {"state": state, "fields": part(told, "fields") if "fields" in told else {}}


def _news(person: Person, kind: str, document: dict[str, Any], reason: object) -> Json:
    news = {
        "event_id": secrets.token_hex(16),
        "kind": kind,
        "id_number": person.id_number,
        "serial": document["serial"],
        "version": document["version"],
        "state": document["state"],
    }
    return {**news, "reason": reason} if isinstance(reason, str) else news
