"""What somebody wrote of others is under their own key: it goes with the account, out of backups too."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from auth.delegation.types import Named
from auth.rules import parse_person
from auth.types import Level, ReadPurpose
from core.crypto import PersonVault, RecordUnreadable, Vault
from core.db import as_uuid, fetch
from tests.auth.rights.conftest import Rights
from tests.fakes.delegation import number_of

CODE, ORGANISATION = "91999999MA0000170G", "示例科技有限公司"
COLUMNS = (
    ("relative", "name_sealed", "relative.name"),
    ("relative", "id_number_sealed", "relative.id_number"),
    ("mandate", "agent_name_sealed", "mandate.agent_name"),
)
Backup = Mapping[str, list[dict[str, Any]]]


async def backup() -> Backup:
    """Return what a copy of the database would hold of ties and mandates."""
    return {table: await fetch(f"SELECT * FROM {table}") for table in ("relative", "mandate")}  # noqa: S608 — ours


async def opened(rights: Rights, kept: Backup) -> list[str]:
    """Return what of a backup opens under any key that there is now."""
    vault, found = rights.ground.vault, []
    holders = await fetch("SELECT person_id FROM person_key")
    keys: list[Vault | PersonVault] = [vault, *[await vault.find_person(as_uuid(row["person_id"])) for row in holders]]
    for table, column, name in COLUMNS:
        for row in kept[table]:
            for key in keys if row[column] is not None else ():
                try:
                    found.append(key.open(name, as_uuid(row["id"]), row[column]))
                except RecordUnreadable:
                    continue
    return sorted(found)


async def test_whom_somebody_asked_or_offered_to_cannot_be_read_once_they_have_left(rights: Rights) -> None:
    me = replace(await rights.resident(), level=Level.PRESENT)
    myself = await rights.auth.realname.person_of(me.citizen_id, ReadPurpose.DELEGATION)
    house, (asked, named) = rights.household, ("贾梓涵", ("甄三三", number_of(901)))
    await house.ask(me, Named(*parse_person(*named)))
    house.business.representatives[CODE, ORGANISATION] = (myself.id_number.reveal(), myself.name.reveal())
    organisation, _ = await house.organisations.add(me, uscc=CODE, name=ORGANISATION)
    offer = await house.mandates.offer_for_organisation(
        me, organisation.id, house.terms(), name=asked, id_number=number_of(902)
    )
    assert offer is not None
    assert offer.agent_name == "贾**"
    [tie] = await house.relatives.list_relatives(me)
    assert tie.name == "甄**"
    kept = await backup()
    assert await opened(rights, kept) == sorted([*named, asked])
    await rights.close(me)
    assert await opened(rights, kept) == []
    assert await opened(rights, await backup()) == []
    assert [row["agent_name_sealed"] for row in await fetch("SELECT agent_name_sealed FROM mandate")] == [None, None]


async def test_who_is_known_by_their_account_stands_in_nobody_elses_row(rights: Rights) -> None:
    house = rights.household
    (me, _), (other, _) = await house.somebody("甄一一"), await house.somebody("贾二二")
    mandate_id = await house.given(me, other)
    refused = await house.offered(me, (await house.relatives.list_relatives(me))[0].id)
    assert refused.agent_name == "贾**"
    await house.mandates.revoke(other, refused.id)
    assert await opened(rights, await backup()) == []
    for caller, name in ((me, "贾**"), (other, "甄**")):
        [tie] = await house.relatives.list_relatives(caller)
        assert tie.name == name
        view = await house.mandates.find(caller, mandate_id)
        assert view is not None
        assert (view.principal_name, view.agent_name) == ("甄**", "贾**")


async def test_a_new_name_is_told_at_once_where_the_tie_is_confirmed(rights: Rights) -> None:
    house = rights.household
    (me, _), (other, person) = await house.somebody("甄一一"), await house.somebody("贾二二")
    link_id = await house.tied(me, other)
    number = person.id_number.reveal()
    rights.auth.registry.people[number] = "钱二二"
    await rights.auth.realname.bind(other, name="钱二二", id_number=number, consent="real-name@1")
    view = await house.relatives.find(me, link_id)
    assert view is not None
    assert view.name == "钱**"
    offer = await house.offered(me, link_id)
    accepted = await house.mandates.accept(other, offer.id)
    assert accepted is not None
    assert accepted.agent_name == "钱**"
