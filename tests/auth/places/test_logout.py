"""Logging out everywhere."""

import pytest

from auth.errors import RefreshInvalid, TokenInvalid
from auth.types import Level
from core.db import fetch
from tests.fakes.auth import Auth


async def test_logging_out_everywhere_ends_every_session_and_nobody_elses(auth: Auth) -> None:
    here, there = await auth.log_in("openid-1"), await auth.log_in("openid-1")
    face = await auth.sessions.open(here.citizen.id, level=Level.LINKED, device="")
    other = await auth.log_in("openid-2")
    assert await auth.logout.everywhere(await auth.sessions.caller_of(here.access_token)) == 3
    for grant in (here, there, face):
        with pytest.raises(TokenInvalid):
            await auth.sessions.caller_of(grant.access_token)
        with pytest.raises(RefreshInvalid):
            await auth.sessions.renew(grant.refresh_token, "")
    assert (await auth.sessions.caller_of(other.access_token)).session_id == other.session_id
    lines = await fetch("SELECT object_id FROM audit_line WHERE action = 'auth.session-ended'")
    assert {line["object_id"] for line in lines} == {str(grant.session_id) for grant in (here, there, face)}
    rows = await fetch("SELECT id FROM citizen_session WHERE ended_at IS NULL")
    assert len(rows) == 1


async def test_logging_in_again_afterwards_works(auth: Auth) -> None:
    await auth.logout.everywhere(await auth.caller("openid-1"))
    again = await auth.log_in("openid-1")
    assert (await auth.sessions.caller_of(again.access_token)).session_id == again.session_id
