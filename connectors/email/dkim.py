"""DKIM signatures on what leaves (RFC 6376), by an RSA key and SHA-256 (RFC 8301).

Own lines and not dkimpy, which the tests verify by: it signs with the clock's time, so that each try would make another
mail, and goes through a mail of 25 MB by a regular expression for most of a second in which the whole process stands
still (both seen). The hash below is taken without Python's lock.
"""

from __future__ import annotations

import re
from base64 import b64encode
from datetime import datetime
from hashlib import sha256

from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import load_pem_private_key

MIN_BITS = 1024  # receivers refuse shorter ones (RFC 8301, 3.2)

# What a reader sees or a mail program goes by (RFC 6376, 5.4.1).
_SIGNED = (
    *(b"from", b"to", b"cc", b"subject", b"date", b"message-id", b"in-reply-to", b"references", b"reply-to"),
    *(b"auto-submitted", b"mime-version", b"content-type", b"content-transfer-encoding"),
)
_FOLD = 70  # octets of a line of base64


def read_key(pem: str) -> RSAPrivateKey:
    """The key of a PEM text.

    Raises:
        ValueError: it is none, has a passphrase, is not RSA, or too short.
    """
    try:
        key = load_pem_private_key(pem.encode(), password=None)
    except (ValueError, TypeError) as error:
        raise ValueError("is not a private key in PEM without a passphrase; put it in by ${file:/path}") from error
    if isinstance(key, RSAPrivateKey) and key.key_size >= MIN_BITS:
        return key
    raise ValueError(f"is not an RSA key of {MIN_BITS} bits or more; make one with `openssl genrsa 2048`")


def signed(mail: bytes, key: RSAPrivateKey, *, domain: str, selector: str, at: datetime | None) -> bytes:
    """The mail with its signature on top; the same bytes for the same time.

    Args:
        mail: with CRLF line ends, each header once, as `compose` makes it.
        key: as `read_key` gives it.
        domain: `d=`, in ASCII.
        selector: `s=`: the key's public half is in the DNS at `<selector>._domainkey.<domain>`.
        at: `t=`.
    """
    head, _, body = mail.partition(b"\r\n\r\n")
    headers = dict(map(relaxed, fields(head)))
    names = [name for name in _SIGNED if name in headers]
    tags = [
        b"v=1; a=rsa-sha256; c=relaxed/simple",
        b"d=%b; s=%b" % (domain.encode("ascii"), selector.encode("ascii")),
        *([b"t=%d" % at.timestamp()] if at else ()),
        # From is named once more than it is there: nobody can put another one in (RFC 6376, 5.4.2).
        b"h=" + b":\r\n\t ".join((*names, b"from")),
        b"bh=" + b64encode(simple_digest(body)),
        b"b=",
    ]
    unsigned = b"DKIM-Signature: " + b";\r\n\t".join(tags)
    hashed = [b"%b:%b\r\n" % (name, headers[name]) for name in names]
    own = b"%b:%b" % relaxed(unsigned)
    signature = b64encode(key.sign(b"".join(hashed) + own, PKCS1v15(), SHA256()))
    lines = [signature[begin : begin + _FOLD] for begin in range(0, len(signature), _FOLD)]
    return unsigned + b"\r\n\t ".join(lines) + b"\r\n" + mail


def fields(head: bytes) -> list[bytes]:
    """The header fields of a header block, each with its folded lines."""
    return re.split(rb"\r\n(?![ \t])", head)


def simple_digest(body: bytes) -> bytes:
    """The hash of a body as it is, without the empty lines at its end (RFC 6376, 3.4.3)."""
    digest = sha256(body.rstrip(b"\r\n"))
    digest.update(b"\r\n")
    return digest.digest()


def relaxed(header: bytes) -> tuple[bytes, bytes]:
    """Name and value as they are hashed (RFC 6376, 3.4.2)."""
    name, _, value = header.partition(b":")
    return name.strip().lower(), re.sub(rb"[ \t\r\n]+", b" ", value).strip()
