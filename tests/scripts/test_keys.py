"""Changing keys by command takes two people in production."""

from argparse import Namespace
from dataclasses import replace
from types import SimpleNamespace
from typing import Any, cast
from uuid import UUID

import pytest

from auth.settings import AuthSettings
from auth.staff.errors import NotApproved
from auth.types import Role
from core.clock import SystemClock
from core.keyring.folder import RotationRefused
from core.settings import UnsafeSettings
from scripts.keys import approved
from tests.conftest import Ground
from tests.fakes.staff import Staff, make_staff


@pytest.fixture
def staff(ground: Ground) -> Staff:
    """People who live now, as the command does."""
    return make_staff(replace(ground, clock=cast("Any", SystemClock())))


def settings_of(ground: Ground, *, production: bool = True) -> Any:
    return SimpleNamespace(is_production=production, key_folder=ground.settings.key_folder, auth=AuthSettings())


async def approval(staff: Staff, action: str, key_set: str) -> UUID:
    system, security = await staff.member(Role.SYSTEM_ADMIN), await staff.member(Role.SECURITY_ADMIN)
    view = await staff.approvals.ask(system.caller, action, {"key_set": key_set}, reason="a year is over")
    await staff.approvals.decide(security.caller, view.id, approve=True, looked_at=view.payload_hash)
    return view.id


@pytest.mark.parametrize("step", ["rotate", "retire"])
async def test_a_step_is_taken_once_for_one_approval_of_exactly_this(ground: Ground, staff: Staff, step: str) -> None:
    taken: list[str] = []

    async def take() -> str:
        taken.append(step)
        return "done"

    async def refuse() -> str:
        raise RotationRefused("not now")

    settings, good = settings_of(ground), await approval(staff, f"keys.{step}", "tokens")
    chosen = Namespace(step=step, kind="tokens", approval=good)
    with pytest.raises(UnsafeSettings, match="--approval"):
        await approved(settings, Namespace(step=step, kind="tokens", approval=None), take)
    with pytest.raises(NotApproved):
        await approved(settings, Namespace(step=step, kind="issuers", approval=good), take)
    with pytest.raises(RotationRefused):
        await approved(settings, chosen, refuse)
    assert taken == []
    assert await approved(settings, chosen, take) == "done"
    with pytest.raises(NotApproved):
        await approved(settings, chosen, take)
    assert taken == [step]


async def test_the_embedded_mode_has_one_operator_and_asks_nobody(ground: Ground) -> None:
    async def take() -> str:
        return "done"

    chosen = Namespace(step="rotate", kind="tokens", approval=None)
    assert await approved(settings_of(ground, production=False), chosen, take) == "done"
