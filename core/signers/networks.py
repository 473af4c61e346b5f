"""Where a request comes from: whether an address lies in one of some networks. Pure."""

from collections.abc import Collection
from ipaddress import IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from typing import Final

_WIDEST: Final = 8
_WIDEST_IPV6: Final = 32
_MAPPED: Final = IPv6Network("::ffff:0:0/96")


def comes_from(address: str, *limits: Collection[str]) -> bool:
    """Say whether an address lies in one of the networks of each limit; one without networks limits nobody.

    An IPv4 address that a socket shows as IPv6 (`::ffff:192.0.2.1`) is the IPv4 address it is.
    """
    limits = tuple(networks for networks in limits if networks)
    if not limits:
        return True
    try:
        where = ip_address(address)
    except ValueError:
        return False
    if isinstance(where, IPv6Address) and where.ipv4_mapped is not None:
        where = where.ipv4_mapped
    return all(any(where in ip_network(network, strict=False) for network in networks) for networks in limits)


def limits_nothing(text: str) -> bool:
    """Say whether a network is no limit: wider than an IPv4 /8 or an IPv6 /32, or IPv4 written as IPv6, which none is.

    Raises:
        ValueError: the text is no network.
    """
    network = ip_network(text, strict=False)
    if isinstance(network, IPv4Network):
        return network.prefixlen < _WIDEST
    return network.prefixlen < _WIDEST_IPV6 or network.overlaps(_MAPPED)
