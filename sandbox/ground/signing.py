"""Who is calling, and how our own calls are signed: signed JSON, access tokens, RFC 9421."""

import hashlib
import hmac
import re
import secrets
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Literal

from aiohttp import web
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.hmac import HMAC
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from http_message_signatures import HTTPMessageSigner, MappingKeyResolver
from http_message_signatures.algorithms import ED25519

from sandbox.ground.answers import Json, NotAllowed, NotUnderstood, answer, read_object
from sandbox.ground.clock import Clock
from sandbox.ground.settings import AppSecret, Misconfigured

TOLERANCE_S = 300
_NONCE_MEMORY_S = 600
_NONCE = re.compile(r"[0-9a-f]{32}")
_SECONDS = re.compile(r"[0-9]{1,12}")


def sm3(data: bytes) -> str:
    """Hash with SM3, in lower-case hex."""
    digest = hashes.Hash(hashes.SM3())
    digest.update(data)
    return digest.finalize().hex()


def sm3_hmac(secret: str, data: bytes) -> str:
    """Authenticate with HMAC-SM3, in lower-case hex."""
    code = HMAC(secret.encode(), hashes.SM3())
    code.update(data)
    return code.finalize().hex()


def sha256(data: bytes) -> str:
    """Hash with SHA-256, in lower-case hex."""
    return hashlib.sha256(data).hexdigest()


def sha256_hmac(secret: str, data: bytes) -> str:
    """Authenticate with HMAC-SHA-256, in lower-case hex."""
    return hmac.new(secret.encode(), data, hashlib.sha256).hexdigest()


def same(expected: str, told: str) -> bool:
    """Compare in constant time, whatever characters were told."""
    return hmac.compare_digest(expected.encode(), told.encode("utf-8", "surrogatepass"))


def check_seconds(told: str, clock: Clock) -> None:
    """Hold a timestamp against the clock.

    Raises:
        NotAllowed: it is no timestamp, or more than 300 s off.
    """
    if not _SECONDS.fullmatch(told) or abs(clock.seconds() - int(told)) > TOLERANCE_S:
        message = f"The timestamp is missing, or more than {TOLERANCE_S} s off."
        raise NotAllowed(message)


class Nonces:
    """The nonces of the last ten minutes. A restart forgets them; the timestamp still bounds a replay."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._seen: OrderedDict[tuple[str, str], float] = OrderedDict()

    def use(self, app_id: str, nonce: str) -> bool:
        """Use a nonce up; false when it was used before."""
        now = self._clock.seconds()
        while self._seen and next(iter(self._seen.values())) < now - _NONCE_MEMORY_S:
            self._seen.popitem(last=False)
        if (app_id, nonce) in self._seen:
            return False
        self._seen[app_id, nonce] = now
        return True


class SignedDesk:
    """A desk that takes signed JSON, as `docs/departments/README.md` has it, and answers with a code."""

    def __init__(
        self, caller: AppSecret, *, clock: Clock, nonces: Nonces, algorithm: Literal["sha256", "sm3"] = "sha256"
    ) -> None:
        self._caller = caller
        self._clock = clock
        self._nonces = nonces
        self._digest, self._hmac = (sha256, sha256_hmac) if algorithm == "sha256" else (sm3, sm3_hmac)

    def takes(self, work: Callable[[Json], Awaitable[Json]]) -> Callable[[web.Request], Awaitable[web.Response]]:
        """Make a handler of work on a JSON body: signature checked, refusals answered with their codes."""

        async def handle(request: web.Request) -> web.Response:
            async def on_body() -> Json:
                return await work(read_object(await request.read()))

            return await self._answered(request, on_body)

        return handle

    def looks_up(self, work: Callable[[str], Awaitable[Json]]) -> Callable[[web.Request], Awaitable[web.Response]]:
        """Make a handler of work on the `reference` in the path, of a request without a body."""

        async def handle(request: web.Request) -> web.Response:
            async def on_reference() -> Json:
                return await work(request.match_info["reference"])

            return await self._answered(request, on_reference)

        return handle

    async def _answered(self, request: web.Request, work: Callable[[], Awaitable[Json]]) -> web.Response:
        try:
            self.check(request.method, request.raw_path, request.headers, await request.read())
            return answer(await work())
        except NotAllowed as refusal:
            return answer({"code": "4010", "message": str(refusal)}, status=401)
        except NotUnderstood as refusal:
            return answer({"code": "4000", "message": str(refusal)})

    def check(self, method: str, target: str, headers: Mapping[str, str], body: bytes) -> None:
        """Check the four headers over the request as it was sent.

        Raises:
            NotAllowed: unknown caller, old timestamp, used nonce or wrong signature.
        """
        app_id, nonce = headers.get("X-App-Id", ""), headers.get("X-Nonce", "")
        timestamp = headers.get("X-Timestamp", "")
        check_seconds(timestamp, self._clock)
        signed = "\n".join((method.upper(), target, timestamp, nonce, self._digest(body)))
        expected = self._hmac(self._caller.secret, signed.encode("utf-8", "surrogateescape"))
        if not same(self._caller.app_id, app_id) or not same(expected, headers.get("X-Signature", "")):
            message = "The caller is unknown or the signature is wrong."
            raise NotAllowed(message)
        # Only after the signature: a stranger must not be able to use up somebody's nonces.
        if not _NONCE.fullmatch(nonce) or not self._nonces.use(app_id, nonce):
            message = "The nonce is not 32 lower-case hex digits, or was used before."
            raise NotAllowed(message)


@dataclass(slots=True)
class _Outgoing:
    """A request in the shape that the signature library reads and writes."""

    method: str
    url: str
    headers: dict[str, str]


class CallbackSigner:
    """Sign calls back after RFC 9421 with Ed25519, as `docs/departments/public-security.md` has it."""

    def __init__(self, *, key_id: str, private_key: bytes, clock: Clock) -> None:
        # Read once: reading a PEM costs more than a signature.
        key = load_pem_private_key(private_key, password=None)
        if not isinstance(key, Ed25519PrivateKey):
            message = f"The private key {key_id} must be an Ed25519 key."
            raise Misconfigured(message)
        keys = MappingKeyResolver(public_keys={}, private_keys={key_id: key})
        self._signer = HTTPMessageSigner(signature_algorithm=ED25519, key_resolver=keys)
        self._key_id = key_id
        self._clock = clock

    def headers(self, *, url: str, body: bytes, method: str = "POST") -> dict[str, str]:
        """Make the headers of one request. Each attempt gets its own: a nonce is never sent twice."""
        outgoing = _Outgoing(method, url, {"Content-Type": "application/json"})
        self._signer.sign(
            outgoing,
            key_id=self._key_id,
            created=self._clock.now(),
            nonce=secrets.token_hex(16),
            label="sig1",
            include_alg=False,
            covered_component_ids=("@method", "@target-uri", "content-digest", "content-type"),
            body=body,
        )
        return outgoing.headers
