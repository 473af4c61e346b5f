"""Where a request comes from: whether an address lies in one of some networks. Pure."""

from collections.abc import Collection
from ipaddress import IPv6Address, ip_address, ip_network


def comes_from(address: str, networks: Collection[str]) -> bool:
    """Say whether an address lies in one of the networks; where there are none, everywhere is right.

    An IPv4 address that a socket shows as IPv6 (`::ffff:192.0.2.1`) is the IPv4 address it is.
    """
    if not networks:
        return True
    try:
        where = ip_address(address)
    except ValueError:
        return False
    if isinstance(where, IPv6Address) and where.ipv4_mapped is not None:
        where = where.ipv4_mapped
    return any(where in ip_network(network, strict=False) for network in networks)
