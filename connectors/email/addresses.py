"""Mail addresses as Santral compares them: in lower case, the domain in its ASCII form."""

from __future__ import annotations

import re

from msgspec import Struct

_ADDRESS = re.compile(r"[^\s<>@,;:\"()\[\]\\]+@[^\s<>@,;:\"()\\]+")


def deliverable(address: str) -> str | None:
    """The address as an envelope takes it, its domain in ASCII; None where it is no mail address.

    Quoted local parts are left out on purpose: nobody has one, and everybody who forges headers does.
    """
    if not _ADDRESS.fullmatch(address) or not address.isprintable():
        return None
    local, _, domain = address.rpartition("@")
    if domain.isascii():
        return address
    try:
        return f"{local}@{domain.encode('idna').decode('ascii')}"
    except UnicodeError:
        return None


def canonical(address: str) -> str | None:
    """`Jane@Bücher.Example` as `jane@xn--bcher-kva.example`; None where it is no mail address."""
    address = deliverable(address) or ""
    return address.lower() or None


class Mailbox(Struct, frozen=True):
    """The addresses of one channel; `address` is the one that stands for all of them."""

    address: str
    aliases: frozenset[str] = frozenset()

    @property
    def own(self) -> frozenset[str]:
        """Every address of the channel, without plus tags."""
        return self.aliases | {self.address}

    @property
    def domain(self) -> str:
        """The domain that the channel writes from."""
        return self.address.rpartition("@")[2]

    def accepts(self, recipient: str) -> bool:
        """Whether mail to `recipient` is for us: own addresses, `support+tag@`, and postmaster (RFC 5321, 4.5.1)."""
        if recipient.lower() == "postmaster":
            return True
        address = canonical(recipient)
        if address is None:
            return False
        local, _, domain = address.rpartition("@")
        if address in self.own or f"{local.partition('+')[0]}@{domain}" in self.own:
            return True
        return local == "postmaster" and any(own.endswith(f"@{domain}") for own in self.own)
