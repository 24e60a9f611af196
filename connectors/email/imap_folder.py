"""One folder over one IMAP connection. Every call blocks: it belongs into a thread, one call at a time.

imap-tools keeps the protocol. Its own `fetch` parses mails and writes them anew, so the bytes are taken beneath it.
"""

from __future__ import annotations

import contextlib
import imaplib
import re
import socket
import ssl
import time
from collections.abc import Iterator, Sequence
from datetime import UTC, date, datetime
from io import BufferedReader
from typing import cast

from imap_tools import AND, BaseMailBox, MailBox, MailBoxStartTls, MailBoxUnencrypted
from imap_tools.errors import ImapToolsError, MailboxFolderSelectError, UnexpectedCommandStatusError
from msgspec import Struct

from connectors.email.options import ImapReceiveOptions
from connectors.errors import TemporaryError

_CONNECT_SECONDS = 15.0
_ANSWER_SECONDS = 60.0
_FOLDERS_SHOWN = 20
_UID = re.compile(rb"\bUID (\d+)")
_SIZE = re.compile(rb"\bRFC822\.SIZE (\d+)")
# A `NO` with one of these is the server's trouble of this moment, and not the mail's (RFC 5530, section 3).
_PASSING = re.compile(r"\[(UNAVAILABLE|SERVERBUG|LIMIT|INUSE)\]", re.IGNORECASE)


class Listed(Struct, frozen=True):
    """A mail of the folder. `at` is when the server got it (INTERNALDATE), in UTC."""

    uid: int
    size: int
    at: datetime


class LoginRefusedError(TemporaryError):
    """The server refuses the login: a password was changed, or a token has ended."""


class DroppedError(Exception):
    """The connection broke."""


class UnreadableError(Exception):
    """The server has the mail, and cannot give it: its words."""


class ImapFolder:
    """A folder that is selected.

    Attributes:
        validity: the folder's UIDVALIDITY: while it is the same, a UID is the same mail (RFC 3501, section 2.3.1.1).
        next_uid: the UID that the next mail will have at the least.
    """

    def __init__(self, options: ImapReceiveOptions, token: str | None) -> None:
        """Connects, logs in (by `token` where there is one) and selects.

        Raises:
            LoginRefusedError: the server refuses the login.
            TemporaryError: something else failed; in the server's words.
        """
        try:
            self._box = _connected(options)
        except (OSError, imaplib.IMAP4.error, ImapToolsError) as error:
            raise TemporaryError(f"cannot connect to read {options.where}: {_words(error)}") from error
        try:
            _log_in(self._box, options, token)
            _, (capabilities, *_) = self._box.client.capability()
            self._can = set(capabilities.decode("ascii", "replace").upper().split())
            self._box.folder.set(options.folder, readonly=not options.delete)
            self.validity = self._number("UIDVALIDITY")
            self.next_uid = self._number("UIDNEXT")
            self._box.client.response("EXISTS")  # as of now: what is told of it later is news
        except (OSError, imaplib.IMAP4.error, ImapToolsError) as error:
            told = f"; its folders: {self._folders()}" if isinstance(error, MailboxFolderSelectError) else ""
            reason = f"cannot read {options.where}: {_words(error)}{told}"
            refused = self._box.client.state == "NONAUTH" and not isinstance(error, imaplib.IMAP4.abort | OSError)
            self.close()
            raise (LoginRefusedError if refused else TemporaryError)(reason) from error

    @property
    def idles(self) -> bool:
        """Whether the server tells of new mail by itself."""
        return "IDLE" in self._can

    def after(self, uid: int) -> list[Listed]:
        """The mails whose UID is greater, in the order of their UIDs.

        Raises:
            DroppedError: the connection broke.
        """
        return self._list(f"{uid + 1}:*", uid)

    def since(self, day: date) -> list[Listed]:
        """The mails that the server got on `day` (as it counts days) or later, in the order of their UIDs.

        Raises:
            DroppedError: the connection broke.
        """
        with _dropping():
            found = self._ask("SEARCH", str(AND(date_gte=day)))
        uids = {int(number) for line in found if isinstance(line, bytes) for number in line.split()}
        return [one for one in self._list(f"{min(uids)}:*", 0) if one.uid in uids] if uids else []

    def mails(self, uids: Sequence[int]) -> dict[int, bytes]:
        """Those of the mails that are still there, byte for byte, unread as before.

        Raises:
            UnreadableError: the server refuses to give one of them.
            DroppedError: the connection broke.
        """
        return self._bodies(uids, "BODY.PEEK[]")

    def head(self, uid: int) -> bytes:
        """The headers of a mail; empty where it is gone. Raises as `mails`."""
        return self._bodies([uid], "BODY.PEEK[HEADER]").get(uid, b"")

    def delete(self, uids: Sequence[int]) -> None:
        """Deletes these mails, and no other that somebody else has marked as deleted.

        Where the server cannot delete single mails (UIDPLUS, RFC 4315) they are only marked.

        Raises:
            DroppedError: the connection broke.
        """
        numbers = ",".join(map(str, uids))
        with _dropping():
            self._ask("STORE", numbers, "+FLAGS.SILENT", r"(\Deleted)")
            if "UIDPLUS" in self._can:
                self._ask("EXPUNGE", numbers)

    def idle(self, seconds: float) -> None:
        """Waits until the server tells of something new, `seconds` at the most (IDLE, RFC 2177).

        Raises:
            DroppedError: the connection broke.
        """
        with _dropping():
            self._box.client.noop()
            if self._box.client.response("EXISTS")[1] != [None]:
                return  # what came since the last list: Dovecot's IDLE tells of what comes from then on alone
            self._box.idle.start()
            if not self._has_news():
                self._box.idle.poll(seconds)
            self._box.idle.stop()

    def noop(self) -> None:
        """Lets the server tell what is new.

        Raises:
            DroppedError: the connection broke.
        """
        with _dropping():
            self._box.client.noop()

    def cut(self) -> None:
        """Ends the connection at once, from any thread: whatever waits for it raises."""
        with contextlib.suppress(OSError):
            self._box.client.sock.shutdown(socket.SHUT_RDWR)

    def close(self) -> None:
        """Says goodbye, and lets the connection go."""
        with contextlib.suppress(OSError, imaplib.IMAP4.error, ImapToolsError):
            self._box.logout()
        with contextlib.suppress(OSError):
            self._box.client.shutdown()

    def _has_news(self) -> bool:
        """Whether something came together with the answer to IDLE: it is read already, so the socket has no more."""
        connection = self._box.client.sock
        connection.settimeout(0)
        try:
            return bool(cast("BufferedReader", self._box.client.file).peek(1))
        except OSError:  # TLS says so where it has nothing yet
            return False
        finally:
            connection.settimeout(_ANSWER_SECONDS)

    def _number(self, name: str) -> int:
        _, (found, *_) = self._box.client.response(name)
        if not isinstance(found, bytes) or not found.isdigit():
            raise imaplib.IMAP4.error(f"the server names no {name}")
        return int(found)

    def _folders(self) -> str:
        return ", ".join(sorted(folder.name for folder in self._box.folder.list())[:_FOLDERS_SHOWN])

    def _ask(self, command: str, *words: str) -> list[bytes | tuple[bytes, bytes] | None]:
        status, found = self._box.client.uid(command, *words)
        if status != "OK":
            raise UnexpectedCommandStatusError((status, found), "OK")
        return found

    def _list(self, uids: str, above: int) -> list[Listed]:
        with _dropping():
            found = self._ask("FETCH", uids, "(UID RFC822.SIZE INTERNALDATE)")
        listed = [_listed(line) for line in found if isinstance(line, bytes)]
        # `7:*` is the last mail where there is no seventh (RFC 3501, section 6.4.8).
        return sorted((one for one in listed if one and one.uid > above), key=lambda one: one.uid)

    def _bodies(self, uids: Sequence[int], what: str) -> dict[int, bytes]:
        try:
            with _dropping(UnexpectedCommandStatusError):
                found = self._ask("FETCH", ",".join(map(str, uids)), f"(UID {what})")
        except UnexpectedCommandStatusError as error:
            if _PASSING.search(_words(error)):
                raise DroppedError(_words(error)) from error
            raise UnreadableError(_words(error)) from error
        bodies: dict[int, bytes] = {}
        for one, after in zip(found, (*found[1:], None), strict=True):
            if isinstance(one, tuple):
                uid = _UID.search(one[0]) or (_UID.search(after) if isinstance(after, bytes) else None)
                if uid:
                    bodies[int(uid[1])] = one[1]
        return bodies


def _connected(options: ImapReceiveOptions) -> BaseMailBox:
    port = options.port or (993 if options.tls == "tls" else 143)
    if options.tls == "none":
        box: BaseMailBox = MailBoxUnencrypted(options.host, port, _CONNECT_SECONDS)
    else:
        kind = MailBox if options.tls == "tls" else MailBoxStartTls
        box = kind(options.host, port, _CONNECT_SECONDS, ssl_context=ssl.create_default_context())
    box.client.sock.settimeout(_ANSWER_SECONDS)
    return box


def _log_in(box: BaseMailBox, options: ImapReceiveOptions, token: str | None) -> None:
    if token is not None:
        box.xoauth2(options.username, token, None)
        return
    assert options.password is not None
    password = options.password.get_secret_value()
    if (options.username + password).isascii():
        box.login(options.username, password, None)
    else:  # which LOGIN cannot say
        box.login_utf8(options.username, password, None)


def _listed(line: bytes) -> Listed | None:
    uid, size = _UID.search(line), _SIZE.search(line)
    if not uid or not size:
        return None  # news of another kind, such as flags
    local = imaplib.Internaldate2tuple(line)
    at = datetime.fromtimestamp(time.mktime(local), UTC) if local else datetime.fromtimestamp(0, UTC)
    return Listed(int(uid[1]), int(size[1]), at)


@contextlib.contextmanager
def _dropping(*but: type[Exception]) -> Iterator[None]:
    """What goes wrong means that this connection is of no more use, `but` these."""
    try:
        yield
    except but:
        raise
    except (OSError, imaplib.IMAP4.error, ImapToolsError) as error:
        raise DroppedError(_words(error)) from error


def _words(error: Exception) -> str:
    """The server's own words, where there are some."""
    if isinstance(error, UnexpectedCommandStatusError):
        said = error.command_result[1]
        return "; ".join(one.decode("utf-8", "replace") for one in said if isinstance(one, bytes)) or str(error)
    told = error.args[0] if error.args and isinstance(error.args[0], bytes) else b""
    return told.decode("utf-8", "replace") or str(error) or type(error).__name__
