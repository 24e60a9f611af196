"""From the MIME tree to what a person reads: the text, the HTML, and the files."""

from __future__ import annotations

import re
from hashlib import sha256
from html import escape
from urllib.parse import unquote

from msgspec import Struct

from normalizer import html as markup
from normalizer.mail import invitations, protection
from normalizer.mail.charset import decode, decode_html
from normalizer.mail.headers import Headers
from normalizer.mail.mime import Part, parse, walk
from normalizer.mail.wrapped import unwrapped
from normalizer.schema import Attachment
from normalizer.schema import Part as TypedPart
from normalizer.text import one_line, shorten, tidy

MAX_TEXT = 500_000  # characters; the rest is in the original
_MAX_OCTETS = 8 * MAX_TEXT  # of one text part: more could not be shown anyway
MAX_PIECES = 100  # texts that are shown; further ones are files

_EXTENSIONS = {
    "text/plain": "txt",
    "text/html": "html",
    "text/calendar": "ics",
    "text/vcard": "vcf",
    "text/x-vcard": "vcf",
    "text/rfc822-headers": "txt",
    "image/jpeg": "jpg",
    "image/svg+xml": "svg",
    "audio/mpeg": "mp3",
    "application/msword": "doc",
    "application/ms-tnef": "dat",
    "application/pgp-signature": "asc",
    "application/pgp-encrypted": "txt",
    "application/pkcs7-signature": "p7s",
    "application/x-pkcs7-signature": "p7s",
    "application/pkcs7-mime": "p7m",
    "application/x-pkcs7-mime": "p7m",
    "message/rfc822": "eml",
    "message/delivery-status": "txt",
    "message/disposition-notification": "txt",
    "message/feedback-report": "txt",
}
_UNSAFE_IN_NAME = re.compile(r'[\x00-\x1f\x7f<>:"/\\|?*\u202a-\u202e\u2066-\u2069]')
_READABLE = ("text/plain", "text/html")
_FORWARDED = "---------- Forwarded message ----------"
_MAX_FORWARDS = 3  # in one another, without a word
_TOO_COMPLEX = "[The HTML of this mail is too large or too complex to show; this is its text.]"


class Piece(Struct, frozen=True):
    """A stretch of the body: one text in its plain form, its HTML form, or both."""

    plain: str | None = None
    html: str | None = None


class Body(Struct, frozen=True, kw_only=True):
    """What a mail says. `contents` are the bytes of `attachments`, in their order; `folded` is no text for people."""

    text: str
    folded: str | None
    html: str | None
    parts: tuple[TypedPart, ...]
    attachments: tuple[Attachment, ...]
    contents: tuple[bytes, ...]


def read(root: Part) -> Body:
    """The body and the files of a mail."""
    tree = unwrapped(root)
    pieces: list[Piece] = []
    files: list[Part] = []
    _collect(tree, pieces, files)
    html = "\n".join(piece.html or _as_html(piece.plain or "") for piece in pieces)
    html = html if any(piece.html for piece in pieces) else ""
    armour = protection.unarmoured(_text_of(pieces))
    typed = [*protection.of_trees(root, tree), *filter(None, [armour.protection]), *invitations.of_tree(tree)]
    text = armour.text or _forwarded(tree, 0) or _instead(typed)
    shown, note = _sanitized(html)
    referenced = set(map(unquote, re.findall(r'"cid:([^"]{1,300})"', shown)))
    return Body(
        text=shorten(f"{note}\n{text}" if note else text, MAX_TEXT),
        folded=armour.folded,
        html=shown or None,
        parts=tuple(typed),
        attachments=tuple(_attachment(part, number, referenced) for number, part in enumerate(files, 1)),
        contents=tuple(part.content for part in files),
    )


def _collect(part: Part, pieces: list[Piece], files: list[Part]) -> None:
    if not part.is_container:
        if _is_body(part) and len(pieces) < MAX_PIECES:
            pieces.append(_piece(part))
        elif not part.content_type.startswith("multipart/"):
            files.append(part)
        elif part.content.strip():
            # A container that says of no part where it begins: what stands in it is read as it is.
            pieces.append(Piece(plain=tidy(decode(part.content))))
    elif part.content_type == "multipart/alternative":
        _alternative(part, pieces, files)
    else:
        for child in part.children:
            _collect(child, pieces, files)


def _alternative(part: Part, pieces: list[Piece], files: list[Part]) -> None:
    """The forms of one text become one piece; what else stands among them is a file."""
    found: list[Piece] = []
    for child in part.children:
        if child.content_type != "text/x-amp-html":
            _collect(child, found, files)
    plain = [piece.plain for piece in found if piece.plain is not None]
    html = [piece.html for piece in found if piece.html is not None]
    if found:
        pieces.append(Piece("\n".join(plain) if plain else None, "\n".join(html) if html else None))


def _is_body(part: Part) -> bool:
    return part.content_type in _READABLE and part.disposition != "attachment" and not part.filename


def _piece(part: Part) -> Piece:
    charset = part.params.get("charset", "")
    content = part.content[:_MAX_OCTETS]
    if part.content_type == "text/html":
        return Piece(html=decode_html(content, charset))
    text = tidy(decode(content, charset).replace("\r\n", "\n"))
    if part.params.get("format", "").lower() == "flowed":
        text = _unflowed(text, delete=part.params.get("delsp", "").lower() == "yes")
    return Piece(plain=text)


def _unflowed(text: str, *, delete: bool) -> str:
    """RFC 3676: lines that end in a space go on in the next one, at the same depth of quoting."""
    lines: list[str] = []
    open_depth = -1
    for line in text.split("\n"):
        content = line.lstrip(">")
        depth = len(line) - len(content)
        content = content.removeprefix(" ")
        flows = content.endswith(" ") and content != "-- "
        kept = content[:-1] if flows and delete else content
        if depth == open_depth and content != "-- ":
            lines[-1] += kept
        else:
            lines.append(f"{'>' * depth} {kept}" if depth else kept)
        open_depth = depth if flows else -1
    return "\n".join(lines)


def _text_of(pieces: list[Piece]) -> str:
    return "\n".join(filter(None, map(_as_text, pieces)))


def _as_text(piece: Piece) -> str:
    if piece.plain is not None and (piece.plain.strip() or not piece.html):
        return piece.plain
    return markup.to_text(piece.html or "")


def _as_html(text: str) -> str:
    return f"<div>{escape(text).replace(chr(10), '<br>')}</div>" if text.strip() else ""


def _sanitized(html: str) -> tuple[str, str]:
    """Harmless HTML, and a note for the reader where it could not be made."""
    if not html:
        return "", ""
    try:
        return tidy(markup.sanitize(html)).strip(), ""
    except markup.TooComplexError:
        return "", _TOO_COMPLEX


def _forwarded(root: Part, level: int) -> str:
    """What a mail says that was forwarded as a file, for one that says nothing itself."""
    part = next((part for part in walk(root) if part.content_type == "message/rfc822"), None)
    if part is None or level > _MAX_FORWARDS:
        return ""
    headers = Headers(part.content)
    tree = parse(part.content, headers.end)
    pieces: list[Piece] = []
    _collect(tree, pieces, [])
    lines = [f"{name.title()}: {value}" for name in ("from", "date", "subject") if (value := headers.first(name))]
    return "\n".join([_FORWARDED, *lines, "", _text_of(pieces) or _forwarded(tree, level + 1)]).strip("\n")


def _instead(typed: list[TypedPart]) -> str:
    """What can be read of a mail without a text."""
    return "\n\n".join([f"[{one.text}]" if one.type == "protection" else one.text for one in typed])


def _attachment(part: Part, number: int, referenced: set[str]) -> Attachment:
    inline = part.content_id in referenced if part.content_id else False
    return Attachment(
        id="",
        filename=_filename(part, number),
        content_type=part.content_type,
        size=len(part.content),
        sha256=sha256(part.content).hexdigest(),
        inline=inline or (part.disposition == "inline" and part.content_type.startswith("image/")),
        content_id=part.content_id or None,
    )


def _filename(part: Part, number: int) -> str:
    """The name that the sender gave, without what could fool a file system; a stable one where there is none."""
    name = _UNSAFE_IN_NAME.sub("_", one_line(part.filename)).strip(". ")
    if not name:
        kind = part.content_type
        extension = _EXTENSIONS.get(kind) or kind.partition("/")[2]
        return (
            f"attachment-{number}.{extension}"
            if extension.isalnum() and len(extension) <= 5
            else f"attachment-{number}"
        )
    stem, dot, extension = name.rpartition(".")
    return name if len(name) <= 200 else f"{stem[:180]}{dot}{extension[:19]}" if dot else name[:200]
