"""Starts one process: `python -m api server` (portal with its worker), `portal`, `worker`, or `face` (a face node)."""

import argparse
import os
import sys

from api.face_node import run_face_node
from api.processes import run_portal, run_worker
from api.wiring.settings import load_settings, read_settings
from core.log import configure_logging
from core.settings import UnsafeSettings

# What a process writes (database, logs, keys) is for the user it runs as.
PRIVATE = 0o077


def main(arguments: list[str] | None = None) -> int:
    """Run a process until it is told to stop; return its exit code."""
    parser = argparse.ArgumentParser(prog="python -m api", description=__doc__)
    parser.add_argument("role", choices=("server", "portal", "worker", "face"))
    role = parser.parse_args(arguments).role
    os.umask(PRIVATE)
    try:
        # A face node has neither database nor keys: what is asked of their settings is not asked of it.
        settings = read_settings() if role == "face" else load_settings()
        configure_logging(settings.log_level)
        if role == "face":
            run_face_node(settings)
        elif role == "worker":
            run_worker(settings)
        else:
            run_portal(settings, with_worker=role == "server")
    except UnsafeSettings as error:
        sys.stderr.write(f"Will not start: {error}\n")
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
