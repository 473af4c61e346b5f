"""What `make run` refuses before it starts anything, and the page it ends with."""

import http.server
import io
import json
import socket
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from rich.console import Console

from scripts.run import CannotRun, Place, alone_in, read_arguments, refuse_taken_ports
from scripts.welcome import JOURNEY, show

PERSON = {
    "slug": "huomingzhe",
    "name": "霍明哲",
    "id_number": "999999198503122179",
    "mobile": "19900000001",
    "story": "一切顺利",
    "story_en": "Everything works",
}


class TheCast(http.server.BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        body = json.dumps({"items": [PERSON]}).encode()
        self.send_response(200 if self.path == "/sandbox/people" else 404)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 — the library's name
        """Say nothing."""


@pytest.fixture
def address() -> Iterator[str]:
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), TheCast) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


def place(tmp_path: Path, port: int, sandbox_port: int) -> Place:
    return Place(port=port, sandbox_port=sandbox_port, data=tmp_path)


def test_a_taken_port_is_refused_with_another_to_take(tmp_path: Path) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        with pytest.raises(CannotRun, match=f"Port {port} .*(\n|.)*make run PORT="):
            refuse_taken_ports(place(tmp_path, port, port + 1))


def test_a_data_folder_serves_one_run_at_a_time(tmp_path: Path) -> None:
    with alone_in(tmp_path / "data"), pytest.raises(CannotRun, match="make run DATA_DIR="), alone_in(tmp_path / "data"):
        pass
    with alone_in(tmp_path / "data"):
        assert (tmp_path / "data" / "run.lock").exists()


def test_one_port_cannot_serve_both(tmp_path: Path) -> None:
    with pytest.raises(CannotRun, match="share"):
        refuse_taken_ports(place(tmp_path, 8000, 8000))


def test_the_sandbox_is_told_nothing_of_the_products_settings(tmp_path: Path) -> None:
    here = place(tmp_path, 8000, 8100)
    assert not [name for name in here.sandbox_environment() if name.startswith("ZHIJIAN_")]
    assert here.sandbox_environment()["SANDBOX_CREDENTIALS"] == str(tmp_path / "sandbox" / "credentials.json")
    assert here.portal_environment()["ZHIJIAN_SANDBOX_URL"] == "http://127.0.0.1:8100"


def test_the_data_folder_is_the_same_from_wherever_the_command_is_read() -> None:
    assert read_arguments(["--data-dir", "somewhere"]).data.is_absolute()


def test_the_page_shows_addresses_cast_and_lines_as_they_can_be_pasted(tmp_path: Path, address: str) -> None:
    console = Console(record=True, width=60, file=io.StringIO())
    show(console, portal=address, sandbox=address, data=tmp_path)
    page = console.export_text()
    assert address in page
    assert "霍明哲" in page
    assert "Everything works" in page
    assert "${1:-" not in page
    commands = [line for line in JOURNEY.read_text(encoding="utf-8").splitlines() if line.startswith(("curl", "CODE="))]
    assert len(commands) == 5
    assert [line for line in commands if line not in page] == []
