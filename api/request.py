"""What every request gets before its handler: an id, who calls from where, and the words to answer in."""

import ipaddress
import re
from typing import Any, Final

from sanic import Request

from core.ids import Ids
from core.log import set_request_id

_REQUEST_ID: Final = re.compile(r"[!-~]{1,64}")
_DEVICE: Final = re.compile(r"[A-Za-z0-9._\-]{16,64}")


def prepare_request(request: Request[Any, Any], ids: Ids, *, trusted_proxies: int) -> None:
    """Put the request id, device, address and words on `request.ctx`."""
    wanted = request.headers.get("x-request-id", "")
    request_id = wanted if _REQUEST_ID.fullmatch(wanted) else ids.uuid().hex
    request.ctx.request_id = request_id
    set_request_id(request_id)
    device = request.headers.get("x-device-id", "")
    request.ctx.device = device if _DEVICE.fullmatch(device) else ""
    request.ctx.address = client_address(request, trusted_proxies=trusted_proxies)
    request.ctx.english = wants_english(request.headers.get("accept-language", ""))
    request.ctx.elder_words = request.headers.get("x-client-mode", "").lower() == "elder"


def wants_english(accept_language: str) -> bool:
    """Tell whether the first language asked for is English; Chinese otherwise."""
    return accept_language.strip().lower().startswith("en")


def client_address(request: Request[Any, Any], *, trusted_proxies: int) -> str:
    """Return the caller's address: of the connection, or from X-Forwarded-For behind so many proxies of ours."""
    address = request.conn_info.client_ip if request.conn_info else ""
    if trusted_proxies:
        hops = [hop.strip() for hop in request.headers.get("x-forwarded-for", "").split(",") if hop.strip()]
        if len(hops) >= trusted_proxies:
            address = hops[-trusted_proxies]
    try:
        return str(ipaddress.ip_address(address.strip("[]")))
    except ValueError:
        return "unknown"
