"""What WeChat pushes, as `docs/departments/wechat-messages.md` describes it: proof, plain and safe mode, XML and JSON.

Signatures and ciphers are wechatpy's; XML is read by defusedxml, since wechatpy's own reader takes any entity.
"""

import binascii
import hmac
import json
import struct
from collections.abc import Iterator, Mapping
from typing import Any, Final
from xml.etree.ElementTree import Element, ParseError

from defusedxml import DefusedXmlException
from defusedxml.ElementTree import fromstring
from pydantic import SecretStr
from wechatpy.crypto import PrpCrypto
from wechatpy.exceptions import WeChatException
from wechatpy.utils import WeChatSigner

from core.clock import Clock
from notices.errors import PushRefused
from notices.types import Push, PushItem

# A push is answered within seconds; what is older is somebody's copy of it.
_OLDEST_SECONDS: Final = 600
_MOST_ITEMS: Final = 20
_LONGEST: Final = 128
# Where each event keeps its list, in XML.
_LISTS: Final[Mapping[str, str]] = {
    "subscribe_msg_popup_event": "SubscribeMsgPopupEvent",
    "subscribe_msg_change_event": "SubscribeMsgChangeEvent",
    "subscribe_msg_sent_event": "SubscribeMsgSentEvent",
}


class WechatPush:
    """Reads pushes. With an AES key only encrypted ones are taken: a plain one proves nothing of its body."""

    def __init__(self, *, token: SecretStr, aes_key: SecretStr, app_id: str, clock: Clock) -> None:
        self._token = token
        self._app_id = app_id
        self._clock = clock
        key = aes_key.get_secret_value()
        self._key = binascii.a2b_base64(key + "=") if key else b""

    def echo(self, query: Mapping[str, str]) -> str:
        """Return what WeChat wants to hear when it tries our address.

        Raises:
            PushRefused: the proof does not hold.
        """
        self._check(query, "signature")
        return query.get("echostr", "")

    def read(self, query: Mapping[str, str], body: bytes) -> Push:
        """Return what was pushed.

        Raises:
            PushRefused: the proof does not hold, is old, or the body cannot be read.
        """
        try:
            told = _parse(body.decode("utf-8"))
            if self._key:
                told = _parse(self._open(query, _text(told, "Encrypt")))
            else:
                self._check(query, "signature")
            return _push(told)
        # What may go wrong in bytes that anybody can send; none of it is told, since it would help who tries.
        except (ValueError, LookupError, TypeError, RecursionError, struct.error, ParseError) as error:
            raise PushRefused from error
        except (WeChatException, DefusedXmlException) as error:
            raise PushRefused from error

    def _open(self, query: Mapping[str, str], encrypted: str) -> str:
        self._check(query, "msg_signature", encrypted)
        opened: str = PrpCrypto(self._key).decrypt(encrypted, self._app_id)
        return opened

    def _check(self, query: Mapping[str, str], name: str, *more: str) -> None:
        token, timestamp = self._token.get_secret_value(), query.get("timestamp", "")
        signer = WeChatSigner()
        signer.add_data(token, timestamp, query.get("nonce", ""), *more)
        good = hmac.compare_digest(str(signer.signature).encode(), query.get(name, "").encode())
        fresh = timestamp.isdecimal() and abs(self._clock.now().timestamp() - int(timestamp[:12])) <= _OLDEST_SECONDS
        if not token or not good or not fresh:
            raise PushRefused


def _parse(text: str) -> dict[str, Any]:
    """Read XML or JSON into one shape: texts by name, and the items of a subscription event under `List`.

    Raises:
        ValueError: it is neither.
    """
    if not text.lstrip().startswith("<"):
        told = json.loads(text)
        if not isinstance(told, dict):
            raise ValueError("no object")
        items = told.get("List", [])
        # WeChat sends one item alone as an object, several as a list.
        return {**told, "List": items if isinstance(items, list) else [items]}
    root: Element = fromstring(text)
    fields = {child.tag: child.text or "" for child in root if not len(child)}
    found = root.find(_LISTS.get(fields.get("Event", ""), "List"))
    items = [] if found is None else [{each.tag: each.text or "" for each in item} for item in found.iter("List")]
    return {**fields, "List": items}


def _text(told: Mapping[str, Any], name: str, *, most: int = 65_536) -> str:
    value = told.get(name, "")
    if isinstance(value, bool) or not isinstance(value, str | int) or len(str(value)) > most:
        raise ValueError(name)
    return str(value)


def _push(told: Mapping[str, Any]) -> Push:
    openid, event = _text(told, "FromUserName", most=_LONGEST), _text(told, "Event", most=_LONGEST)
    items = tuple(_items(told["List"]))
    # Events carry no number of their own: WeChat's page says to tell them apart by sender and time.
    told_by = _text(told, "MsgId", most=_LONGEST) or f"{openid}|{_text(told, 'CreateTime', most=_LONGEST)}|{event}"
    return Push(key=f"{told_by}|{items!r}", openid=openid, event=event, items=items)


def _items(told: list[Any]) -> Iterator[PushItem]:
    if len(told) > _MOST_ITEMS or not all(isinstance(item, dict) for item in told):
        raise ValueError("items")
    for item in told:
        code = _text(item, "ErrorCode", most=_LONGEST) or "0"
        yield PushItem(
            template_id=_text(item, "TemplateId", most=_LONGEST),
            status=_text(item, "SubscribeStatusString", most=_LONGEST),
            number=_text(item, "MsgID", most=64),
            code=int(code),
        )
