"""The document at /openapi.json and a page that shows it, without any outside request."""

import asyncio
import json
from collections.abc import Callable
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Final

from sanic import Sanic
from sanic.exceptions import NotFound
from sanic.response import HTTPResponse

from api.operation import Request

_PAGE: Final = """<!doctype html>
<html lang="zh-CN"><head><meta charset="utf-8"><title>指尖办事 API</title>
<meta name="viewport" content="width=device-width, initial-scale=1">
<link rel="stylesheet" href="/docs/assets/swagger-ui.css"></head>
<body><div id="ui"></div><script src="/docs/assets/swagger-ui-bundle.js"></script>
<script src="/docs/assets/start.js"></script></body></html>"""
_START: Final = """window.ui = SwaggerUIBundle({url: "/openapi.json", dom_id: "#ui", deepLinking: true,
  validatorUrl: null, presets: [SwaggerUIBundle.presets.apis]});"""
_TYPES: Final = {".css": "text/css; charset=utf-8", ".js": "text/javascript; charset=utf-8"}
_POLICY: Final = (
    "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; "
    "connect-src 'self'; frame-ancestors 'none'; base-uri 'none'"
)


@cache
def _asset(name: str) -> bytes:
    if name == "start.js":
        return _START.encode()
    spec = find_spec("flask_openapi3_swagger")
    if spec is None or not spec.submodule_search_locations:
        raise NotFound
    folder = Path(spec.submodule_search_locations[0]) / "templates" / "swagger"
    for path in folder.rglob(name):
        return path.read_bytes()
    raise NotFound


def add_docs(app: Sanic[Any, Any], describe: Callable[[], dict[str, Any]]) -> None:
    """Serve the document at /openapi.json and a page for it at /docs, without any outside request.

    The document is made when somebody first asks for it, beside the loop: no start waits for it.
    """

    @cache
    def whole() -> bytes:
        return json.dumps(describe(), ensure_ascii=False, separators=(",", ":")).encode()

    async def page(_request: Request) -> HTTPResponse:
        return HTTPResponse(
            _PAGE, headers={"Content-Security-Policy": _POLICY}, content_type="text/html; charset=utf-8"
        )

    async def asset(_request: Request, name: str) -> HTTPResponse:
        if name not in {"swagger-ui.css", "swagger-ui-bundle.js", "start.js"}:
            raise NotFound
        return HTTPResponse(
            _asset(name), headers={"Cache-Control": "public, max-age=86400"}, content_type=_TYPES[Path(name).suffix]
        )

    async def specification(_request: Request) -> HTTPResponse:
        return HTTPResponse(await asyncio.to_thread(whole), content_type="application/json")

    app.add_route(page, "/docs", name="docs")
    app.add_route(asset, "/docs/assets/<name:str>", name="docs_asset")
    app.add_route(specification, "/openapi.json", name="openapi")
