"""A real Dovecot to read mail from."""

from __future__ import annotations

import datetime as dt
import imaplib
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from harness import free_port
from mail_servers import LOGINS, PATH, Certificate, lay_out_logins, listens, process

DOVECOT = (
    LOGINS
    + """
base_dir = {root}/run
state_dir = {root}/state
protocols = imap
listen = 127.0.0.1
log_path = {root}/dovecot.log
first_valid_uid = 1
auth_verbose = yes
auth_cache_size = 0
disable_plaintext_auth = no
ssl = yes
ssl_cert = <{cert}
ssl_key = <{key}
mail_location = maildir:{root}/mail/%u
mail_max_userip_connections = 100
imap_capability = {capability}
namespace inbox {{
  inbox = yes
  separator = /
}}
userdb {{
  driver = static
  args = uid=mail gid=mail home={root}/mail/%u
}}
service imap-login {{
  inet_listener imap {{
    port = {plain}
  }}
  inet_listener imaps {{
    port = {tls}
    ssl = yes
  }}
}}
"""
)

PASSWORD = "sesame"


@dataclass(frozen=True)
class Dovecot:
    """Its ports: `plain` (with STARTTLS) and `tls`. Everybody has the password `sesame`."""

    root: Path
    plain: int
    tls: int

    @contextmanager
    def client(self, user: str, folder: str = "INBOX") -> Iterator[imaplib.IMAP4]:
        """Another mail program of this user, in this folder (which is made)."""
        with imaplib.IMAP4("127.0.0.1", self.plain) as client:
            client.login(user, PASSWORD)
            client.create(f'"{folder}"')
            assert client.select(f'"{folder}"')[0] == "OK"
            yield client

    def put(self, user: str, *mails: bytes, folder: str = "INBOX", at: dt.datetime | None = None) -> None:
        """Lays mails into a folder, as the server got them `at` that time (now)."""
        with self.client(user, folder) as client:
            for mail in mails:
                when = f'"{at:%d-%b-%Y %H:%M:%S %z}"' if at else ""
                assert client.append(f'"{folder}"', "", when, mail)[0] == "OK"

    def flags(self, user: str, folder: str = "INBOX") -> list[bytes]:
        """The flags of each mail."""
        with self.client(user, folder) as client:
            client.select(f'"{folder}"', readonly=True)
            found = client.fetch("1:*", "(FLAGS)")[1]
        return [b" ".join(imaplib.ParseFlags(one)) for one in found if isinstance(one, bytes)]

    def renumber(self, user: str) -> None:
        """What a server's rebuilding does: every mail has another UID, and the folder another UIDVALIDITY."""
        (self.root / "mail" / user / "dovecot-uidlist").unlink()
        for index in (self.root / "mail" / user).glob("dovecot.*"):
            index.unlink()


def lay_out(server: Dovecot, certificate: Certificate, capability: str) -> None:
    root = server.root
    root.chmod(0o755)
    for folder in ("run", "state", "mail"):
        (root / folder).mkdir()
    shutil.chown(root / "mail", "mail", "mail")
    values = {"root": root, "plain": server.plain, "tls": server.tls, "capability": capability}
    (root / "dovecot.conf").write_text(DOVECOT.format(**values, cert=certificate.cert, key=certificate.key))
    lay_out_logins(root, USERS)


_numbers = count(1)
USERS = [f"support{number}" for number in range(1, 200)] + ["çağrı@example.com"]


@pytest.fixture
def user() -> str:
    """Somebody with a mailbox of their own."""
    return f"support{next(_numbers)}"


@contextmanager
def _dovecot(certificate: Certificate, capability: str = "") -> Iterator[Dovecot]:
    if shutil.which("dovecot", path=PATH) is None or not Path("/usr/lib/dovecot/imap").exists():
        pytest.skip("not installed: Debian package dovecot-imapd")
    if os.getuid():
        pytest.skip("Dovecot needs root, to become its own user")
    with tempfile.TemporaryDirectory(prefix="santral-imap-") as name:
        server = Dovecot(Path(name), free_port(), free_port())
        lay_out(server, certificate, capability)
        command = ("dovecot", "-F", "-c", f"{name}/dovecot.conf")
        with process(lambda: listens(server.plain, b"* OK"), *command, log=server.root / "dovecot.log"):
            yield server


@pytest.fixture(scope="session")
def dovecot(certificate: Any) -> Iterator[Dovecot]:
    with _dovecot(certificate) as server:
        yield server


@pytest.fixture(scope="session")
def old_dovecot(certificate: Any) -> Iterator[Dovecot]:
    """One that offers nothing but what IMAP4rev1 (2003) has: no IDLE, no UIDPLUS."""
    with _dovecot(certificate, "IMAP4rev1") as server:
        yield server
