"""Putting the systems together into one server."""

import logging
import sqlite3
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from datetime import date
from functools import partial
from typing import Literal, Protocol

from aiohttp import web

from sandbox import public_security
from sandbox.admin import Admin, Camera
from sandbox.civil_affairs import CivilAffairs
from sandbox.deaths import Deaths
from sandbox.desks import department_desk
from sandbox.desks.department_desk import DepartmentDesk
from sandbox.desks.departments import departments
from sandbox.education import Education
from sandbox.ground.answers import answer
from sandbox.ground.callbacks import Callbacks
from sandbox.ground.clock import Clock
from sandbox.ground.faults import Faults, misbehaving
from sandbox.ground.filing import Filing
from sandbox.ground.settings import CallbackKey, Credentials, Settings
from sandbox.ground.sharing import SharingDesk
from sandbox.ground.signing import CallbackSigner, Nonces, SignedDesk
from sandbox.ground.store import Store, remembered
from sandbox.human_resources import HumanResources
from sandbox.issuers.changes import Changes
from sandbox.issuers.data_quality import DataQuality
from sandbox.issuers.disabled_persons import DisabledPersons
from sandbox.issuers.drawer import Drawer
from sandbox.issuers.health import Health
from sandbox.issuers.housing_fund import HousingFund
from sandbox.market_regulation import MarketRegulation, load_organisations
from sandbox.messages.sms_notices import SmsNotices
from sandbox.messages.wechat_messages import WechatMessages
from sandbox.messages.wechat_texts import WechatTexts
from sandbox.pension import Pension
from sandbox.people import People
from sandbox.population_registry import PopulationRegistry
from sandbox.public_security import PublicSecurity
from sandbox.real_estate import RealEstate
from sandbox.stores.object_store import ObjectStore
from sandbox.ways.providers import Provider, providers
from sandbox.ways.wechat_face import WechatFace
from sandbox.wechat import WeChat

_log = logging.getLogger("sandbox")
# A resident's file comes sealed, which makes it a third longer.
_LARGEST = 16 * 2**20


class Studio(Camera, Protocol):
    """The camera and the picture archive: the module `sandbox.faces`, or a fake."""

    def portrait(self, face: Literal["a", "b"], /) -> bytes:
        """Give the portrait of a face as JPEG."""
        ...


async def create_app(settings: Settings, credentials: Credentials, *, studio: Studio, clock: Clock) -> web.Application:
    """Build the server: memory opened, switches as they stood, callbacks going out once it runs.

    Raises:
        Misconfigured: a key among the credentials is not one.
    """
    store = await Store.open(settings.data)
    opened_on = date.fromisoformat(
        await store.run(partial(remembered, name="opened on", first=clock.today().isoformat))
    )
    people, nonces = People.load(), Nonces(clock)
    drawer = Drawer(store=store, clock=clock, opened_on=opened_on)
    faults = Faults(store, clock)
    await faults.load()
    signer = CallbackSigner(
        key_id=credentials.callback_key_id, private_key=credentials.callback_private_key, clock=clock
    )
    callbacks = Callbacks(
        store=store,
        signer=signer,
        signers=_signers(credentials.desk_callbacks, clock),
        clock=clock,
        decide=_decide,
        pause_ms=settings.pause_ms,
        hosts=settings.callback_hosts,
    )
    filing = Filing(
        store=store,
        signer=signer,
        signers=_signers(credentials.desk_callbacks, clock),
        may_go_to=callbacks.may_go_to,
    )
    deaths = Deaths(people=people, store=store, signer=signer, callbacks=callbacks, clock=clock)
    await deaths.load()
    wechat = WeChat(people=people, caller=credentials.wechat, store=store, clock=clock)
    messages = WechatMessages(
        wechat=wechat,
        people=people,
        push=credentials.wechat_push,
        app_id=credentials.wechat.app_id,
        store=store,
        callbacks=callbacks,
        clock=clock,
    )
    wechat_face = WechatFace(wechat=wechat, people=people, store=store, clock=clock)
    await wechat_face.load()
    sms_notices = SmsNotices(
        desk=SignedDesk(credentials.sms, clock=clock, nonces=nonces),
        signer=CallbackSigner(
            key_id=credentials.sms_report_key_id, private_key=credentials.sms_report_private_key, clock=clock
        ),
        store=store,
        callbacks=callbacks,
        clock=clock,
    )
    await messages.load()
    await sms_notices.load()
    admin = Admin(people=people, wechat=wechat, faults=faults, store=store, camera=studio)
    systems: tuple[Provider, ...] = (
        wechat,
        PopulationRegistry(
            people=people,
            deaths=deaths,
            desk=SignedDesk(credentials.population_registry, clock=clock, nonces=nonces),
            portrait=studio.portrait,
        ),
        PublicSecurity(
            people=people,
            desk=SignedDesk(credentials.public_security, clock=clock, nonces=nonces),
            store=store,
            faults=faults,
            callbacks=callbacks,
            filing=filing,
            clock=clock,
            drawer=drawer,
        ),
        HumanResources(
            desk=SharingDesk(
                department="human_resources",
                people=people,
                caller=credentials.human_resources,
                sm2_public_key=credentials.sm2_public_key,
                clock=clock,
            ),
            drawer=drawer,
            clock=clock,
        ),
        HousingFund(
            desk=SharingDesk(
                department="housing_fund",
                people=people,
                caller=credentials.housing_fund,
                sm2_public_key=credentials.housing_fund_sm2_public_key,
                clock=clock,
            ),
            drawer=drawer,
        ),
        DisabledPersons(people=people, caller=credentials.disabled_persons, drawer=drawer, clock=clock, nonces=nonces),
        Health(
            people=people,
            desk=SignedDesk(credentials.health, clock=clock, nonces=nonces, algorithm="sm3"),
            drawer=drawer,
        ),
        Pension(people=people, caller=credentials.pension, store=store, faults=faults, clock=clock),
        Education(people=people, desk=SignedDesk(credentials.education, clock=clock, nonces=nonces), clock=clock),
        RealEstate(
            people=people, desk=SignedDesk(credentials.real_estate, clock=clock, nonces=nonces, algorithm="sm3")
        ),
        DepartmentDesk(
            people=people,
            desk=SignedDesk(credentials.department_desk, clock=clock, nonces=nonces),
            store=store,
            faults=faults,
            callbacks=callbacks,
            filing=filing,
            clock=clock,
        ),
        *departments(
            people=people,
            credentials=credentials,
            store=store,
            faults=faults,
            callbacks=callbacks,
            filing=filing,
            clock=clock,
            nonces=nonces,
            pause_ms=settings.pause_ms,
        ),
        CivilAffairs(
            people=people, desk=SignedDesk(credentials.civil_affairs, clock=clock, nonces=nonces), clock=clock
        ),
        MarketRegulation(
            people=people,
            desk=SignedDesk(credentials.market_regulation, clock=clock, nonces=nonces),
            organisations=load_organisations(),
        ),
        deaths,
        DataQuality(desk=SignedDesk(credentials.data_quality, clock=clock, nonces=nonces), store=store),
        *_object_store(credentials, store, clock),
        Changes(
            people=people,
            drawer=drawer,
            store=store,
            signers={
                "public-security": signer,
                **_signers(credentials.issuer_callbacks, clock),
            },
            callbacks=callbacks,
        ),
        *providers(people=people, credentials=credentials, store=store, clock=clock, nonces=nonces),
        messages,
        WechatTexts(wechat=wechat, people=people),
        wechat_face,
        sms_notices,
        admin,
    )

    async def running(_app: web.Application) -> AsyncIterator[None]:
        callbacks.start()
        yield
        await callbacks.stop()
        await sms_notices.close()
        admin.close()
        await store.close()

    app = web.Application(middlewares=[_reporting, misbehaving(faults)], client_max_size=_LARGEST)
    app.on_response_prepare.append(_marked)
    app.cleanup_ctx.append(running)
    for system in systems:
        app.add_routes(system.routes())
    return app


def _signers(keys: Mapping[str, CallbackKey], clock: Clock) -> dict[str, CallbackSigner]:
    return {
        department: CallbackSigner(key_id=key.key_id, private_key=key.private_key, clock=clock)
        for department, key in keys.items()
    }


def _decide(db: sqlite3.Connection, reference: str, state: str) -> None:
    """Let whichever desk holds the case move it."""
    public_security.decide(db, reference, state)
    department_desk.decide(db, reference, state)


def _object_store(credentials: Credentials, store: Store, clock: Clock) -> list[ObjectStore]:
    caller = credentials.object_store
    return [] if caller is None else [ObjectStore(caller=caller, store=store, clock=clock)]


async def _marked(_request: web.Request, response: web.StreamResponse) -> None:
    # A production portal refuses any answer that carries this.
    response.headers["X-Sandbox"] = "1"


@web.middleware
async def _reporting(
    request: web.Request, handler: Callable[[web.Request], Awaitable[web.StreamResponse]]
) -> web.StreamResponse:
    """Answer what no system answered, in a sentence."""
    try:
        return await handler(request)
    except web.HTTPException as problem:
        headers = {"Allow": problem.headers["Allow"]} if "Allow" in problem.headers else None
        response = answer({"error": f"{problem.reason}: {request.method} {request.path}"}, status=problem.status)
        response.headers.update(headers or {})
        return response
    except ConnectionError:
        raise
    except Exception as failure:  # noqa: BLE001 — the last handler: nothing above it could tell the caller
        # The kind alone: a message may quote a resident's data.
        _log.error("%s %s failed: %s", request.method, request.path, type(failure).__name__)
        return answer({"error": "The sandbox itself failed; its log names the kind."}, status=500)
