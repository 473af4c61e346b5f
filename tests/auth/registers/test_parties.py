"""The register of parties: what it takes, and how soon the edge knows."""

import asyncio
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa

from auth.registers.errors import KeyUnusable, KeyWithdrawn, NoSuchParty, PartySuspended, PartyTaken, TooManyKeys
from auth.registers.types import PartyKind, PartyState, PartyView
from auth.registers.verifiers import RegisteredVerifiers
from auth.staff.errors import NameUnknown
from auth.types import Role
from core.db import fetch, transaction
from tests.conftest import Ground
from tests.fakes.staff import Member, Staff, make_staff


def pem(key: Any = None) -> str:
    public = (key or ed25519.Ed25519PrivateKey.generate()).public_key()
    text: bytes = public.public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
    return text.decode()


def verifier(slug: str = "hotel-1", key_id: str = "hotel-1-a", **changes: Any) -> dict[str, Any]:
    return {
        "slug": slug,
        "name": "示例酒店",
        "contact": "前台 010-0000",
        "networks": ["192.0.2.0/24"],
        "purposes": {"check-in": ["name", "age>=18"]},
        "quota_per_day": 500,
        "key": {"key_id": key_id, "public_key": pem()},
        **changes,
    }


@pytest.fixture
async def keeper(staff: Staff) -> Member:
    return await staff.member(Role.SYSTEM_ADMIN)


async def do(staff: Staff, action: str, payload: dict[str, Any], keeper: Member) -> None:
    await transaction(lambda: staff.deeds[action](payload, keeper.caller))


async def only_named(staff: Staff, slug: str) -> PartyView:
    views = await staff.parties.list_parties(PartyKind.VERIFIER, after="", limit=5)
    return await staff.parties.get(PartyKind.VERIFIER, next(view.id for view in views if view.slug == slug))


async def only(staff: Staff, kind: PartyKind) -> PartyView:
    (listed,) = await staff.parties.list_parties(kind, after="", limit=5)
    return await staff.parties.get(kind, listed.id)


async def test_a_verifier_is_registered_by_two_people_and_known_to_the_edge(staff: Staff, keeper: Member) -> None:
    security, payload = await staff.member(Role.SECURITY_ADMIN), verifier()
    asked = await staff.approvals.ask(keeper.caller, "verifiers.register", payload, reason="a contract")
    assert await staff.parties.list_parties(PartyKind.VERIFIER, after="", limit=5) == []
    assert await staff.registered_keys.find("hotel-1-a") is None
    await staff.approvals.decide(security.caller, asked.id, approve=True, looked_at=asked.payload_hash)
    view = await only(staff, PartyKind.VERIFIER)
    assert (view.name, view.contact, view.quota_per_day) == ("示例酒店", "前台 010-0000", 500)
    assert (view.purposes, view.networks) == ({"check-in": ("name", "age>=18")}, ("192.0.2.0/24",))
    staff.ground.clock.move(timedelta(seconds=1))
    trusted = await staff.registered_keys.find("hotel-1-a")
    assert trusted is not None
    assert (trusted.party, trusted.kind, trusted.networks) == (str(view.id), "verifier", ("192.0.2.0/24",))


async def test_a_withdrawn_key_and_a_suspended_party_are_trusted_for_a_second_at_most(
    staff: Staff, keeper: Member
) -> None:
    await do(staff, "verifiers.register", verifier(), keeper)
    view = await only(staff, PartyKind.VERIFIER)
    await do(
        staff,
        "keys.add",
        {"kind": "verifier", "slug": "hotel-1", "key": {"key_id": "hotel-1-b", "public_key": pem()}},
        keeper,
    )
    assert await staff.registered_keys.find("hotel-1-a")
    await staff.parties.withdraw_key(keeper.caller, view.keys[0].id, reason="lost it")
    staff.ground.clock.move(timedelta(seconds=1))
    assert await staff.registered_keys.find("hotel-1-a") is None
    assert await staff.registered_keys.find("hotel-1-b")
    await staff.parties.suspend(keeper.caller, PartyKind.VERIFIER, view.id, reason="asks too much")
    staff.ground.clock.move(timedelta(seconds=1))
    assert await staff.registered_keys.find("hotel-1-b") is None
    change = {**verifier(), "verifier_id": str(view.id), "state": "active"}
    await do(staff, "verifiers.change", change, keeper)
    staff.ground.clock.move(timedelta(seconds=1))
    assert await staff.registered_keys.find("hotel-1-b")
    actions = [row["action"] for row in await fetch("SELECT action FROM audit_line WHERE object_kind = 'party'")]
    assert sorted(actions) == [
        "auth.party-changed",
        "auth.party-key-added",
        "auth.party-key-withdrawn",
        "auth.party-registered",
        "auth.party-suspended",
    ]


async def test_two_keys_are_active_at_most_and_an_id_is_never_given_again(staff: Staff, keeper: Member) -> None:
    def key(key_id: str) -> dict[str, Any]:
        return {"kind": "department", "slug": "taxation", "key": {"key_id": key_id, "public_key": pem()}}

    told = await asyncio.gather(
        *(do(staff, "keys.add", key(f"tax-{number}"), keeper) for number in range(5)), return_exceptions=True
    )
    assert [type(each) for each in told if each is not None] == [TooManyKeys] * 3
    view = await only(staff, PartyKind.DEPARTMENT)
    await staff.parties.withdraw_key(keeper.caller, view.keys[0].id, reason="rolled over")
    with pytest.raises(KeyWithdrawn):
        await staff.parties.withdraw_key(keeper.caller, view.keys[0].id, reason="once more")
    with pytest.raises(PartyTaken):
        await do(staff, "keys.add", key(view.keys[0].key_id), keeper)
    await do(staff, "keys.add", key("tax-next"), keeper)
    trusted = await staff.registered_keys.find("tax-next")
    assert trusted is not None
    assert (trusted.party, trusted.kind) == ("taxation", "department")


async def test_a_device_stands_somewhere_and_serves_matters(staff: Staff, keeper: Member) -> None:
    payload = {
        "slug": "kiosk-17",
        "place": "市民中心一楼",
        "contact": "值班室",
        "matters": ["m-1"],
        "key": {"key_id": "kiosk-17-a", "public_key": pem(ec.generate_private_key(ec.SECP256R1()))},
    }
    await do(staff, "devices.register", payload, keeper)
    view = await only(staff, PartyKind.DEVICE)
    assert (view.place, view.matters, view.name, view.purposes) == ("市民中心一楼", ("m-1",), "", {})
    change = {"device_id": str(view.id), "place": "二楼", "contact": "值班室", "matters": [], "state": "suspended"}
    await do(staff, "devices.change", change, keeper)
    assert (await only(staff, PartyKind.DEVICE)).state is PartyState.SUSPENDED


@pytest.mark.parametrize(
    "key",
    [
        "nothing",
        "",
        pem(rsa.generate_private_key(public_exponent=65537, key_size=2048)),
        pem(ec.generate_private_key(ec.SECP384R1())),
        "-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----",
    ],
)
async def test_a_key_of_another_kind_registers_nobody(staff: Staff, keeper: Member, key: str) -> None:
    with pytest.raises(KeyUnusable):
        await do(staff, "verifiers.register", verifier(key={"key_id": "hotel-1-a", "public_key": key}), keeper)
    assert await staff.parties.list_parties(PartyKind.VERIFIER, after="", limit=5) == []


async def test_names_and_keys_are_taken_once_by_all_kinds(staff: Staff, keeper: Member) -> None:
    await do(staff, "verifiers.register", verifier(), keeper)
    with pytest.raises(PartyTaken):
        await do(staff, "verifiers.register", verifier(key_id="other"), keeper)
    with pytest.raises(PartyTaken):
        await do(staff, "verifiers.register", verifier("hotel-2"), keeper)
    # What was begun for the second is gone with its key.
    assert [view.slug for view in await staff.parties.list_parties(PartyKind.VERIFIER, after="", limit=5)] == [
        "hotel-1"
    ]
    # A name of one kind is no door for another.
    with pytest.raises(NoSuchParty):
        await do(
            staff,
            "keys.add",
            {"kind": "device", "slug": "hotel-1", "key": {"key_id": "x-1", "public_key": pem()}},
            keeper,
        )


async def test_one_key_is_one_partys_for_good(staff: Staff, keeper: Member) -> None:
    private = ec.generate_private_key(ec.SECP256R1())
    short = private.public_key().public_bytes(serialization.Encoding.X962, serialization.PublicFormat.CompressedPoint)
    again = ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), short)
    other = again.public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo).decode()
    await do(staff, "verifiers.register", verifier(key={"key_id": "hotel-1-a", "public_key": pem(private)}), keeper)
    await do(staff, "verifiers.register", verifier("hotel-2", "hotel-2-a"), keeper)
    with pytest.raises(PartyTaken):
        await do(
            staff,
            "keys.add",
            {"kind": "verifier", "slug": "hotel-2", "key": {"key_id": "hotel-2-b", "public_key": f"{other}\n"}},
            keeper,
        )
    view = await only_named(staff, "hotel-1")
    await staff.parties.withdraw_key(keeper.caller, view.keys[0].id, reason="it is known to others")
    with pytest.raises(PartyTaken):  # What was withdrawn comes back under no name.
        await do(
            staff,
            "keys.add",
            {"kind": "verifier", "slug": "hotel-1", "key": {"key_id": "hotel-1-b", "public_key": other}},
            keeper,
        )


async def test_nobody_registers_a_key_that_the_settings_name(ground: Ground) -> None:
    private = ed25519.Ed25519PrivateKey.generate()
    staff = make_staff(ground, given={"bureau-1": private.public_key()})
    keeper = await staff.member(Role.SYSTEM_ADMIN)
    for key_id, public_key in (("mine-1", pem(private)), ("bureau-1", pem())):
        with pytest.raises(PartyTaken):
            await do(staff, "verifiers.register", verifier(key={"key_id": key_id, "public_key": public_key}), keeper)


# --- looked at when it is asked for -----------------------------------------------------------------------------------

DEVICE = {"slug": "kiosk-17", "place": "市民中心一楼", "contact": "值班室", "matters": ["m-1"]}
SMALL_ORDER = "MCowBQYDK2VwAyEAAQAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="


def key_of(key_id: str, public_key: str = "") -> dict[str, Any]:
    return {"key": {"key_id": key_id, "public_key": public_key or pem()}}


@pytest.mark.parametrize(
    ("action", "payload", "pointer"),
    [
        ("verifiers.register", verifier(purposes={"check-in": ["name", "shoe_size"]}), "/request/purposes/check-in/1"),
        ("verifiers.register", verifier(purposes={"check-in": ["age>=18", "age>=x"]}), "/request/purposes/check-in/1"),
        ("devices.register", {**DEVICE, **key_of("k-1"), "matters": ["m-1", "m-9"]}, "/request/matters/1"),
        ("keys.add", {"kind": "department", "slug": "moon", **key_of("m-1")}, "/request/slug"),
        ("keys.add", {"kind": "verifier", "slug": "nobody", **key_of("m-1")}, "/request/slug"),
        ("keys.add", {"kind": "device", "slug": "nobody", **key_of("m-1")}, "/request/slug"),
        (
            "verifiers.change",
            {**verifier(), "verifier_id": str(UUID(int=7)), "state": "active"},
            "/request/verifier_id",
        ),
        ("devices.change", {**DEVICE, "device_id": str(UUID(int=7)), "state": "active"}, "/request/device_id"),
    ],
)
async def test_what_is_not_known_is_refused_when_it_is_asked_for(
    staff: Staff, keeper: Member, action: str, payload: dict[str, Any], pointer: str
) -> None:
    if action == "verifiers.change":
        payload = {name: value for name, value in payload.items() if name != "key"}
    with pytest.raises(NameUnknown) as caught:
        await staff.approvals.ask(keeper.caller, action, payload, reason="a contract")
    assert [each.pointer for each in caught.value.extras.errors] == [pointer]
    assert await fetch("SELECT id FROM approval") == []


@pytest.mark.parametrize(
    "key",
    [
        f"-----BEGIN PUBLIC KEY-----\n{SMALL_ORDER}\n-----END PUBLIC KEY-----\n",
        pem(ec.derive_private_key(1, ec.SECP256R1())),
        pem(ed25519.Ed25519PrivateKey.from_private_bytes(bytes(32))),
        "nothing",
    ],
)
@pytest.mark.parametrize("kind", list(PartyKind))
async def test_a_key_that_anybody_could_use_is_asked_for_and_added_by_nobody(
    staff: Staff, keeper: Member, key: str, kind: PartyKind
) -> None:
    action, payload = {
        PartyKind.VERIFIER: ("verifiers.register", {**verifier(), **key_of("k-1", key)}),
        PartyKind.DEVICE: ("devices.register", {**DEVICE, **key_of("k-1", key)}),
        PartyKind.DEPARTMENT: ("keys.add", {"kind": "department", "slug": "taxation", **key_of("k-1", key)}),
    }[kind]
    with pytest.raises(KeyUnusable):
        await staff.approvals.ask(keeper.caller, action, payload, reason="a contract")
    with pytest.raises(KeyUnusable):
        await staff.emergencies.act(keeper.caller, action, payload, reason="nobody else is there")
    assert await fetch("SELECT id FROM approval") == []
    assert await fetch("SELECT id FROM party") == []


async def test_what_is_taken_is_refused_when_it_is_asked_for(staff: Staff, keeper: Member) -> None:
    first = verifier()
    await do(staff, "verifiers.register", first, keeper)
    for payload in (
        verifier(key_id="other"),
        verifier("hotel-2"),
        verifier("hotel-2", key={**first["key"], "key_id": "other"}),
    ):
        with pytest.raises(PartyTaken):
            await staff.approvals.ask(keeper.caller, "verifiers.register", payload, reason="a contract")
    asked = await staff.approvals.ask(
        keeper.caller, "verifiers.register", verifier("hotel-3", "h3"), reason="a contract"
    )
    with pytest.raises(PartyTaken):
        await staff.approvals.change(keeper.caller, asked.id, verifier("hotel-1", "h4"))


async def test_what_is_not_registered_is_not_there(staff: Staff, keeper: Member) -> None:
    nobody = staff.ground.ids.uuid()
    for kind in PartyKind:
        with pytest.raises(NoSuchParty):
            await staff.parties.get(kind, nobody)
        with pytest.raises(NoSuchParty):
            await staff.parties.suspend(keeper.caller, kind, nobody, reason="because")
    with pytest.raises(NoSuchParty):
        await do(staff, "verifiers.change", {**verifier(), "verifier_id": str(nobody), "state": "active"}, keeper)


async def test_the_contact_is_sealed(staff: Staff, keeper: Member) -> None:
    await do(staff, "verifiers.register", verifier(contact="霍明哲 19900000001"), keeper)
    view = await only(staff, PartyKind.VERIFIER)
    assert view.contact == "霍明哲 19900000001"
    assert "霍明哲" not in repr([view, await fetch("SELECT * FROM party")])


async def test_strangers_key_ids_take_no_memory_without_end(staff: Staff) -> None:
    for number in range(1_100):
        assert await staff.registered_keys.find(f"k-{number}") is None
    assert len(staff.registered_keys._known) <= 1024


async def test_purposes_are_called_as_the_registration_says_or_as_is_usual(staff: Staff, keeper: Member) -> None:
    purposes = {"check-in": ["name"], "gym": ["name"], "spa": ["name"]}
    titles = {"gym": {"zh": "健身", "en": "A gym"}}
    await do(staff, "verifiers.register", verifier(purposes=purposes, purpose_titles=titles), keeper)
    view = await only(staff, PartyKind.VERIFIER)
    told = {code: (term.zh, term.en) for code, term in view.purpose_titles.items()}
    assert told == {
        "check-in": ("办理入住", "Checking in"),
        "gym": ("健身", "A gym"),
        "spa": ("已登记的用途（spa）", "A registered purpose (spa)"),
    }
    verifiers = RegisteredVerifiers(clock=staff.ground.clock, ids=staff.ground.ids)
    assert (await verifiers.purposes())[view.id]["gym"].zh == "健身"
    terms = await verifiers.find(view.id)
    assert terms is not None
    assert terms.titles == view.purpose_titles
    strange = verifier("hotel-2", "hotel-2-a", purpose_titles={"sauna": {"zh": "桑拿", "en": "A sauna"}})
    with pytest.raises(NameUnknown) as refused:
        await do(staff, "verifiers.register", strange, keeper)
    assert refused.value.extras.errors[0].pointer == "/request/purpose_titles/sauna"


async def test_what_is_stopped_already_is_told_so(staff: Staff, keeper: Member) -> None:
    await do(staff, "verifiers.register", verifier(), keeper)
    view = await only(staff, PartyKind.VERIFIER)
    await staff.parties.suspend(keeper.caller, PartyKind.VERIFIER, view.id, reason="asks too much")
    with pytest.raises(PartySuspended):
        await staff.parties.suspend(keeper.caller, PartyKind.VERIFIER, view.id, reason="again")
    await staff.parties.withdraw_key(keeper.caller, view.keys[0].id, reason="lost")
    with pytest.raises(KeyWithdrawn):
        await staff.parties.withdraw_key(keeper.caller, view.keys[0].id, reason="again")
