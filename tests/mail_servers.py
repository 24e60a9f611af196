"""A real Postfix to send by, its logins kept by a real Dovecot, and the certificate that they show."""

from __future__ import annotations

import asyncio
import base64
import datetime as dt
import grp
import ipaddress
import os
import pwd
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import jwt
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from harness import PATIENCE, free_port

PATH = f"{os.environ['PATH']}:/usr/sbin:/usr/lib/postfix/sbin"

MAIN = """
compatibility_level = 3.6
queue_directory = {root}/queue
data_directory = {root}/data
daemon_directory = /usr/lib/postfix/sbin
command_directory = /usr/sbin
mail_owner = postfix
setgid_group = postdrop
maillog_file = {root}/log
maillog_file_prefixes = {root}
inet_interfaces = 127.0.0.1
inet_protocols = ipv4
myhostname = mail.customer.example
mydestination =
relay_domains = example.com
transport_maps = texthash:{root}/transport
mynetworks =
alias_maps =
local_recipient_maps =
virtual_mailbox_domains = customer.example
virtual_mailbox_base = {root}/mail
virtual_mailbox_maps = texthash:{root}/users
virtual_uid_maps = static:{uid}
virtual_gid_maps = static:{gid}
virtual_minimum_uid = 1
message_size_limit = 2000000
virtual_mailbox_limit = 0
header_checks = regexp:{root}/headers
smtpd_recipient_restrictions =
    check_recipient_access texthash:{root}/busy, permit_sasl_authenticated, reject_unauth_destination
smtpd_tls_cert_file = {cert}
smtpd_tls_key_file = {key}
smtpd_tls_security_level = may
smtpd_sasl_auth_enable = yes
smtpd_error_sleep_time = 0
smtpd_sasl_type = dovecot
smtpd_sasl_path = {root}/auth
"""

MASTER = """
127.0.0.1:{plain} inet n - n - - smtpd
127.0.0.1:{tls} inet n - n - - smtpd -o smtpd_tls_wrappermode=yes
127.0.0.1:{login} inet n - n - - smtpd -o smtpd_tls_auth_only=yes
    -o smtpd_recipient_restrictions=permit_sasl_authenticated,reject
postlog unix-dgram n - n - 1 postlogd
cleanup unix n - n - 0 cleanup
qmgr unix n - n 300 1 qmgr
tlsmgr unix - - n 1000? 1 tlsmgr
rewrite unix - - n - - trivial-rewrite
bounce unix - - n - 0 discard
defer unix - - n - 0 bounce
trace unix - - n - 0 bounce
verify unix - - n - 1 verify
flush unix n - n 1000? 0 flush
proxymap unix - - n - - proxymap
error unix - - n - - error
retry unix - - n - - error
virtual unix - n n - - virtual
anvil unix - - n - 1 anvil
smtp unix - - n - - smtp
lmtp unix - - n - - lmtp
"""

LOGINS = """
default_internal_user = dovecot
default_login_user = dovenull
auth_mechanisms = plain login xoauth2
auth_failure_delay = 0
auth_username_chars =
passdb {{
  driver = passwd-file
  mechanisms = plain login
  args = scheme=PLAIN username_format=%u {root}/passwords
}}
passdb {{
  driver = oauth2
  mechanisms = xoauth2
  args = {root}/oauth2.conf
}}
"""

DOVECOT = (
    LOGINS
    + """
base_dir = {root}/dovecot
protocols =
log_path = {root}/dovecot.log
ssl = no
userdb {{
  driver = static
  args = uid=nobody gid=nogroup home=/nonexistent
}}
service auth {{
  unix_listener {root}/auth {{
    mode = 0666
  }}
}}
service anvil {{
  unix_listener anvil-auth-penalty {{
    mode = 0
  }}
}}
service stats {{
  unix_listener stats-reader {{
    mode = 0600
  }}
}}
"""
)


OAUTH2 = """
introspection_mode = local
local_validation_key_dict = fs:posix:prefix={root}/keys/
username_attribute = sub
"""
TOKEN_KEY = b"a key for tokens of thirty-two b"


def access_token(user: str, seconds: float = 3600) -> str:
    """A token by which these servers let `user` in, for so long."""
    now = dt.datetime.now(dt.UTC)
    # Dovecot asks the kernel's coarse clock, which may be some milliseconds behind: a second in the future, to it.
    issued = now - dt.timedelta(minutes=1)
    claims = {"sub": user, "iat": issued, "exp": now + dt.timedelta(seconds=seconds), "azp": "santral"}
    return jwt.encode(claims, TOKEN_KEY, "HS256", headers={"kid": "one"})


def lay_out_logins(root: Path, users: Iterable[str]) -> None:
    """What a Dovecot in `root` lets in: these users by the password `sesame`, and whoever has an `access_token`."""
    keys = root / "keys/santral/HS256"
    keys.mkdir(parents=True)
    (keys / "one").write_text(base64.b64encode(TOKEN_KEY).decode())
    (root / "oauth2.conf").write_text(OAUTH2.format(root=root))
    (root / "passwords").write_text("".join(f"{user}:sesame\n" for user in users))


@dataclass(frozen=True)
class Certificate:
    cert: Path
    key: Path


@dataclass(frozen=True)
class Postfix:
    """The ports of one Postfix: `plain` (with STARTTLS), `tls`, and `login` (nothing without one).

    Mail to example.com it hands over by LMTP to whoever listens on `lmtp`.
    """

    root: Path
    plain: int
    tls: int
    login: int
    lmtp: int

    async def delivered(self, user: str, needle: str) -> bytes:
        """The mail in a mailbox that holds `needle`, as it lies there: LF line ends."""
        async with asyncio.timeout(PATIENCE):
            while True:
                for path in (self.root / "mail" / user / "new").glob("*"):
                    content = path.read_bytes()
                    if needle.encode() in content:
                        return content
                await asyncio.sleep(0.05)


@contextmanager
def process(ready: Callable[[], bool], *command: str, log: Path) -> Iterator[None]:
    """Runs a program in a session of its own until it is ready; ends it, and what it started, afterwards."""
    with (log.parent / f"{command[0]}.out").open("wb") as output:
        running = subprocess.Popen(
            command, stdout=output, stderr=output, env={**os.environ, "PATH": PATH}, start_new_session=True
        )
    try:
        deadline = time.monotonic() + PATIENCE
        while not ready():
            if time.monotonic() > deadline or running.poll() is not None:
                said = [path.read_text() for path in (log, Path(output.name)) if path.exists()]
                pytest.fail(f"{command[0]} did not start: {said}")
            time.sleep(0.05)
        yield
    finally:
        running.terminate()
        running.wait(PATIENCE)


def listens(port: int, greeting: bytes = b"220") -> bool:
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=5) as connection:
            return connection.recv(len(greeting)) == greeting
    except OSError:
        return False


@pytest.fixture(scope="session")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Certificate:
    """A self-signed certificate of localhost and 127.0.0.1."""
    folder = tmp_path_factory.mktemp("certificate")
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    now = dt.datetime.now(dt.UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - dt.timedelta(days=1))
        .not_valid_after(now + dt.timedelta(days=1))
        .add_extension(
            x509.SubjectAlternativeName([x509.DNSName("localhost"), x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]),
            critical=False,
        )
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    pair = Certificate(folder / "cert.pem", folder / "key.pem")
    pair.cert.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    pair.key.write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    return pair


@pytest.fixture(scope="session")
def postfix(certificate: Any) -> Iterator[Postfix]:
    if missing := [name for name in ("postfix", "dovecot") if shutil.which(name, path=PATH) is None]:
        pytest.skip(f"not installed: {', '.join(missing)} (Debian packages postfix, dovecot-core)")
    if os.getuid():
        pytest.skip("Postfix needs root, to become its own user")
    with tempfile.TemporaryDirectory(prefix="santral-mail-") as name:
        root = Path(name)
        server = Postfix(root, *(free_port() for _ in range(4)))
        lay_out(server, certificate)
        auth = root / "auth"
        with (
            process(auth.exists, "dovecot", "-F", "-c", f"{root}/dovecot.conf", log=root / "dovecot.log"),
            process(lambda: listens(server.plain), "master", "-c", f"{root}/etc", "-d", log=root / "log"),
        ):
            yield server


def lay_out(server: Postfix, certificate: Any) -> None:
    root, owner = server.root, pwd.getpwnam("postfix")
    values = {
        "root": root, "uid": owner.pw_uid, "gid": owner.pw_gid, "cert": certificate.cert, "key": certificate.key,
        "plain": server.plain, "tls": server.tls, "login": server.login,
    }  # fmt: skip
    root.chmod(0o755)
    for folder in ("etc", "queue", "queue/pid", "data", "mail", "dovecot"):
        (root / folder).mkdir()
    for folder in (
        "active",
        "bounce",
        "corrupt",
        "defer",
        "deferred",
        "flush",
        "hold",
        "incoming",
        "private",
        "saved",
        "trace",
    ):
        (root / "queue" / folder).mkdir(mode=0o700)
        os.chown(root / "queue" / folder, owner.pw_uid, -1)
    for folder, mode in (("maildrop", 0o730), ("public", 0o710)):
        (root / "queue" / folder).mkdir()
        os.chown(root / "queue" / folder, owner.pw_uid, grp.getgrnam("postdrop").gr_gid)
        (root / "queue" / folder).chmod(mode)
    for folder in ("data", "mail"):
        os.chown(root / folder, owner.pw_uid, owner.pw_gid)
    files = {
        "etc/main.cf": MAIN,
        "etc/master.cf": MASTER,
        "dovecot.conf": DOVECOT,
        "users": "jane@customer.example jane/\njoe@customer.example joe/\njürgen@customer.example juergen/\n",
        "transport": f"example.com lmtp:inet:127.0.0.1:{server.lmtp}\n",
        "busy": "busy@customer.example 450 4.2.0 the mailbox is busy\n",
        "headers": "/^Subject: .*forbidden/ REJECT we do not want this\n",
    }
    lay_out_logins(root, ["support"])
    for path, text in files.items():
        (root / path).write_text(text.format(**values) if path.endswith(("cf", "conf")) else text)
