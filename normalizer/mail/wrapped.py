"""What stands inside another envelope than MIME's, in the tree of the mail: `winmail.dat`, and what S/MIME signed."""

from __future__ import annotations

from msgspec.structs import replace

from normalizer.mail import cms, tnef
from normalizer.mail.headers import Headers
from normalizer.mail.mime import Part, parse, walk

SMIME_TYPES = ("application/pkcs7-mime", "application/x-pkcs7-mime")
_TNEF_TYPES = ("application/ms-tnef", "application/vnd.ms-tnef")
_UNKNOWN_TYPE = "application/octet-stream"
_READABLE = ("text/plain", "text/html")
_MAX_ENVELOPES = 5  # opened, inside one another too


def unwrapped(root: Part) -> Part:
    """The tree with its envelopes opened. One in which nothing is found stays the file that it is."""
    room = [_MAX_ENVELOPES]
    # Outlook puts the text beside the envelope too; the one inside it counts where there is no other.
    return _unwrapped(root, room, has_text=any(_has_text(part) for part in walk(root)))


def is_smime(part: Part) -> bool:
    """Whether it is one of S/MIME's envelopes, by its type or by its name where a program knew no type."""
    named = part.content_type == _UNKNOWN_TYPE and part.filename.lower().endswith(".p7m")
    return named or part.content_type in SMIME_TYPES


def _unwrapped(part: Part, room: list[int], *, has_text: bool) -> Part:
    if part.children:
        children = tuple([_unwrapped(child, room, has_text=has_text) for child in part.children])
        return part if children == part.children else replace(part, children=children)
    if room[0] and part.content.startswith(tnef.SIGNATURE) and _is_tnef(part):
        room[0] -= 1
        found = tnef.opened(part.content)
        texts = () if has_text else (Part(content_type="multipart/alternative", children=found.texts),)
        inside = (*(texts if found.texts else ()), *found.files)
        return Part(content_type="multipart/mixed", children=inside) if inside else part
    if room[0] and is_smime(part) and (entity := cms.signed_content(part.content)):
        room[0] -= 1
        return _unwrapped(parse(entity, Headers(entity).end), room, has_text=has_text)
    return part


def _is_tnef(part: Part) -> bool:
    named = part.content_type == _UNKNOWN_TYPE and part.filename.lower() == "winmail.dat"
    return named or part.content_type in _TNEF_TYPES


def _has_text(part: Part) -> bool:
    return part.content_type in _READABLE and not part.children and not part.filename and bool(part.content.strip())
