"""Address lists and message ids of a mail's headers, read leniently and in linear time."""

from __future__ import annotations

import re
from collections.abc import Iterable
from hashlib import sha256
from itertools import islice

from msgspec import Struct

from normalizer.mail.headers import Headers, decode_words
from normalizer.text import one_line, shorten

MAX_ADDRESSES = 200
MAX_IDS = 50
_MAX_ID = 300  # characters; a longer id is named by its hash

# An encoded word is one token even where it holds a comma; what is never closed runs to the next delimiter.
_TOKEN = re.compile(
    r'(?P<word>=\?[^?\s]++\?[bBqQ]\?[^?]*+\?=)|(?P<quoted>"(?:[^"\\]|\\.)*+"?)|(?P<comment>\([^()]*+\)?)'
    r"|(?P<angle><[^<>]*+>?)|(?P<end>[,;])|(?P<group>:)|(?P<text>[^\",;:<(=]++|.)",
    re.DOTALL,
)
# The look-behind pins a match to the start of a word: without it a long word would be tried from each letter.
_ADDRESS = re.compile(r"(?<![^\s<>\",;:()\[\]])[^\s@<>\",;:()\[\]]++@[^\s@<>\",;:()]++")
_BRACKETED = re.compile(r"<([^<>]*+)>?")
_BARE_ID = re.compile(r"(?<![^\s<>,;\"])[^\s<>,;\"@]++@[^\s<>,;\"]++")
_SPACE = re.compile(r"\s+")


class Mailbox(Struct, frozen=True):
    """One address of a header, as it was written, and the name beside it."""

    address: str
    name: str = ""

    @property
    def key(self) -> str:
        """The address as an identity: in lower case."""
        return self.address.lower()


def mailboxes(headers: Headers, name: str) -> tuple[Mailbox, ...]:
    """The addresses of all headers of that name; what holds no address at all is left out."""
    return tuple(box for value in islice(headers.every(name), 20) for box in parse_mailboxes(value))[:MAX_ADDRESSES]


def parse_mailboxes(value: str) -> list[Mailbox]:
    """The addresses of one header's value, encoded words as they stand in it."""
    found: list[Mailbox] = []
    phrase: list[str] = []
    angle = comment = ""
    for token in _TOKEN.finditer(value + ","):
        kind, text = token.lastgroup, token[0]
        if kind == "end":
            if box := _mailbox("".join(phrase), angle, comment):
                found.append(box)
            phrase, angle, comment = [], "", ""
        elif kind == "angle":
            # `Ann <ann@home> <ann@example.com>`: the last one counts, unless it holds no address.
            angle = text if "@" in text or not angle else angle
        elif kind == "comment":
            comment = text.strip("()")
            phrase.append(" ")
        elif kind == "group":
            phrase = []
        else:
            phrase.append(_unquoted(text) if kind == "quoted" else text)
    return found


def _mailbox(phrase: str, angle: str, comment: str) -> Mailbox | None:
    address = _SPACE.sub("", angle.strip("<>")).removeprefix("mailto:")
    name = decode_words(phrase)
    if "@" not in address:
        written = _ADDRESS.search(_SPACE.sub(" ", phrase)) or _ADDRESS.search(name)
        if not written:
            return None
        address, rest = written[0], name.replace(written[0], "").strip()
        name = rest or decode_words(comment)
    name = shorten(name.strip("'\" "), 200)
    return Mailbox(shorten(one_line(decode_words(address)), 320), "" if name.lower() == address.lower() else name)


def _unquoted(text: str) -> str:
    return re.sub(r"\\(.)", r"\1", text.strip('"'), flags=re.DOTALL) if "\\" in text else text.strip('"')


def own_id(headers: Headers) -> str:
    """The Message-ID without brackets; empty where there is none."""
    value = headers.raw("message-id")
    return next(iter(ids([value])), "") or _named(_SPACE.sub("", value.strip("<> ")))


def reference_ids(headers: Headers) -> tuple[str, ...]:
    """The mails that this one answers: the oldest first, the nearest last, at most `MAX_IDS`.

    In a chain that is longer the root and the nearest ones stay, as RFC 5322 section 3.6.4 lets mail programs do.
    """
    # The first id of In-Reply-To is the parent; further ones are other parents, and stand before it.
    parents = list(dict.fromkeys(ids(headers.every("in-reply-to"))))[::-1]
    chain = dict.fromkeys(ids(headers.every("references")))
    unique = [*(one for one in chain if one not in parents), *parents]
    return tuple(unique if len(unique) <= MAX_IDS else [unique[0], *unique[-(MAX_IDS - 1) :]])


def ids(values: Iterable[str]) -> Iterable[str]:
    """Message ids in header values, with brackets or without; a fold in the midst of one is mended."""
    for value in islice(values, 20):
        found = [_SPACE.sub("", inside) for inside in _BRACKETED.findall(value)]
        yield from (_named(one) for one in found or _BARE_ID.findall(value) if one)


def _named(message_id: str) -> str:
    if len(message_id) <= _MAX_ID:
        return message_id
    return f"sha256:{sha256(message_id.encode('utf-8', 'replace')).hexdigest()}"
