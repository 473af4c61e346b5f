"""Telling the product something at once: one signed call to an address it names."""

import json
from collections.abc import Mapping

import aiohttp

from sandbox.ground.signing import CallbackSigner

_WITHIN_S = 5.0


async def tell(signer: CallbackSigner, url: str, news: Mapping[str, object]) -> int | str:
    """Tell, and give what was answered: a status, or the kind of failure."""
    status, _ = await ask(signer, url, news)
    return status


async def ask(signer: CallbackSigner, url: str, news: Mapping[str, object]) -> tuple[int | str, dict[str, object]]:
    """Tell, and give status and document of the answer; of a failure its kind, and nothing."""
    body = json.dumps(news).encode()
    try:
        async with (
            aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=_WITHIN_S)) as session,
            session.post(url, data=body, headers=signer.headers(url=url, body=body)) as heard,
        ):
            content = await heard.read()
            return heard.status, _document(content)
    except (aiohttp.ClientError, TimeoutError) as failure:
        return type(failure).__name__, {}


def _document(content: bytes) -> dict[str, object]:
    try:
        told = json.loads(content)
    except ValueError:
        return {}
    return told if isinstance(told, dict) else {}
