"""Showing a certificate: what the code holds, how it looks, and what it lets out."""

import re
import xml.etree.ElementTree as ET
from datetime import timedelta
from uuid import uuid4

import pytest

from auth.types import Caller, Level
from certificates.errors import ClaimUnknown, FieldUnknown, PurposeRequired, StateForbids, VerifierUnknown
from certificates.presentation import Presentation
from certificates.qr import qr_svg
from certificates.types import Colour, State
from core.cache import TooManyRequests
from core.db import fetch
from tests.certificates.conftest import Hall
from tests.certificates.qr import modules_of, read_qr
from tests.fakes.certificates import LICENCE, issued

CODE = re.compile(r"[A-Za-z0-9_-]{22}")


async def test_a_code_is_random_and_lives_for_a_minute(hall: Hall) -> None:
    view = await hall.held()
    codes = {(await hall.shown(view.id)).code for _ in range(20)}
    assert len(codes) == 20
    assert all(CODE.fullmatch(code) for code in codes)
    shown = await hall.shown(view.id)
    assert shown.expires_at == hall.ground.clock.now() + timedelta(seconds=60)
    assert shown.code not in repr(shown)


async def test_the_picture_holds_exactly_the_code(hall: Hall) -> None:
    view = await hall.held()
    shown = await hall.shown(view.id)
    assert read_qr(modules_of(shown.qr_svg)) == shown.code


def test_the_picture_is_a_complete_document_with_its_quiet_zone() -> None:
    svg = qr_svg("AbCdEfGhIjKlMnOpQrSt_-", Colour.BLACK)
    root = ET.fromstring(svg.encode())  # noqa: S314 — reads what we have just made
    assert svg.startswith("<?xml ")
    assert root.tag == "{http://www.w3.org/2000/svg}svg"
    modules = modules_of(svg)
    edge = [*modules[:4], *modules[-4:], *(row[:4] + row[-4:] for row in modules)]
    assert not any(any(row) for row in edge)
    assert any(modules[4])


@pytest.mark.parametrize(("colour", "ink"), [(Colour.BLACK, "#000"), (Colour.RED, "#c00000")])
def test_the_picture_has_the_colour(colour: Colour, ink: str) -> None:
    assert f'stroke="{ink}"' in qr_svg("AbCdEfGhIjKlMnOpQrSt_-", colour)


async def test_a_licence_with_twelve_points_is_red(hall: Hall) -> None:
    view = await hall.held()
    assert (await hall.shown(view.id)).colour is Colour.BLACK
    await hall.held(issued({**LICENCE, "points": 12}, version=2))
    assert (await hall.shown(view.id)).colour is Colour.RED


@pytest.mark.parametrize("state", [State.FROZEN, State.EXPIRED])
async def test_what_is_suspended_is_shown_red(hall: Hall, state: State) -> None:
    view = await hall.held(issued(state=state))
    assert (await hall.shown(view.id)).colour is Colour.RED


@pytest.mark.parametrize("state", [State.REVOKED, State.CANCELLED, State.MOVED])
async def test_what_is_out_of_force_is_not_shown(hall: Hall, state: State) -> None:
    view = await hall.held(issued(state=state))
    with pytest.raises(StateForbids) as caught:
        await hall.shown(view.id)
    assert caught.value.extras.members == {"state": state.value}


async def test_the_card_face_leaves_when_nothing_is_chosen(hall: Hall) -> None:
    view = await hall.held()
    await hall.shown(view.id)
    line = (await hall.ledger())[0]
    assert line.action == "certificates.shown"
    assert line.field_names == ("number", "name", "sex", "vehicle_class", "valid_from", "valid_until", "status")


async def test_a_claim_alone_lets_no_field_out(hall: Hall) -> None:
    view = await hall.held()
    await hall.shown(view.id, claims=["age>=18", "age>=18"])
    assert (await hall.ledger())[0].field_names == ("age>=18",)


async def test_fields_and_claims_can_be_chosen_together(hall: Hall) -> None:
    view = await hall.held()
    await hall.shown(view.id, fields=["vehicle_class", "name", "name"], claims=["licence-covers=C1"])
    assert (await hall.ledger())[0].field_names == ("name", "vehicle_class", "licence-covers=C1")


async def test_an_unknown_field_is_pointed_at(hall: Hall) -> None:
    view = await hall.held()
    with pytest.raises(FieldUnknown) as caught:
        await hall.shown(view.id, fields=["name", "salary"])
    assert [error.pointer for error in caught.value.extras.errors] == ["/fields/1"]


async def test_a_claim_that_cannot_be_supported_is_pointed_at(hall: Hall) -> None:
    view = await hall.held()
    with pytest.raises(ClaimUnknown) as caught:
        await hall.shown(view.id, claims=["age>=18", "height>=180"])
    assert [error.pointer for error in caught.value.extras.errors] == ["/claims/1"]


async def test_a_verifier_that_is_not_registered_is_refused(hall: Hall) -> None:
    view = await hall.held()
    with pytest.raises(VerifierUnknown):
        await hall.presentation.show(hall.me, view.id, verifier=uuid4())


async def test_a_code_for_one_verifier_keeps_within_what_that_one_may_read(hall: Hall) -> None:
    view, shop = await hall.held(), hall.verifiers.register("租车", "name", "age>=18")

    async def show(purpose: str, fields: list[str], claims: list[str]) -> object:
        return await hall.presentation.show(
            hall.me, view.id, fields=fields, claims=claims, verifier=shop.id, purpose=purpose
        )

    assert await show("租车", ["name"], ["age>=18"]) is not None
    for purpose in ("", "保险"):
        with pytest.raises(PurposeRequired):
            await show(purpose, ["name"], [])
    with pytest.raises(FieldUnknown) as caught:
        await show("租车", ["name", "number"], ["age>=65"])
    assert [error.pointer for error in caught.value.extras.errors] == ["/fields", "/claims"]


async def test_somebody_elses_certificate_cannot_be_shown(hall: Hall) -> None:
    view = await hall.held()
    other = Caller(uuid4(), uuid4(), Level.PRESENT, elder=False, actor_id=uuid4())
    assert await hall.presentation.show(other, view.id) is None
    assert await fetch("SELECT id FROM certificate_presentation") == []


async def test_only_the_hash_of_a_code_is_kept(hall: Hall) -> None:
    view = await hall.held()
    shown = await hall.shown(view.id)
    assert shown.code not in repr(await fetch("SELECT * FROM certificate_presentation"))


async def test_codes_are_not_made_without_end(hall: Hall) -> None:
    view = await hall.held()
    presentation = Presentation(
        kinds=hall.kinds,
        records=hall.records,
        verifiers=hall.verifiers,
        audit=hall.ground.audit,
        limits=hall.ground.limits,
        clock=hall.ground.clock,
        ids=hall.ground.ids,
        settings=hall.settings.model_copy(update={"show_limit": "2/hour"}),
    )
    for _ in range(2):
        await presentation.show(hall.me, view.id)
    with pytest.raises(TooManyRequests):
        await presentation.show(hall.me, view.id)


async def test_old_codes_are_forgotten(hall: Hall) -> None:
    view = await hall.held()
    await hall.shown(view.id)
    hall.ground.clock.move(timedelta(days=2))
    await hall.shown(view.id)
    assert await hall.presentation.forget(hall.ground.clock.now() - timedelta(days=1)) == 1
    assert len(await fetch("SELECT id FROM certificate_presentation")) == 1
