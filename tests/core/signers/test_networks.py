"""Addresses and networks."""

import pytest

from core.signers.networks import comes_from


@pytest.mark.parametrize(
    ("address", "networks", "near"),
    [
        ("192.0.2.1", [], True),
        ("", [], True),
        ("192.0.2.1", ["192.0.2.0/24"], True),
        ("192.0.3.1", ["192.0.2.0/24", "192.0.3.1"], True),
        ("192.0.3.1", ["192.0.2.0/24"], False),
        ("::ffff:192.0.2.1", ["192.0.2.0/24"], True),
        ("::ffff:192.0.3.1", ["192.0.2.0/24"], False),
        ("2001:db8::1", ["2001:db8::/32", "10.0.0.0/8"], True),
        ("nowhere", ["192.0.2.0/24"], False),
        ("", ["0.0.0.0/0"], False),
    ],
)
def test_an_address_lies_in_a_network_or_not(address: str, networks: list[str], near: bool) -> None:
    assert comes_from(address, networks) is near
