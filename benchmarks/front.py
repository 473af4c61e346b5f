"""What stands for the outside systems while load runs: the sandbox, asked once, its answers repeated from memory.

    python -m benchmarks.front PORT SANDBOX-URL

The sandbox checks signatures, seals answers and keeps a file; under load it would be what is measured. Here

- a login at WeChat with a code `bench-<account>` is answered at once with an account made of that name,
- the population registry knows everybody of the name `度量衡`, who is nobody, issuers give them a copy of the last
  certificate of the kind that they gave to somebody, and public security gives receipts for their cases,
- `POST …/v1/checks/…` and the insurance question of human resources, the four checks of a settlement, are answered
  50 ms after they have arrived; the answer is the sandbox's own to the first of each,
- everything else goes to the sandbox as it is.
"""

import asyncio
import json
import sys
from collections.abc import Mapping
from typing import Final, cast
from urllib.parse import parse_qs, urlsplit

import aiohttp
import uvloop
from yarl import URL

from benchmarks.wire import answer, end_of_message

DELAY_SECONDS: Final = 0.050
ACCOUNT: Final = "bench-"
NAME: Final = "度量衡"
_WECHAT_LOGIN: Final = "/wechat/sns/jscode2session"
_SLOW: Final = (
    "/education/v1/checks/",
    "/public-security/v1/checks/",
    "/real-estate/v1/checks/",
    "/human-resources/sharing/queryInsurance",
)
_CERTIFICATES: Final = (
    "/public-security/v1/certificates/query",
    "/human-resources/sharing/queryCertInfoByHolderCode",
)
_NOT_PASSED_ON: Final = frozenset({"host", "content-length", "connection", "accept-encoding", "transfer-encoding"})


class Front:
    """The answers, and the way to the sandbox."""

    def __init__(self, sandbox: str) -> None:
        self._sandbox = sandbox
        self._session: aiohttp.ClientSession | None = None
        self._kept: dict[str, bytes] = {}

    def known(self, method: str, target: str, body: bytes) -> tuple[bytes, float] | None:
        """Return an answer that needs no sandbox, and after how many seconds to give it."""
        if method == "GET" and target.startswith(_WECHAT_LOGIN):
            code = parse_qs(urlsplit(target).query).get("js_code", [""])[0]
            if code.startswith(ACCOUNT):
                return _account(code.removeprefix(ACCOUNT)), 0.0
        elif (kept := self._kept.get(target)) is not None:
            return kept, DELAY_SECONDS
        elif NAME.encode() in body:
            if target in _AT_ONCE:
                return _AT_ONCE[target], 0.0
            if target in _CERTIFICATES and (copy := self._kept.get(target + _kind(body))) is not None:
                return copy, 0.0
        return None

    async def ask(self, method: str, target: str, headers: dict[str, str], body: bytes) -> bytes:
        """Ask the sandbox, and keep what departments answer to checks."""
        if self._session is None:
            self._session = aiohttp.ClientSession(auto_decompress=False)
        url = URL(self._sandbox + target, encoded=True)
        async with self._session.request(method, url, headers=headers, data=body or None) as response:
            given = answer(await response.read(), status=response.status, media_type=response.content_type)
        if method == "POST" and target.startswith(_SLOW) and response.status == 200:
            self._kept[target] = given
        if target in _CERTIFICATES:
            self._kept[target + _kind(body)] = given
        return given


_RECEIPT: Final = (
    b'{"code":"0000","message":"received","receipt_number":"BENCH","received_at":"2000-01-01T00:00:00+00:00"}'
)
_AT_ONCE: Final[Mapping[str, bytes]] = {
    "/population-registry/v1/verifications": answer(b'{"code":"0000","result":"match","alive":true}'),
    "/public-security/v1/cases": answer(_RECEIPT),
}


def _kind(body: bytes) -> str:
    """Return the kind of certificate that is asked for."""
    told = json.loads(body)
    return f"#{told['kind'] if 'kind' in told else told['data']['certTypeCode']}"


def _account(name: str) -> bytes:
    return answer(json.dumps({"openid": f"o{name:->27}", "session_key": "AAAAAAAAAAAAAAAAAAAAAA=="}).encode())


class Caller(asyncio.Protocol):
    """One connection of the product or of the floor."""

    def __init__(self, front: Front) -> None:
        self._front = front
        self._transport: asyncio.Transport | None = None
        self._data = b""
        self._asking: set[asyncio.Task[None]] = set()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the way back."""
        # uvloop's transports are such, and do not say so.
        self._transport = cast("asyncio.Transport", transport)

    def connection_lost(self, _exc: Exception | None) -> None:
        """Forget the way back."""
        self._transport = None

    def data_received(self, data: bytes) -> None:
        """Take in a part of a request; callers send the next one after the answer."""
        self._data += data
        message = end_of_message(self._data)
        if message is None:
            return
        begin, end = message
        whole, self._data = self._data[:end], self._data[end:]
        method, target, _ = whole.split(b" ", 2)
        known = self._front.known(method.decode(), target.decode(), whole[begin:])
        if known is None:
            asking = asyncio.get_running_loop().create_task(self._ask(method.decode(), target.decode(), whole, begin))
            self._asking.add(asking)
            asking.add_done_callback(self._asking.discard)
            return
        content, seconds = known
        if seconds:
            asyncio.get_running_loop().call_later(seconds, self._give, content)
        else:
            self._give(content)

    async def _ask(self, method: str, target: str, whole: bytes, begin: int) -> None:
        lines = whole[: begin - 4].decode().split("\r\n")[1:]
        pairs = (line.partition(": ")[::2] for line in lines)
        headers = {name: value for name, value in pairs if name.lower() not in _NOT_PASSED_ON}
        try:
            content = await self._front.ask(method, target, headers, whole[begin:])
        except (aiohttp.ClientError, TimeoutError):
            content = answer(b"the sandbox does not answer", status=502, media_type="text/plain")
        self._give(content)

    def _give(self, content: bytes) -> None:
        if self._transport is not None:
            self._transport.write(content)


async def serve(port: int, sandbox: str) -> None:
    """Serve until the process is ended."""
    front = Front(sandbox)
    server = await asyncio.get_running_loop().create_server(lambda: Caller(front), "127.0.0.1", port, backlog=1024)
    await server.serve_forever()


if __name__ == "__main__":
    uvloop.run(serve(int(sys.argv[1]), sys.argv[2]))
