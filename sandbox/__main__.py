"""`python -m sandbox`: start the pretended back offices."""

import logging
import os
import sys

from aiohttp import web

from sandbox import faces
from sandbox.ground.clock import Clock
from sandbox.ground.settings import Misconfigured, Settings, wait_for_credentials
from sandbox.server import create_app

_log = logging.getLogger("sandbox")
# A department that hangs has callers who wait; a stop does not wait for them.
_LEAVE_WITHIN_S = 1.0


async def _prepared(settings: Settings) -> web.Application:
    credentials = await wait_for_credentials(settings.credentials)
    return await create_app(settings, credentials, studio=faces, clock=Clock())


def main() -> int:
    """Serve until SIGINT or SIGTERM; 1 when it cannot start, with what to do on stderr."""
    logging.basicConfig(level=logging.INFO, format="%(levelname)s %(name)s: %(message)s")
    try:
        settings = Settings.from_environment(os.environ)
        web.run_app(
            _prepared(settings),
            host=settings.host,
            port=settings.port,
            # The query of a login carries the app's secret and a code.
            access_log=None,
            shutdown_timeout=_LEAVE_WITHIN_S,
            print=lambda _banner: _log.info("the sandbox listens on http://%s:%d", settings.host, settings.port),
        )
    except Misconfigured as reason:
        _log.error("%s", reason)
        return 1
    except OSError as reason:
        _log.error("cannot listen on %s:%d: %s. Set SANDBOX_PORT to a free port.", settings.host, settings.port, reason)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
