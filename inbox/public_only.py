"""An HTTP client that reaches public addresses alone: what an outsider names must not lead into our own network.

Names are resolved here, once, and a connection is made to the very addresses that were looked at; so a name that
means something else a moment later (DNS rebinding) gains nothing. aiohttp does not ask a resolver for addresses that
are written as such: those are looked at before.
"""

from __future__ import annotations

import ipaddress
import socket
from collections.abc import Sequence
from urllib.parse import urlsplit

import aiohttp
from aiohttp.abc import AbstractResolver, ResolveResult
from aiohttp.resolver import ThreadedResolver

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Network = ipaddress.IPv4Network | ipaddress.IPv6Network

NAT64 = ipaddress.IPv6Network("64:ff9b::/96")  # RFC 6052


class ForbiddenAddressError(OSError):
    """An address that is not for outsiders to name."""


class PublicOnly:
    """Which addresses may be called: public ones, and those of `networks`."""

    def __init__(self, networks: Sequence[Network]) -> None:
        self._networks = networks

    def check(self, url: str) -> None:
        """Looks at an address that is written as such in a URL.

        Raises:
            ForbiddenAddressError: it may not be called.
            ValueError: the URL cannot be read, or is none that may be called: not https, with a name or password.
        """
        parts = urlsplit(url)
        if " " in url or not url.isprintable() or parts.port == 0:  # `port` raises ValueError for one that is none
            raise ValueError("must be an https address")
        if parts.username is not None or parts.password is not None or not parts.hostname or parts.fragment:
            raise ValueError("must be an https address without user, password or fragment")
        if parts.scheme != "https" and not (parts.scheme == "http" and self._networks):
            raise ValueError("must be an https address")
        try:
            address = ipaddress.ip_address(parts.hostname)
        except ValueError:
            if _is_number(parts.hostname):
                raise ValueError("write the address as four numbers with dots between") from None
            return  # a name, which the resolver looks up
        self.check_address(address, encrypted=parts.scheme == "https")

    def check_address(self, address: Address, *, encrypted: bool) -> None:
        """Looks at an address; without encryption only those of `networks` may be called.

        Raises:
            ForbiddenAddressError: it may not be called.
        """
        faces = list(_faces(address))
        if any(face in network for face in faces for network in self._networks if face.version == network.version):
            return
        if not encrypted or not all(face.is_global and not face.is_multicast for face in faces):
            raise ForbiddenAddressError(f"{address} is no public address")

    def client(self, *, encrypted: bool) -> aiohttp.ClientSession:
        """A client for https, or for http; to be closed."""
        connector = aiohttp.TCPConnector(resolver=_Resolver(self, encrypted=encrypted), limit=0, ttl_dns_cache=0)
        return aiohttp.ClientSession(connector=connector, cookie_jar=aiohttp.DummyCookieJar(), trust_env=False)


class _Resolver(AbstractResolver):
    """The system's resolver, without the addresses that may not be called."""

    def __init__(self, allowed: PublicOnly, *, encrypted: bool) -> None:
        self._allowed = allowed
        self._encrypted = encrypted
        self._resolver = ThreadedResolver()

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        """All addresses of a name, where each of them may be called.

        Raises:
            ForbiddenAddressError: one may not.
        """
        found = await self._resolver.resolve(host, port, family)
        for one in found:
            self._allowed.check_address(ipaddress.ip_address(one["host"].partition("%")[0]), encrypted=self._encrypted)
        return found

    async def close(self) -> None:
        """Nothing is open."""


def _is_number(host: str) -> bool:
    """Whether the system would take a name for an IPv4 address: `127.1`, `0x7f000001`."""
    try:
        socket.inet_aton(host)
    except OSError:
        return False
    return True


def _faces(address: Address) -> Sequence[Address]:
    """An address, and the IPv4 addresses that it leads to."""
    if isinstance(address, ipaddress.IPv4Address):
        return [address]
    inner = [address.ipv4_mapped, address.sixtofour, *(address.teredo or ())]
    if address in NAT64:
        inner.append(ipaddress.IPv4Address(int(address) & 0xFFFFFFFF))
    known = [one for one in inner if one is not None]
    return known if address.ipv4_mapped is not None else [address, *known]
