"""What leaves with a signature is believed by somebody else's verifier, and by nobody once it was changed."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import dkim
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from pydantic import ValidationError
from test_email_compose import raw

from connectors.base import Reply
from connectors.email import EmailOptions
from normalizer.schema import Attachment

Make = Callable[..., Reply]


def pem(key: Any) -> str:
    made: bytes = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    return made.decode()


@pytest.fixture(scope="module")
def key() -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(65537, 2048)


def believed(mail: bytes, key: rsa.RSAPrivateKey) -> bool:
    public = key.public_key().public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
    record = b"v=DKIM1; k=rsa; p=" + b"".join(public.splitlines()[1:-1])
    asked: list[bytes] = []

    def look_up(name: bytes, timeout: float = 5) -> bytes:
        asked.append(name)
        return record

    found: bool = dkim.verify(mail, dnsfunc=look_up)
    assert asked in ([], [b"mail._domainkey.example.com."])
    return found


def options(private: Any, **more: Any) -> dict[str, Any]:
    return {"dkim": {"domain": "example.com", "selector": "mail", "key": pem(private), **more}}


@pytest.mark.parametrize(
    "more",
    [
        {},
        {"html": "<p>Kırık vazo</p>", "text": "Kırık vazo\n\n.\nFrom here on\n"},
        {
            "references": tuple(f"{'long' * 20}{number}@customer.example" for number in range(15)),
            "subject": "Vazo " * 60,
        },
        {"to": ("jürgen@customer.example",), "cc": ("a@example.com", "b@example.com")},
        {"text": ""},
    ],
)
def test_a_verifier_believes_it(reply: Make, key: rsa.RSAPrivateKey, more: dict[str, Any]) -> None:
    made = raw(reply(**more), **options(key))

    assert believed(made, key)
    assert made.endswith(raw(reply(**more)))


def test_files_are_signed_too(reply: Make, key: rsa.RSAPrivateKey) -> None:
    attached = (Attachment(id="a", filename="a.bin", content_type="application/octet-stream"),)

    assert believed(raw(reply(attachments=attached), bytes(range(256)) * 100, **options(key)), key)


def test_each_try_has_the_same_signature(reply: Make, key: rsa.RSAPrivateKey) -> None:
    assert raw(reply(), **options(key)) == raw(reply(), **options(key))


@pytest.mark.parametrize(
    ("what", "by"),
    [
        (b"Merhaba!", b"Merhaba?"),
        (b"\r\nTo: ", b"\r\nTo: Eve "),
        (b"\r\nFrom: ", b"\r\nFrom: Eve <eve@example.com>\r\nFrom: "),
        (b"\r\nMessage-ID: <", b"\r\nMessage-ID: <1"),
        (b"s=mail", b"s=mail; l=1"),
    ],
)
def test_what_was_changed_is_not_believed(reply: Make, key: rsa.RSAPrivateKey, what: bytes, by: bytes) -> None:
    made = raw(reply(), **options(key))
    assert what in made

    assert not believed(made.replace(what, by, 1), key)


@pytest.mark.parametrize(
    ("more", "words"),
    [
        ({"key": "sesame"}, "is not a private key in PEM"),
        ({"key": pem(ec.generate_private_key(ec.SECP256R1()))}, "is not an RSA key of 1024 bits or more"),
        ({"domain": "example.org"}, "only example.com or a domain above it vouches for support@example.com"),
        ({"domain": "a b"}, "is not a domain"),
        ({"selector": "a_b;"}, "match pattern"),
    ],
)
def test_a_wrong_key_is_said_so(key: rsa.RSAPrivateKey, more: dict[str, str], words: str) -> None:
    with pytest.raises(ValidationError) as caught:
        EmailOptions.model_validate({"address": "support@example.com", **options(key, **more)})

    [error] = caught.value.errors()
    assert words in error["msg"]
    assert "sesame" not in error["msg"]
