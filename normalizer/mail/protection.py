"""How a mail is protected: S/MIME (RFC 8551) and OpenPGP (RFC 9580, in MIME by RFC 3156). Nothing is checked here."""

from __future__ import annotations

import re
from typing import Literal

from msgspec import Struct

from normalizer import schema
from normalizer.mail import cms
from normalizer.mail.mime import Part, walk
from normalizer.mail.wrapped import is_smime

Standard = Literal["smime", "pgp"]
_NAMES: dict[Standard, str] = {"smime": "S/MIME", "pgp": "PGP"}
_SIGNATURES: dict[str, Standard] = {
    "application/pkcs7-signature": "smime",
    "application/x-pkcs7-signature": "smime",
    "application/pgp-signature": "pgp",
}
_SIGNED = re.compile(
    r"^-----BEGIN PGP SIGNED MESSAGE-----[ \t]*\n(?:[A-Za-z-]{1,40}: [^\n]{0,200}\n){0,10}+[ \t]*\n", re.MULTILINE
)
_SIGNATURE = re.compile(r"^-----BEGIN PGP SIGNATURE-----[ \t]*\n", re.MULTILINE)
_SIGNATURE_END = re.compile(r"^-----END PGP SIGNATURE-----[ \t]*(?:\n|\Z)", re.MULTILINE)
_ENCRYPTED = re.compile(r"^-----BEGIN PGP MESSAGE-----[ \t]*\n", re.MULTILINE)
_ENCRYPTED_END = re.compile(r"^-----END PGP MESSAGE-----[ \t]*(?:\n|\Z)", re.MULTILINE)
_ESCAPED = re.compile(r"^- ", re.MULTILINE)


class Armour(Struct, frozen=True):
    """A text without OpenPGP's armour: what can be read, what was taken out of it, and what that says."""

    text: str
    folded: str | None = None
    protection: schema.Part | None = None


def of_trees(*roots: Part) -> list[schema.Part]:
    """What the parts of a mail say, each once: of its tree with the envelopes closed, and with them open."""
    found = [one for root in roots for part in walk(root) if (one := _of_part(part)) is not None]
    return list({(one.data["standard"], one.data["kind"]): one for one in found}.values())


def _of_part(part: Part) -> schema.Part | None:
    if part.content_type in _SIGNATURES:
        return _part(_SIGNATURES[part.content_type], "signed")
    if part.content_type == "application/pgp-encrypted":
        return _part("pgp", "encrypted")
    if not is_smime(part):
        return None
    kind = cms.kind(part.content)
    return _part("smime", kind) if kind is not None else None


def _part(standard: Standard, kind: cms.Kind) -> schema.Part:
    """The words for those who read, and the facts."""
    name = _NAMES[standard]
    text = {
        "signed": f"Signed ({name}); the signature was not checked.",
        "encrypted": f"Encrypted ({name}); its content is in the attachment or in the original.",
        "compressed": f"Compressed ({name}); its content is in the attachment.",
    }[kind]
    return schema.Part(type="protection", text=text, data={"standard": standard, "kind": kind})


def unarmoured(text: str) -> Armour:
    """Takes out what OpenPGP puts around a text of its own accord (RFC 9580, sections 6 and 7).

    What was signed stays, its escaped dashes undone; a block of encrypted text goes, as a whole.
    """
    if "-----BEGIN PGP " not in text:
        return Armour(text)
    if (begin := _SIGNED.search(text)) and (stamp := _SIGNATURE.search(text, begin.end())):
        end = _SIGNATURE_END.search(text, stamp.end())
        after = text[end.end() :] if end else ""
        inside = _ESCAPED.sub("", text[begin.end() : stamp.start()])
        folded = text[stamp.start() : end.end() if end else len(text)]
        return Armour(text[: begin.start()] + inside + after, folded.strip("\n"), _part("pgp", "signed"))
    if begin := _ENCRYPTED.search(text):
        end = _ENCRYPTED_END.search(text, begin.end())
        past = end.end() if end else len(text)
        rest = f"{text[: begin.start()]}{text[past:]}".strip("\n")
        protection = _part("pgp", "encrypted")
        shown = f"{rest}\n\n[{protection.text}]" if rest else f"[{protection.text}]"
        return Armour(shown, text[begin.start() : past].strip("\n"), protection)
    return Armour(text)
