"""Addresses and networks."""

import pytest

from core.signers.networks import comes_from, limits_nothing


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


@pytest.mark.parametrize("network", ["0.0.0.0/0", "::/0", "128.0.0.0/1", "10.0.0.0/7", "2000::/3", "::ffff:0:0/96",
                                     "::ffff:10.0.0.0/104", "fc00::/7"])  # fmt: skip
def test_a_network_as_wide_as_everywhere_is_no_limit(network: str) -> None:
    assert limits_nothing(network)


@pytest.mark.parametrize("network", ["10.0.0.0/8", "192.0.2.7/32", "192.0.2.0/24", "2001:db8::/32", "::1/128"])
def test_a_network_of_somebodys_own_is_one(network: str) -> None:
    assert not limits_nothing(network)
