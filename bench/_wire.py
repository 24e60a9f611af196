"""Clients that cost next to nothing: HTTP, WebSocket and SMTP as far as the benchmarks need them, over bare protocols.

Each is one connection that keeps one message on its way: the next leaves when the last is acknowledged. A whole client
library would take longer for a message than the servers do, and the comparison would be of its speed.
"""

from __future__ import annotations

import asyncio
import time
from abc import ABC, abstractmethod
from typing import ClassVar, cast

TEXT = "The parcel that was promised for Tuesday has not arrived, and the tracking page says nothing new."
MAIL_BYTES = 4096
SENDERS = 1000


class Connection(asyncio.Protocol, ABC):
    """One connection. `acked` counts what was acknowledged; all of the names `f"{name}-{n}"` below it were.

    Attributes:
        opened: done when messages can be sent.
        finished: done when nothing is on its way any more, after the deadline.
        last: when the last acknowledgement came, on the monotonic clock.
    """

    ready_at_once: ClassVar[bool] = False

    def __init__(self, name: str) -> None:
        loop = asyncio.get_running_loop()
        self.name = name
        self.acked = 0
        self.last = 0.0
        self.deadline = 0.0
        self.opened: asyncio.Future[None] = loop.create_future()
        self.finished: asyncio.Future[None] = loop.create_future()
        self._transport: asyncio.Transport | None = None
        self._buffer = b""

    def begin(self, deadline: float) -> None:
        """Sends the first message; the last leaves before `deadline`."""
        self.deadline = deadline
        self._send(f"{self.name}-{self.acked}")

    def close(self) -> None:
        """Hangs up."""
        if self._transport is not None:
            self._transport.abort()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)
        if self.ready_at_once:
            self.opened.set_result(None)

    def connection_lost(self, error: Exception | None) -> None:
        for future in (self.opened, self.finished):
            if not future.done():
                future.set_exception(error or ConnectionResetError(f"{self.name}: the server hung up"))
                future.exception()

    def data_received(self, data: bytes) -> None:
        self._buffer = self._read(self._buffer + data if self._buffer else data)

    def _write(self, data: bytes) -> None:
        assert self._transport is not None
        self._transport.write(data)

    def _acknowledged(self) -> None:
        self.acked += 1
        self.last = time.monotonic()
        if self.last < self.deadline:
            self._send(f"{self.name}-{self.acked}")
        else:
            self.finished.set_result(None)

    def _wrong(self, answer: bytes) -> None:
        for future in (self.opened, self.finished):
            if not future.done():
                future.set_exception(RuntimeError(f"{self.name}: {answer[:200]!r}"))

    @abstractmethod
    def _send(self, message: str) -> None:
        """Sends the message of that name."""

    @abstractmethod
    def _read(self, data: bytes) -> bytes:
        """Takes what is whole, and returns the rest."""


def chat_message(name: str) -> bytes:
    """The visitor's frame."""
    return b'{"type":"message","client_id":"%s","text":"%s"}' % (name.encode(), TEXT.encode())


class HttpChat(Connection):
    """A request a message, on one connection kept open."""

    ready_at_once = True

    def _send(self, message: str) -> None:
        body = chat_message(message)
        self._write(
            b"POST /messages HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n"
            b"Content-Length: %d\r\n\r\n%s" % (len(body), body)
        )

    def _read(self, data: bytes) -> bytes:
        head, end, body = data.partition(b"\r\n\r\n")
        if not end:
            return data
        length = int(head.partition(b"Content-Length: ")[2].partition(b"\r\n")[0])
        if len(body) < length:
            return data
        if head.startswith(b"HTTP/1.1 200 "):
            self._acknowledged()
        else:
            self._wrong(data)
        return body[length:]


class WebSocketChat(Connection):
    """A frame a message (RFC 6455). The mask is zero, which spares the client the masking and the server nothing."""

    path: ClassVar[str] = "/ws"
    hello: ClassVar[bool] = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        super().connection_made(transport)
        self._upgraded = False
        self._write(
            b"GET %s HTTP/1.1\r\nHost: 127.0.0.1\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n" % self.path.encode()
        )

    def _send(self, message: str) -> None:
        self._frame(chat_message(message))

    def _frame(self, payload: bytes) -> None:
        size = len(payload)
        length = bytes((0x80 | size,)) if size < 126 else b"\xfe" + size.to_bytes(2, "big")
        self._write(b"\x81%s\0\0\0\0%s" % (length, payload))

    def _read(self, data: bytes) -> bytes:
        if not self._upgraded:
            head, end, data = data.partition(b"\r\n\r\n")
            if not end:
                return head
            if not head.startswith(b"HTTP/1.1 101 "):
                self._wrong(head)
                return b""
            self._upgraded = True
            if self.hello:
                self._frame(b'{"type":"hello","token":null,"cursor":null}')
            else:
                self.opened.set_result(None)
        while len(data) >= 2:
            size, at = data[1], 2
            if size > 125:
                width = 2 if size == 126 else 8
                size, at = int.from_bytes(data[2 : 2 + width], "big"), 2 + width
            if len(data) < at + size:
                break
            self._heard(data[at : at + size])
            data = data[at + size :]
        return data

    def _heard(self, payload: bytes) -> None:
        if payload.startswith(b'{"type":"ack"'):
            self._acknowledged()
        elif payload.startswith(b'{"type":"welcome"'):
            self.opened.set_result(None)
        elif payload.startswith(b'{"type":"error"'):
            self._wrong(payload)


class SantralChat(WebSocketChat):
    """A visitor of the channel `site`, who also gets the own messages back once they stand in the conversation."""

    path = "/chat/site/ws"
    hello = True


def mail(name: str) -> bytes:
    """A customer's mail of 4 KB, plain and HTML, as it goes over the wire after DATA."""
    number = int(name.rpartition("-")[2])
    head = (
        f"Received: from mx.example.net (mx.example.net [192.0.2.7])\r\n\tby mail.example.com with ESMTPS id {name}\r\n"
        "\tfor <support@example.com>; Mon, 23 Nov 2026 10:00:00 +0300\r\n"
        f"From: Ada Customer {number % SENDERS} <customer{number % SENDERS}@example.net>\r\n"
        "To: Support <support@example.com>\r\nDate: Mon, 23 Nov 2026 10:00:00 +0300\r\n"
        f"Subject: Where is my parcel {name}?\r\nMessage-ID: <{name}@example.net>\r\nMIME-Version: 1.0\r\n"
        'Content-Type: multipart/alternative; boundary="=_b"\r\n\r\n'
    )
    quote = "On Sun, 22 Nov 2026 at 09:12, Support <support@example.com> wrote:\r\n> It leaves on Tuesday.\r\n"
    end = "\r\n--=_b--\r\n.\r\n"
    plain = f"--=_b\r\nContent-Type: text/plain; charset=utf-8\r\n\r\n{TEXT}\r\n\r\nAda\r\n\r\n{quote}"
    html = "--=_b\r\nContent-Type: text/html; charset=utf-8\r\n\r\n<html><body><div>"
    tail = "<p>Ada</p></div></body></html>"
    room = MAIL_BYTES + len(".\r\n") - sum(map(len, (head, plain, html, tail, end)))
    paragraphs = f"<p>{TEXT}</p>\r\n" * (room // (len(TEXT) + 9))
    return "".join((head, plain, html, paragraphs, " " * (room - len(paragraphs)), tail, end)).encode()


class SmtpMail(Connection):
    """MAIL, RCPT and DATA a mail, each after the answer to the last, on one connection kept open."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        super().connection_made(transport)
        self._message = ""
        self._steps = [(b"220", b"EHLO client.example.net\r\n")]

    def _send(self, message: str) -> None:
        self._message = message
        self._steps = [
            (b"354", b""),
            (b"250", b"DATA\r\n"),
            (b"250", b"RCPT TO:<support@example.com>\r\n"),
        ]
        self._write(b"MAIL FROM:<customer@example.net>\r\n")

    def _read(self, data: bytes) -> bytes:
        *lines, rest = data.split(b"\r\n")
        for line in lines:
            if line[3:4] != b"-":
                self._answered(line)
        return rest

    def _answered(self, line: bytes) -> None:
        if self._steps:
            expected, command = self._steps.pop()
            if line.startswith(expected):
                self._write(command or mail(self._message))
            else:
                self._wrong(line)
        elif not line.startswith(b"250"):
            self._wrong(line)
        elif not self.opened.done():
            self.opened.set_result(None)
        else:
            self._acknowledged()


KINDS: dict[str, type[Connection]] = {
    "http": HttpChat,
    "websocket": WebSocketChat,
    "santral": SantralChat,
    "smtp": SmtpMail,
}
