"""DKIM signatures on what comes in (RFC 6376, RFC 8301, RFC 8463): who vouches for a mail.

Own lines and not dkimpy, by which the tests sign: its regular expressions take quadratic time for a long run of blanks,
in which the whole process stands still. What follows is linear in the mail.
"""

from __future__ import annotations

import re
from base64 import b64decode
from collections.abc import Callable, Iterator, Sequence
from hashlib import sha256
from typing import Literal

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import load_der_public_key
from msgspec import Struct

from connectors.email.dkim import MIN_BITS, fields, relaxed, simple_digest

MAX_SIGNATURES = 5
_MAX_HEAD = 256 * 1024
_PIECE = 1024 * 1024
_NAME = b"dkim-signature"
_OWN_HASH = re.compile(rb"((?:^|;)[ \t\r\n]*b[ \t\r\n]*=)[^;]*")
_BLANKS = re.compile(r"\s+")
_TABS = bytes.maketrans(b"\t", b" ")

Result = Literal["pass", "fail", "permerror", "temperror"]


class AwayError(Exception):
    """The DNS does not answer."""


class Signature(Struct, frozen=True):
    """What became of one signature. `domain` is who signed: it means something with `pass` alone."""

    result: Result
    domain: str


def signatures(mail: bytes, look_up: Callable[[str], Sequence[str]], now: float) -> list[Signature]:
    """What became of the signatures of a mail, the topmost first.

    Args:
        mail: as it came, with CRLF line ends.
        look_up: the TXT records of a name; raises AwayError where nobody knows now.
        now: seconds since 1970.
    """
    head, _, body = mail.partition(b"\r\n\r\n")
    if len(head) > _MAX_HEAD:
        return []
    named = [(field.partition(b":")[0].strip().lower(), field) for field in fields(head)]
    found = [field for name, field in named if name == _NAME][:MAX_SIGNATURES]
    return [_judge(field, named, body, look_up, now) for field in found]


def _judge(
    own: bytes, named: list[tuple[bytes, bytes]], body: bytes, look_up: Callable[[str], Sequence[str]], now: float
) -> Signature:
    tags = read_tags(own.partition(b":")[2].decode("ascii", "replace"))
    domain = tags.get("d", "").lower().rstrip(".")
    try:
        key = _key(tags, domain, look_up, now)
        header_way, _, body_way = tags.get("c", "simple/simple").lower().partition("/")
        if header_way not in {"simple", "relaxed"} or body_way not in {"", "simple", "relaxed"}:
            return Signature("permerror", domain)
        digest = _relaxed_digest(body) if body_way == "relaxed" else simple_digest(body)
        if digest != b64decode(tags["bh"]):
            return Signature("fail", domain)
        signed = _signed(tags["h"], own, named, is_relaxed=header_way == "relaxed")
        if isinstance(key, RSAPublicKey):
            key.verify(b64decode(tags["b"]), signed, PKCS1v15(), SHA256())
        else:
            key.verify(b64decode(tags["b"]), sha256(signed).digest())
    except InvalidSignature:
        return Signature("fail", domain)
    except AwayError:
        return Signature("temperror", domain)
    except (ValueError, KeyError, UnsupportedAlgorithm):
        return Signature("permerror", domain)
    return Signature("pass", domain)


def _key(
    tags: dict[str, str], domain: str, look_up: Callable[[str], Sequence[str]], now: float
) -> RSAPublicKey | Ed25519PublicKey:
    """The key that the signer names.

    Raises:
        AwayError: the DNS does not answer.
        ValueError: the signature is not well-formed or has expired, covers a part alone, or there is no such key.
        KeyError: a tag is missing.
    """
    kind, _, hashing = tags["a"].partition("-")
    identity = tags.get("i", f"@{domain}").rpartition("@")[2].lower()
    names = [name.strip().lower() for name in tags["h"].split(":")]
    expires = float(tags.get("x", "inf"))
    # `l=` leaves room for what somebody else has added below.
    if tags["v"] != "1" or hashing != "sha256" or "from" not in names or "l" in tags or expires < now or not domain:
        raise ValueError
    if not f".{identity}".endswith(f".{domain}"):
        raise ValueError
    for record in look_up(f"{tags['s']}._domainkey.{domain}"):
        told = read_tags(record)
        if told.get("v", "DKIM1") != "DKIM1" or not told.get("p") or told.get("k", "rsa") != kind:
            continue
        if "s" in told.get("t", "").split(":") and identity != domain:
            continue
        content = b64decode(told["p"])
        key = Ed25519PublicKey.from_public_bytes(content) if kind == "ed25519" else load_der_public_key(content)
        if isinstance(key, Ed25519PublicKey) or (isinstance(key, RSAPublicKey) and key.key_size >= MIN_BITS):
            return key
    raise ValueError


def read_tags(text: str) -> dict[str, str]:
    """A tag list (RFC 6376, 3.2), its values without blanks; of a tag twice, the first."""
    tags: dict[str, str] = {}
    for item in text.split(";"):
        name, equals, value = item.partition("=")
        if equals:
            tags.setdefault(name.strip(), _BLANKS.sub("", value))
    return tags


def _signed(names: str, own: bytes, named: list[tuple[bytes, bytes]], *, is_relaxed: bool) -> bytes:
    """The headers that are signed, from the bottom up where one comes more than once (RFC 6376, 5.4.2 and 3.7)."""
    left: dict[bytes, list[bytes]] = {}
    for name, field in named:
        left.setdefault(name, []).append(field)
    wanted = (left.get(name.strip()) for name in names.lower().encode("ascii", "replace").split(b":"))
    taken = [here.pop() for here in wanted if here]
    label, _, value = own.partition(b":")
    bare = label + b":" + _OWN_HASH.sub(rb"\1", value)
    written = [b"%b:%b" % relaxed(field) if is_relaxed else field for field in (*taken, bare)]
    return b"\r\n".join(written)


def _relaxed_digest(body: bytes) -> bytes:
    """RFC 6376, 3.4.4: blanks are one, none at a line's end, and no empty lines at the end."""
    digest = sha256()
    breaks = written = 0
    for piece in _pieces(body):
        text = piece.translate(_TABS)
        while b"  " in text:  # each turn halves the longest run
            text = text.replace(b"  ", b" ")
        text = text.replace(b" \r\n", b"\r\n")
        kept = text.rstrip(b"\r\n")
        if kept.strip(b" "):
            digest.update(b"\r\n" * breaks)
            digest.update(kept if text.endswith(b"\r\n") else kept.rstrip(b" "))
            breaks = 0
            written += len(kept)
        breaks += (len(text) - len(kept)) // 2
    if written:
        digest.update(b"\r\n")
    return digest.digest()


def _pieces(body: bytes) -> Iterator[bytes]:
    """The body in bounded pieces of whole lines, so that no step takes long."""
    start = 0
    while start < len(body):
        end = body.rfind(b"\r\n", start, start + _PIECE)
        end = end if end >= 0 else body.find(b"\r\n", start + _PIECE)
        end = end + 2 if end >= 0 else len(body)
        yield body[start:end]
        start = end
