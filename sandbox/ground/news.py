"""Telling the product something at once: one signed call to an address it names."""

import json
from collections.abc import Mapping

import aiohttp

from sandbox.ground.signing import CallbackSigner

_WITHIN_S = 5.0


async def tell(signer: CallbackSigner, url: str, news: Mapping[str, object]) -> int | str:
    """Tell, and give what was answered: a status, or the kind of failure."""
    body = json.dumps(news).encode()
    try:
        async with (
            aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=_WITHIN_S)) as session,
            session.post(url, data=body, headers=signer.headers(url=url, body=body)) as heard,
        ):
            return heard.status
    except (aiohttp.ClientError, TimeoutError) as failure:
        return type(failure).__name__
