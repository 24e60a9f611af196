"""A real DNS server (dnsmasq) that knows what a test tells it."""

from __future__ import annotations

import re
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import dns.exception
import dns.resolver
import pytest
from harness import free_port
from mail_servers import PATH, process

CONFIG = """
no-resolv
no-hosts
no-daemon
user=root
listen-address=127.0.0.1
bind-interfaces
local=/#/
port={port}
pid-file={root}/pid
"""

Lookup = Callable[..., dns.resolver.Resolver]


def resolver(port: int) -> dns.resolver.Resolver:
    made = dns.resolver.Resolver(configure=False)
    made.nameservers, made.port = ["127.0.0.1"], port
    return made


@pytest.fixture(scope="module")
def lookup() -> Iterator[Lookup]:
    """Starts a server with these TXT records, `name=text`, and gives a resolver that asks it."""
    if shutil.which("dnsmasq", path=PATH) is None:
        pytest.skip("not installed: Debian package dnsmasq-base")
    with ExitStack() as stack:

        def start(txt: dict[str, str], **hosts: str) -> dns.resolver.Resolver:
            root = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="santral-dns-")))
            port = free_port()
            lines = [CONFIG.format(port=port, root=root)]
            for name, text in txt.items():
                pieces = ",".join(f'"{piece}"' for piece in re.findall(".{1,250}", text))
                lines.append(f"txt-record={name},{pieces}")
            lines += [f"host-record={name.replace('_', '.')},{address}" for name, address in hosts.items()]
            (root / "dnsmasq.conf").write_text("\n".join(lines))
            made = resolver(port)

            def answers() -> bool:
                try:
                    made.resolve("ready.test", "TXT", lifetime=0.5)
                except dns.resolver.NXDOMAIN:
                    return True
                except (dns.exception.DNSException, OSError):
                    return False
                return True

            command = ("dnsmasq", f"--conf-file={root}/dnsmasq.conf")
            stack.enter_context(process(answers, *command, log=root / "log"))
            return made

        yield start
