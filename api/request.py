"""What every request gets before its handler: an id, who calls from where, and the words to answer in."""

import ipaddress
import re
from functools import lru_cache
from typing import Any, Final

from sanic import Request

from api.problems import RequestInvalid
from api.reading import field_error
from core.ids import Ids
from core.log import set_request_id

_REQUEST_ID: Final = re.compile(r"[!-~]{1,64}")
# Opaque and made by the client: 16 to 64 visible characters.
DEVICE_PATTERN: Final = "[!-~]{16,64}"
_DEVICE: Final = re.compile(DEVICE_PATTERN)


def prepare_request(request: Request[Any, Any], ids: Ids, *, trusted_proxies: int) -> None:
    """Put the request id, address and words on `request.ctx`."""
    headers, context = request.headers, request.ctx
    wanted = headers.get("x-request-id")
    request_id = wanted if wanted is not None and _REQUEST_ID.fullmatch(wanted) else ids.uuid().hex
    context.request_id = request_id
    set_request_id(request_id)
    context.address = client_address(request, trusted_proxies=trusted_proxies)
    context.english = wants_english(headers.get("accept-language", ""))
    context.elder_words = headers.get("x-client-mode", "").lower() == "elder"


def read_device(request: Request[Any, Any]) -> str:
    """Return the mark that a client made for its device, or an empty text.

    Raises:
        RequestInvalid: it is not 16 to 64 characters.
    """
    device = request.headers.get("x-device-id")
    if device is None:
        return ""
    if not _DEVICE.fullmatch(device):
        raise RequestInvalid(errors=[field_error("/headers/X-Device-Id", "string_pattern_mismatch")])
    return str(device)


def wants_english(accept_language: str) -> bool:
    """Tell whether the first language asked for is English; Chinese otherwise."""
    return accept_language.strip().lower().startswith("en")


def client_address(request: Request[Any, Any], *, trusted_proxies: int) -> str:
    """Return the caller's address: of the connection, or from X-Forwarded-For behind so many proxies of ours."""
    address = request.conn_info.client_ip if request.conn_info else ""
    if trusted_proxies:
        # Some proxies add a line of their own to those that the caller has sent: they count as one.
        told = ",".join(request.headers.getall("x-forwarded-for", []))
        hops = [hop.strip() for hop in told.split(",") if hop.strip()]
        if len(hops) >= trusted_proxies:
            address = hops[-trusted_proxies]
    return _normal(address)


@lru_cache(maxsize=1024)
def _normal(address: str) -> str:
    try:
        return str(ipaddress.ip_address(address.strip("[]")))
    except ValueError:
        return "unknown"
