"""The edge, served for one test."""

from collections.abc import AsyncIterator

import pytest

from tests.api.edge import Edge, open_edge
from tests.conftest import Ground


@pytest.fixture
async def edge(ground: Ground) -> AsyncIterator[Edge]:
    """The small service of `tests/api/edge.py` behind the real edge."""
    async with open_edge(ground) as opened:
        yield opened
