"""Face nodes apart from the portal: who gets in, what is told when a node is full, dead or asked for nonsense."""

import asyncio
import os
import ssl
import subprocess
import sys
import uuid
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from http import HTTPStatus
from io import BytesIO
from pathlib import Path

import aiohttp
import msgspec
import pytest
from pydantic import ValidationError

from api.face_node import end, node_app, start
from api.wiring.engines import face_engine
from core.clock import SystemClock
from core.ids import RandomIds
from core.outbound import Outbound, Partner
from core.settings import OutboundSettings, UnsafeSettings
from core.signers.mutual_tls import client_context, make_identities, server_context
from face.errors import EngineBusy, EngineOvertime, EngineUnavailable, PictureUnusable
from face.nodes.node import FaceNode, NoSuchPlace
from face.nodes.words import CONDITION, LOOKS, PLACES, PlaceWanted, packed, unpacked
from face.settings import FaceSettings
from face.types import PictureFault
from scripts import face_certificates
from tests.fakes.face import FakeFaceEngine, picture_of
from tests.fakes.face_nodes import HOST, identities, node_of, portal_to
from tests.fakes.ground import FixedClock
from tests.journeys.town import free_port

A_PLACE = f"{PLACES}/{uuid.UUID(int=1)}"


@pytest.fixture(scope="module")
def tls(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return identities(tmp_path_factory.mktemp("certificates") / "tls")


@pytest.fixture
def engine() -> FakeFaceEngine:
    return FakeFaceEngine(places=2)


@pytest.fixture
async def node(engine: FakeFaceEngine, tls: Path) -> AsyncIterator[Partner]:
    async with node_of(engine, tls) as partner:
        yield partner


async def ask(
    node: Partner,
    method: str,
    path: str,
    *,
    body: bytes | BytesIO = b"",
    context: ssl.SSLContext | None = None,
    headers: dict[str, str] | None = None,
) -> tuple[int, bytes]:
    async with (
        aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=5)) as session,
        session.request(
            method, node.address + path, data=body, ssl=context or node.tls or True, headers=headers
        ) as reply,
    ):
        return reply.status, await reply.read()


# --- who gets in ----------------------------------------------------------------------------------------------------


async def test_a_portal_with_its_certificate_gets_in(node: Partner) -> None:
    assert (await ask(node, "GET", CONDITION))[0] == 200


def nobody(tls: Path) -> ssl.SSLContext:
    return ssl.create_default_context(cafile=tls / "portal" / "ca.crt")


def a_node(tls: Path) -> ssl.SSLContext:
    """A node's certificate is for servers: with it nobody is a portal."""
    return client_context(tls / HOST)


def somebody_else(tls: Path) -> ssl.SSLContext:
    """Of another authority, and trusting ours."""
    other = tls.parent / "other"
    if not other.exists():
        make_identities(other, [HOST], now=datetime.now(UTC), days=2)
    context = nobody(tls)
    context.load_cert_chain(other / "portal" / "tls.crt", other / "portal" / "tls.key")
    return context


def too_late(tls: Path) -> ssl.SSLContext:
    """A set that has run out: its node would not let it in, and it lets in no node."""
    old = tls.parent / "old"
    if not old.exists():
        make_identities(old, [HOST], now=datetime.now(UTC) - timedelta(days=30), days=2)
    return client_context(old / "portal")


def an_older_protocol(tls: Path) -> ssl.SSLContext:
    context = client_context(tls / "portal")
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.maximum_version = ssl.TLSVersion.TLSv1_2
    return context


@pytest.mark.parametrize("who", [nobody, a_node, somebody_else, too_late, an_older_protocol])
async def test_nobody_else_gets_in(node: Partner, engine: FakeFaceEngine, tls: Path, who: object) -> None:
    assert callable(who)
    with pytest.raises((aiohttp.ClientError, ssl.SSLError, ConnectionError)):
        await ask(node, "PUT", A_PLACE, body=msgspec.json.encode(PlaceWanted(logged_in=True)), context=who(tls))
    async with engine.admit(), engine.admit():
        pass


async def test_nobody_gets_in_without_tls(node: Partner) -> None:
    port = int(node.address.rpartition(":")[2])
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(b"GET /v1/face/condition HTTP/1.1\r\nHost: localhost\r\n\r\n")
    assert b"HTTP" not in await asyncio.wait_for(reader.read(), 5)
    writer.close()


async def test_a_portal_sends_pictures_to_no_other_machine(tls: Path, engine: FakeFaceEngine) -> None:
    elsewhere = tls.parent / "elsewhere"
    if not elsewhere.exists():
        make_identities(elsewhere, ["another.example"], now=datetime.now(UTC), days=2)
    port = free_port()
    node = FaceNode(engine=engine, clock=SystemClock())
    # Of the same authority for once, but under another name than the one that was called.
    server = await start(
        node_app(node, name="elsewhere"), "127.0.0.1", port, ssl=server_context(elsewhere / "another.example")
    )
    called = Partner("face-node-x", f"https://{HOST}:{port}", tls=client_context(elsewhere / "portal"), attempts=1)
    async with portal_to(called) as portal:
        assert not await portal.is_whole()
        with pytest.raises(EngineUnavailable):
            async with portal.admit():
                pass
    await end(server)


def test_certificates_that_do_not_belong_together_are_refused(tls: Path, tmp_path: Path) -> None:
    with pytest.raises(UnsafeSettings):
        client_context(tmp_path)
    make_identities(tmp_path / "new", [HOST], now=datetime.now(UTC), days=2)
    (tmp_path / "new" / "portal" / "tls.key").write_bytes((tls / "portal" / "tls.key").read_bytes())
    with pytest.raises(UnsafeSettings):
        client_context(tmp_path / "new" / "portal")


def test_certificates_are_for_their_owner_alone(tls: Path) -> None:
    assert (tls / "portal").stat().st_mode & 0o077 == 0
    assert (tls / "portal" / "tls.key").stat().st_mode & 0o077 == 0
    assert not [path for path in tls.rglob("*") if "ca.key" in path.name]


def test_a_node_does_not_start_without_its_certificate(tmp_path: Path) -> None:
    environment = {name: value for name, value in os.environ.items() if not name.startswith("ZHIJIAN_")}
    done = subprocess.run(
        [sys.executable, "-m", "api", "face"],
        env={**environment, "ZHIJIAN_DATA_DIR": str(tmp_path)},
        cwd=Path(__file__).parents[2],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert done.returncode == 2
    assert "ZHIJIAN_FACE__TLS_FOLDER" in done.stderr


def test_a_portal_does_not_start_without_its_certificate(tmp_path: Path) -> None:
    settings = FaceSettings(nodes=("https://face.example:8443",))
    clock = SystemClock()
    outbound = Outbound(OutboundSettings(), clock=clock, production=False)
    with pytest.raises(UnsafeSettings, match="TLS_FOLDER"):
        face_engine(settings, cache=tmp_path, clock=clock, ids=RandomIds(), outbound=outbound)
    with pytest.raises(ValidationError):
        FaceSettings(nodes=("http://face.example:8000",))


def test_a_set_of_certificates_is_made_once(tmp_path: Path) -> None:
    folder = tmp_path / "tls"
    command = [str(folder), "--node", "face-1.example", "--node", "127.0.0.1"]
    assert face_certificates.main(command) == 0
    assert sorted(place.name for place in folder.iterdir()) == ["127.0.0.1", "face-1.example", "portal"]
    for place in folder.iterdir():
        server_context(place)
    assert face_certificates.main(command) == 2
    assert face_certificates.main([*command, "--unless-there"]) == 0


# --- full, dead, slow ------------------------------------------------------------------------------------------------


async def test_a_full_node_sends_people_away_with_its_own_word_for_how_long(
    node: Partner, engine: FakeFaceEngine
) -> None:
    async with portal_to(node) as one, portal_to(node) as other, one.admit(), one.admit():
        with pytest.raises(EngineBusy) as busy:
            async with other.admit():
                pass
        assert busy.value.extras.retry_after == 2
        # From now on this portal asks nobody, and reads no body, until then.
        with pytest.raises(EngineBusy) as again:
            other.require_place()
        assert 1 <= (again.value.extras.retry_after or 0) <= 2
        one.require_place()


async def test_a_check_finds_the_node_that_has_a_place(tls: Path) -> None:
    engines = [FakeFaceEngine(places=1), FakeFaceEngine(places=1)]
    async with (
        node_of(engines[0], tls) as first,
        node_of(engines[1], tls) as second,
        portal_to(first, second) as portal,
        portal.admit() as one,
        portal.admit() as other,
    ):
        assert await one.look_at([picture_of("a")])
        assert await other.look_at([picture_of("a")])
        with pytest.raises(EngineBusy):
            async with portal.admit():
                pass


async def test_a_dead_node_is_passed_over_and_seen(tls: Path, engine: FakeFaceEngine) -> None:
    await engine.warm_up()
    async with node_of(engine, tls) as node:
        dead = Partner("face-node-dead", f"https://{HOST}:{free_port()}", tls=node.tls, attempts=1)
        async with portal_to(node, dead) as portal:
            for _ in range(4):
                async with portal.admit() as examination:
                    assert await examination.look_at([picture_of("a")])
            assert not await portal.is_whole()
            await portal.warm_up()
        async with portal_to(node) as portal:
            assert await portal.is_whole()
        async with portal_to(dead) as portal:
            with pytest.raises(EngineUnavailable) as away:
                async with portal.admit():
                    pass
            assert away.value.retryable
            with pytest.raises(EngineUnavailable):
                await portal.warm_up()


@pytest.mark.parametrize(
    "trouble",
    [EngineUnavailable(retry_after=3), EngineOvertime(retry_after=3), PictureUnusable(PictureFault.ANIMATED, 4)],
    ids=lambda trouble: type(trouble).__name__,
)
async def test_what_the_engine_says_arrives_as_it_was_said(
    node: Partner, engine: FakeFaceEngine, trouble: EngineUnavailable | PictureUnusable
) -> None:
    engine.trouble = trouble
    async with portal_to(node) as portal, portal.admit() as examination:
        with pytest.raises(type(trouble)) as said:
            await examination.look_at([picture_of("a")])
        assert type(said.value) is type(trouble)
        assert said.value.extras == trouble.extras
        # It is the engine's word about these pictures, not a failure of the node: others are not held back.
        for _ in range(30):
            with pytest.raises(type(trouble)):
                await examination.look_at([picture_of("a")])
    engine.trouble = None
    async with portal_to(node) as portal, portal.admit() as examination:
        assert await examination.look_at([picture_of("a")])


async def test_whoever_hangs_up_ends_the_look_and_gives_the_place_back(node: Partner, engine: FakeFaceEngine) -> None:
    engine.slowly = asyncio.Event()
    async with portal_to(node) as portal:

        async def check() -> None:
            async with portal.admit() as examination:
                await examination.look_at([picture_of("a")])

        for _ in range(6):
            gone = asyncio.ensure_future(check())
            await asyncio.sleep(0.05)
            gone.cancel()
            with pytest.raises(asyncio.CancelledError):
                await gone
        async with portal.admit(), portal.admit():
            pass


# --- places that nobody gives back -----------------------------------------------------------------------------------


async def test_a_whole_recording_fits_through_the_door(node: Partner) -> None:
    # Metadata behind what the made-up pictures say, to the size of real ones.
    frames = [picture_of("a") + b"|" + bytes(500_000) for _ in range(24)]
    async with portal_to(node) as portal, portal.admit() as examination:
        assert len(await examination.look_at(frames)) == 24


async def test_a_place_falls_back_when_nothing_is_heard_of_it() -> None:
    clock, engine = FixedClock(), FakeFaceEngine(places=1)
    node = FaceNode(engine=engine, clock=clock)
    silent, other = uuid.UUID(int=1), uuid.UUID(int=2)
    for _ in range(2):
        await node.lend(silent, logged_in=True)
    with pytest.raises(EngineBusy):
        await node.lend(other, logged_in=True)
    clock.move(timedelta(seconds=14))
    assert await node.look_at(silent, [picture_of("a")])
    clock.move(timedelta(seconds=14))
    with pytest.raises(EngineBusy):
        await node.lend(other, logged_in=True)
    clock.move(timedelta(seconds=2))
    await node.lend(other, logged_in=True)
    with pytest.raises(NoSuchPlace):
        await node.look_at(silent, [picture_of("a")])
    await node.take_back(silent)
    assert await node.look_at(other, [picture_of("a")])


async def test_a_portal_whose_place_fell_back_tries_again_later(node: Partner) -> None:
    async with portal_to(node) as portal, portal.admit() as examination:
        place = examination._place
        assert (await ask(node, "DELETE", f"{PLACES}/{place}"))[0] == 204
        with pytest.raises(EngineUnavailable):
            await examination.look_at([picture_of("a")])


# --- nonsense --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("method", "path", "body", "status"),
    [
        ("PUT", A_PLACE, b"", HTTPStatus.BAD_REQUEST),
        ("PUT", A_PLACE, b"{}", HTTPStatus.BAD_REQUEST),
        ("PUT", A_PLACE, b'{"logged_in": 1}', HTTPStatus.BAD_REQUEST),
        ("PUT", A_PLACE, b'{"logged_in": true, "more": 1}', HTTPStatus.BAD_REQUEST),
        ("PUT", A_PLACE, b"\xff\xfe", HTTPStatus.BAD_REQUEST),
        ("POST", f"{A_PLACE}/{LOOKS}", b"", HTTPStatus.NOT_FOUND),
        ("POST", f"{A_PLACE}/{LOOKS}", b"\x00\x00\x00\x05abc", HTTPStatus.BAD_REQUEST),
        ("POST", f"{A_PLACE}/{LOOKS}", b"\x00\x00\x00\x00" * 49, HTTPStatus.BAD_REQUEST),
        ("POST", f"{PLACES}/nobody/{LOOKS}", b"", HTTPStatus.NOT_FOUND),
        ("GET", "/health/live", b"", HTTPStatus.NOT_FOUND),
    ],
)
async def test_nonsense_is_told_so(node: Partner, method: str, path: str, body: bytes, status: int) -> None:
    assert (await ask(node, method, path, body=body))[0] == status


async def test_a_body_beyond_every_check_is_not_read(node: Partner) -> None:
    path = f"{A_PLACE}/{LOOKS}"
    try:
        status, _ = await ask(node, "POST", path, body=BytesIO(bytes(13 * 1024 * 1024)))
    except aiohttp.ClientError:
        return
    assert status == HTTPStatus.REQUEST_ENTITY_TOO_LARGE


@pytest.mark.parametrize("pictures", [[], [b""], [b"a"], [b"a", b"", b"bc" * 1000]])
def test_what_is_packed_is_unpacked(pictures: list[bytes]) -> None:
    assert unpacked(packed(pictures), at_most=3) == pictures
