"""Client addresses: shown truncated, counted by network."""

import ipaddress
from functools import lru_cache


def _parse(address: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        parsed = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return None
    mapped = getattr(parsed, "ipv4_mapped", None)
    return mapped or parsed


@lru_cache(maxsize=4_096)
def network(address: str) -> str:
    """What one subscriber holds: the address itself for IPv4, its /64 for IPv6 (SEC-13)."""
    parsed = _parse(address)
    if parsed is None:
        return "unknown"
    prefix = 32 if parsed.version == 4 else 64
    return str(ipaddress.ip_network((parsed, prefix), strict=False))


@lru_cache(maxsize=4_096)
def truncated(address: str) -> str | None:
    """What is stored and shown: the /24 or /48 that the address lies in, without the prefix length."""
    parsed = _parse(address)
    if parsed is None:
        return None
    prefix = 24 if parsed.version == 4 else 48
    return str(ipaddress.ip_network((parsed, prefix), strict=False).network_address)
