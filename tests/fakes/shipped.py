"""What the product ships as files, read once for all tests: nothing of it changes, and reading checks all of it."""

from functools import cache

from certificates.definitions import Kinds
from certificates.settings import DEMO_AUTHORITY
from matters.catalogue.life.types import LifeLists
from matters.catalogue.loading import load_catalogue, load_lists
from matters.catalogue.types import Published
from matters.routing.loading import load_table
from matters.routing.types import RoutingTable


@cache
def shipped_kinds() -> Kinds:
    """All kinds of certificates, under the demonstration's authority."""
    return Kinds.load(authority=DEMO_AUTHORITY, type_codes={})


@cache
def shipped_matters() -> tuple[Published, ...]:
    """All matters that are published."""
    return load_catalogue()


@cache
def shipped_lists() -> LifeLists:
    """What comes up in a life, over the published matters."""
    return load_lists(shipped_matters())


@cache
def shipped_routing() -> RoutingTable:
    """Where the published matters go."""
    return load_table(shipped_matters())
