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

from collections.abc import Mapping
from email import message_from_bytes
from email.message import Message
from typing import TypeVar

from fast_mail_parser import ParseError, PyLazyMimePart, parse_email_tree
from msgspec import Struct

from normalizer.mail.charset import decode, turkish
from normalizer.mail.headers import parameters
from normalizer.text import one_line

MAX_PARTS = 1000
MAX_DEPTH = 50
Node = TypeVar("Node")
_CONTENT = ("Content-", "content-", "CONTENT-")
_WORK = 1_000_000_000  # octets that the first way may look at again: about a third of a second
_MAX_LEVELS = 5000  # the first way's stack ends somewhere beyond 20,000, and the process with it
_MAX_CONTAINERS = 200  # what the second way may have to nest
_MAX_LINE_TESTS = 2_500_000  # lines times open boundaries: about half a second


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


_MORE = Part(content_type="text/plain", content=b"[More parts than can be shown: they are in the original.]")


def parse(mail: bytes, body: int) -> Part:
    """The tree of a mail whose body begins at the offset `body`."""
    folded = mail.lower()
    try:
        flat = folded.count(b"multipart/") < _MAX_LEVELS
        if flat and (folded.count(b"=?") + folded.count(b"message/") * 8) * len(mail) < _WORK:
            return _from_fast(parse_email_tree(mail, mode="lazy"), 0, [MAX_PARTS])
    except (ParseError, _EmptyContainerError):
        pass
    try:
        containers = folded.count(b"multipart/") + folded.count(b"message/")
        if containers <= _MAX_CONTAINERS and containers * folded.count(b"\n") < _MAX_LINE_TESTS:
            return _from_standard(message_from_bytes(mail), 0, [MAX_PARTS])
    except (RecursionError, LookupError, ValueError, AttributeError, TypeError):
        pass
    return Part(content_type="text/plain", content=mail[body:])


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
