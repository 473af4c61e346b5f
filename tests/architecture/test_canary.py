"""The privacy canary sings: a check that could not fail would guard nobody."""

import logging

from tests.privacy import Listener, leaks, secrets_of_the_cast


def test_the_canary_knows_the_cast() -> None:
    assert {"霍明哲", "999999198503122179", "19900000001"} <= secrets_of_the_cast()


def test_a_leak_is_found() -> None:
    assert leaks(["nothing here"]) == []
    assert leaks(["user 霍明哲 logged in"]) != []


def test_what_is_logged_is_heard() -> None:
    listener, logger = Listener(), logging.getLogger("tests.canary")
    logger.propagate = False
    logger.addHandler(listener)
    logger.warning("number %s", "999999198503122179")
    logger.removeHandler(listener)
    assert leaks(listener.lines) != []
