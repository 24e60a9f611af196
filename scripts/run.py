"""`make run`: Santral, and beside it a mail server that plays the customers' one.

Replies by mail need somewhere to go. On a stranger's machine there is no mail server that would take them, so a small
one listens where the built-in configuration sends, and puts what it gets into a maildir.
"""

from __future__ import annotations

import mailbox
import os
import socket
import subprocess
import sys
from pathlib import Path

BIN = Path(sys.executable).parent
SMTP_PORT = 8026  # `send` of config/default.yaml


def main() -> int:
    """Runs both until Santral ends."""
    outgoing = Path(sys.argv[1])
    outgoing.parent.mkdir(mode=0o700, exist_ok=True)
    mailbox.Maildir(outgoing, create=True).close()
    with socket.socket() as probe:
        if probe.connect_ex(("127.0.0.1", SMTP_PORT)) == 0:
            sys.exit(f"something listens on 127.0.0.1:{SMTP_PORT} already, where replies by mail would go; stop it")
    customers = subprocess.Popen(  # noqa: S603 (our own interpreter)
        [
            sys.executable,
            "-m",
            "aiosmtpd",
            "-n",
            "-l",
            f"127.0.0.1:{SMTP_PORT}",
            "-c",
            "aiosmtpd.handlers.Mailbox",
            outgoing,
        ],
        process_group=0,  # Ctrl-C is for Santral, which may still have a reply to send
    )
    try:
        santral = subprocess.Popen([BIN / "santral", "run"])  # noqa: S603 (our own command)
        while True:
            try:
                return santral.wait()
            except KeyboardInterrupt:
                continue  # Santral was told too, and drains
    finally:
        customers.terminate()
        customers.wait()


if __name__ == "__main__":
    os.umask(0o077)
    sys.exit(main())
