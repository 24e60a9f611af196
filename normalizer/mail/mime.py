"""A mail's MIME tree, bounded: whatever comes, there is a tree, in time linear in its size.

Three ways, each the net of the one before:

1. fast-mail-parser: 15 µs for a mail of 4 KB. It decodes encoded words in quadratic time, and keeps a copy of a
   forwarded mail for each level of forwarding (both measured): mails that could hurt there do not go there. It drops
   the content of a container in which it finds no part, and takes `--outer.inner` for the boundary `--outer`.
2. The standard library, which forgives base64 and headers that the first one refuses; it tests each line against every
   open boundary, so deep mails do not go there.
3. No tree: one part, the body as it stands.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from email import message_from_bytes
from email.message import Message
from typing import TypeVar

from fast_mail_parser import ParseError, PyLazyMimePart, parse_email_tree
from msgspec import Struct

from normalizer.effort import takes_long
from normalizer.mail.charset import decode, turkish
from normalizer.mail.headers import parameters
from normalizer.text import one_line

MAX_PARTS = 1000
MAX_DEPTH = 50
Node = TypeVar("Node")
_CONTENT = ("Content-", "content-", "CONTENT-")
_WORK = 1_000_000_000  # octets that the first way may look at again: about a third of a second
_MAX_LEVELS = 5000  # the first way's stack ends somewhere beyond 20,000, and the process with it
_MAX_BOUNDARIES = 5_000  # lines that begin or end parts; a tree of more is never made
_MAX_DASHED = 500_000  # lines that could do so
_MAX_LENGTHS = 10  # of boundaries
# Of 25 MB with more there is no tree: the first way keeps 55 octets for each line, and the second 150.
_MAX_LINES = 2_000_000
_MAX_LINES_STANDARD = 500_000
_MAX_LINE = 10_000  # octets on average: the second way keeps too many copies of a line that is the whole mail
_MAX_CONTAINERS = 200  # what the second way may have to nest
_MAX_LINE_TESTS = 2_500_000  # lines times open boundaries: about half a second
# What more than this of each takes longer than others can wait.
_MOMENT_WORK = 30_000_000
_MOMENT_CONTAINERS = 30
_MOMENT_LINE_TESTS = 50_000

_BOUNDARY = re.compile(rb"boundary(\*?)\s*+=\s*+\"?([^\"\r\n;]{1,200})", re.IGNORECASE)
_DASHED = re.compile(rb"\n--([^\r\n]{0,200})")


class Part(Struct, frozen=True, kw_only=True):
    """A node of the tree. `content` is decoded from its transfer encoding; a container's is empty.

    `content_type` is in lower case, `content_id` without brackets, `filename` and `disposition` empty where not given.
    """

    content_type: str
    params: Mapping[str, str] = {}
    disposition: str = ""
    filename: str = ""
    content_id: str = ""
    content: bytes = b""
    children: tuple[Part, ...] = ()

    @property
    def is_container(self) -> bool:
        """Whether it is there for its parts alone."""
        return bool(self.children) and self.content_type.startswith("multipart/")


def walk(part: Part) -> Iterator[Part]:
    """The part and all below it, in order."""
    yield part
    for child in part.children:
        yield from walk(child)


_MORE = Part(content_type="text/plain", content=b"[More parts than can be shown: they are in the original.]")


def parse(mail: bytes, body: int) -> Part:
    """The tree of a mail whose body begins at the offset `body`."""
    mail = mail[: _last_boundary(mail)]
    folded = mail.lower()
    multiparts, messages = folded.count(b"multipart/"), folded.count(b"message/")
    work = (folded.count(b"=?") + messages * 8) * len(mail)
    if work > _MOMENT_WORK or multiparts > _MOMENT_CONTAINERS:
        takes_long()
    lines = mail.count(b"\n")
    del folded  # of 25 MB that are to be read in 200
    try:
        if lines <= _MAX_LINES and multiparts < _MAX_LEVELS and work < _WORK:
            return _from_fast(parse_email_tree(mail, mode="lazy"), 0, [MAX_PARTS])
    except (ParseError, _EmptyContainerError):
        pass
    try:
        tests = (multiparts + messages) * lines
        fits = lines <= _MAX_LINES_STANDARD and len(mail) <= (lines + 100) * _MAX_LINE
        if fits and multiparts + messages <= _MAX_CONTAINERS and tests < _MAX_LINE_TESTS:
            if tests > _MOMENT_LINE_TESTS:
                takes_long()
            return _from_standard(message_from_bytes(mail), 0, [MAX_PARTS])
    except (RecursionError, LookupError, ValueError, AttributeError, TypeError):
        pass
    return Part(content_type="text/plain", content=mail[body:])


def _last_boundary(mail: bytes) -> int:
    """How much of a mail is read: it ends where more parts have begun than are shown, so that nobody makes them all.

    A line with two dashes counts where it begins as a boundary that is declared somewhere; where so many are declared
    that it could not be told in time, each does.
    """
    if mail.count(b"\n--") <= _MAX_BOUNDARIES:
        return len(mail)
    declared: set[bytes] = set()
    every = False
    for found in _BOUNDARY.finditer(mail):
        declared.add(found[2].rstrip())
        every = bool(found[1]) or len(declared) > _MAX_CONTAINERS
        if every:
            break
    lengths = {len(boundary) for boundary in declared}
    every = every or len(lengths) > _MAX_LENGTHS
    count = 0
    for number, found in enumerate(_DASHED.finditer(mail)):
        count += every or any(found[1][:length] in declared for length in lengths)
        if count > _MAX_BOUNDARIES or number > _MAX_DASHED:
            return found.start() + 1
    return len(mail)


class _EmptyContainerError(Exception):
    """A `multipart/…` without a part: its content is somewhere else."""


def _from_fast(node: PyLazyMimePart, depth: int, room: list[int]) -> Part:
    headers = {name.lower(): turkish(values[0]) for name, values in node.headers.items() if name[:8] in _CONTENT}
    if not node.children or node.is_message:
        if node.content is None:
            raise _EmptyContainerError
        return _part(headers, node.content, ())
    nodes = _some(node.children, depth, room)
    children = tuple(_from_fast(child, depth + 1, room) for child in nodes)
    return _part(headers, b"", children if len(nodes) == len(node.children) else (*children, _MORE))


def _from_standard(node: Message[str, str], depth: int, room: list[int]) -> Part:
    headers = {name.lower(): _mended(value) for name, value in reversed(list(node.raw_items()))}
    inner = node.get_payload()
    if not isinstance(inner, list):
        payload = node.get_payload(decode=True)
        return _part(headers, payload if isinstance(payload, bytes) else b"", ())
    if node.get_content_maintype() != "multipart":
        return _part(headers, b"\n".join(bytes(child) for child in inner if isinstance(child, Message)), ())
    nodes = _some(inner, depth, room)
    children = tuple(_from_standard(child, depth + 1, room) for child in nodes)
    return _part(headers, b"", children if len(nodes) == len(inner) else (*children, _MORE))


def _some(nodes: list[Node], depth: int, room: list[int]) -> list[Node]:
    """Those of a container's parts that the bounds let in; `room` is how many the whole mail may still have."""
    taken = nodes[: room[0]] if depth < MAX_DEPTH else []
    room[0] -= len(taken)
    return taken


def _mended(value: str) -> str:
    return value if value.isascii() else decode(value.encode("utf-8", "surrogateescape"))


def _part(headers: Mapping[str, str], content: bytes, children: tuple[Part, ...]) -> Part:
    declared = headers.get("content-type", "")
    kind = declared.partition(";")[0].strip().lower()
    params = parameters(declared) if ";" in declared else {}
    disposition = headers.get("content-disposition", "")
    name = (parameters(disposition).get("filename") if ";" in disposition else "") or params.get("name", "")
    return Part(
        content_type=kind if kind.count("/") == 1 and " " not in kind else "text/plain",
        params=params,
        disposition=disposition.partition(";")[0].strip().lower(),
        filename=name,
        content_id=one_line(headers.get("content-id", "")).strip("<>"),
        content=content,
        children=children,
    )
