"""Putting together who stands behind the ways."""

from typing import Protocol

from aiohttp import web

from sandbox.ground.clock import Clock
from sandbox.ground.settings import Credentials
from sandbox.ground.signing import Nonces, SignedDesk
from sandbox.ground.store import Store
from sandbox.people import People
from sandbox.ways.bank_clearing import BankClearing
from sandbox.ways.mobile_register import MobileRegister
from sandbox.ways.network_identity import NetworkIdentity
from sandbox.ways.outbox import Outbox
from sandbox.ways.payment import Payment
from sandbox.ways.sms import Sms
from sandbox.ways.tickets import Tickets


class Provider(Protocol):
    """A system with addresses."""

    def routes(self) -> list[web.RouteDef]:
        """List the addresses of this system."""
        ...


def providers(
    *, people: People, credentials: Credentials, store: Store, clock: Clock, nonces: Nonces
) -> tuple[Provider, ...]:
    """Build the systems behind the ways over the sandbox's ground."""
    outbox = Outbox(store, clock)
    return (
        Sms(desk=SignedDesk(credentials.sms, clock=clock, nonces=nonces), outbox=outbox),
        MobileRegister(people=people, desk=SignedDesk(credentials.mobile_register, clock=clock, nonces=nonces)),
        BankClearing(
            people=people,
            desk=SignedDesk(credentials.bank_clearing, clock=clock, nonces=nonces, algorithm="sm3"),
            store=store,
            outbox=outbox,
            clock=clock,
        ),
        Payment(
            people=people,
            desk=SignedDesk(credentials.payment, clock=clock, nonces=nonces),
            tickets=Tickets("payment", store=store, clock=clock),
        ),
        NetworkIdentity(
            people=people,
            desk=SignedDesk(credentials.network_identity, clock=clock, nonces=nonces, algorithm="sm3"),
            tickets=Tickets("network-identity", store=store, clock=clock),
            store=store,
        ),
    )
