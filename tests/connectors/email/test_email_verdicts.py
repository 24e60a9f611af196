"""Who vouches for a mail: SPF, DKIM and DMARC, asked of a real DNS server."""

from __future__ import annotations

import base64
import socket
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from typing import Any

import dkim
import dns.resolver
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from dns_server import Lookup, resolver
from harness import PATIENCE
from mail_journal import ADDRESS, CHANNEL, Journal

from connectors.email import EmailConnector, EmailOptions, verdicts
from connectors.email.smtp_in import SmtpServer
from connectors.email.verdicts import Verifier
from normalizer.outcomes import Draft
from normalizer.schema import Authenticated

PEER = "9.9.9.9"  # an address of the internet; nothing is sent to it
KEY = rsa.generate_private_key(65537, 2048)
PEM = KEY.private_bytes(
    serialization.Encoding.PEM, serialization.PrivateFormat.TraditionalOpenSSL, serialization.NoEncryption()
)
PUBLIC = base64.b64encode(
    KEY.public_key().public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
).decode()
TXT = {
    "one._domainkey.customer.example": f"v=DKIM1; k=rsa; p={PUBLIC}",
    "one._domainkey.strict.example": f"k=rsa; p={PUBLIC}",
    "one._domainkey.mail.strict.example": f"v=DKIM1; p={PUBLIC}",
    "one._domainkey.nothing.example": f"v=DKIM1; p={PUBLIC}",
    "revoked._domainkey.customer.example": "v=DKIM1; p=",
    "customer.example": f"v=spf1 ip4:{PEER} -all",
    "bounces.customer.example": "v=spf1 include:customer.example ~all",
    "elsewhere.example": "v=spf1 a:mx.elsewhere.example -all",
    "loop.example": "v=spf1 include:loop.example -all",
    "_dmarc.customer.example": "v=DMARC1; p=reject; rua=mailto:dmarc@customer.example",
    "_dmarc.strict.example": "v=DMARC1; p=none; adkim=s; aspf=s",
}


@pytest.fixture(autouse=True)
def patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """What the DNS has is waited for."""
    monkeypatch.setattr(verdicts, "SECONDS", PATIENCE)
    monkeypatch.setattr(verdicts, "_LOOK_UP_SECONDS", PATIENCE)


@pytest.fixture(scope="module")
def verifier(lookup: Lookup) -> Iterator[Verifier]:
    made = Verifier(lookup(TXT, mx_elsewhere_example="9.9.9.10"))
    yield made
    made.close()


def mail(body: str = "Hello\r\n", **headers: str) -> bytes:
    lines = {"From": "Jane <jane@customer.example>", "To": ADDRESS, "Subject": "Vase", **headers}
    return "".join(f"{name}: {value}\r\n" for name, value in lines.items()).encode() + b"\r\n" + body.encode()


def signed(content: bytes, domain: str = "customer.example", selector: str = "one", **how: Any) -> bytes:
    made: bytes = dkim.sign(content, selector.encode(), domain.encode(), PEM, **how) + content
    return made


async def asked(
    verifier: Verifier, content: bytes, *, mail_from: str = "", peer: str = "9.9.9.1", helo: str = "mx.nobody.example"
) -> tuple[str | None, ...]:
    found = await verifier.verdicts(content, peer=peer, helo=helo, mail_from=mail_from)
    return found.spf, found.dkim, found.dmarc


BODIES = {
    "plain": "Hello\r\n",
    "empty": "",
    "blanks": "Hello \t there  \r\n\t\r\n  \r\n\r\n x\t \r\n\r\n\r\n",
    "blank lines alone": "\r\n\r\n",
    "blanks alone": " \r\n \t\r\n",
    "no last line end": "Hello",
    "long lines": ("x" * 1_500_000 + "  \r\n") * 2,
    "many lines": "one two  three \r\n" * 100_000,
    "a run of blanks": "x" + " " * 3_000_000 + "y\r\n",
    "many empty lines": "x\r\n" + "\r\n" * 700_000 + "y\r\n",
}


@pytest.mark.parametrize("body", BODIES.values(), ids=BODIES)
@pytest.mark.parametrize("ways", ["simple/simple", "simple/relaxed", "relaxed/simple", "relaxed/relaxed"])
async def test_a_signature_of_somebody_else_is_verified(verifier: Verifier, body: str, ways: str) -> None:
    if body == BODIES["a run of blanks"] and ways.endswith("/relaxed"):
        content = signed(mail(body.replace(" " * 3_000_000, " ")), canonicalize=ways.encode().split(b"/"))
        content = content.replace(b"x y", b"x" + b" " * 3_000_000 + b"y")  # dkimpy would take hours
    else:
        content = signed(mail(body, Subject="Vase\r\n   and  more\t "), canonicalize=ways.encode().split(b"/"))
    began = time.process_time()
    assert await asked(verifier, content) == ("none", "pass", "pass")
    assert time.process_time() - began < PATIENCE  # and not hours


async def test_what_was_changed_or_cannot_be_checked_proves_nothing(verifier: Verifier) -> None:
    content = signed(mail())
    assert (await asked(verifier, content.replace(b"Hello", b"Hullo")))[1:] == ("fail", "fail")
    assert (await asked(verifier, content.replace(b"Vase", b"Base")))[1:] == ("fail", "fail")
    assert (await asked(verifier, b"From: eve@customer.example\r\n" + content))[1:] == ("fail", "permerror")
    assert (await asked(verifier, signed(mail(), selector="two")))[1:] == ("permerror", "fail")
    assert (await asked(verifier, signed(mail(), selector="revoked")))[1:] == ("permerror", "fail")
    assert (await asked(verifier, signed(mail(), length=True) + b"and more"))[1:] == ("permerror", "fail")
    assert (await asked(verifier, mail()))[1:] == ("none", "fail")
    for nonsense in ("", "v=1", "v=1; a=rsa-sha256; d=customer.example; s=one; h=from; bh=%; b=%", "a=b;" * 1000):
        _, signature, dmarc = await asked(verifier, mail(**{"DKIM-Signature": nonsense}))
        assert signature in {"permerror", "fail"}
        assert dmarc == "fail"
    second_chance = signed(mail(), selector="two")[: -len(mail())] + content
    assert (await asked(verifier, second_chance))[1:] == ("pass", "pass")


async def test_only_who_is_the_author_proves_the_author(verifier: Verifier) -> None:
    forged = signed(mail(), domain="nothing.example")
    assert (await asked(verifier, forged))[1:] == ("pass", "fail")
    below = mail(From="jane@shop.customer.example")
    assert (await asked(verifier, signed(below)))[2] == "pass"
    strict = mail(From="jane@strict.example")
    assert (await asked(verifier, signed(strict, domain="mail.strict.example")))[2] == "fail"
    assert (await asked(verifier, signed(strict, domain="strict.example")))[2] == "pass"
    assert (await asked(verifier, signed(mail(From="joe@nothing.example"), domain="nothing.example")))[2] == "none"
    two = mail(From="jane@customer.example, joe@nothing.example")
    assert (await asked(verifier, signed(two)))[2] == "permerror"


async def test_the_server_that_may_send_proves_the_author_too(verifier: Verifier) -> None:
    own = {"mail_from": "jane@customer.example", "peer": PEER}
    assert await asked(verifier, mail(), **own) == ("pass", "none", "pass")
    assert await asked(verifier, mail(), **{**own, "peer": "9.9.9.2"}) == ("fail", "none", "fail")
    bounces = {"mail_from": "b+1@bounces.customer.example", "peer": PEER}
    assert await asked(verifier, mail(), **bounces) == ("pass", "none", "pass")
    assert (await asked(verifier, mail(From="a@strict.example"), **own))[2] == "fail"
    elsewhere = {"mail_from": "x@elsewhere.example", "peer": "9.9.9.10"}
    assert await asked(verifier, mail(), **elsewhere) == ("pass", "none", "fail")
    assert (await asked(verifier, mail(), mail_from="x@loop.example"))[0] == "permerror"
    assert (await asked(verifier, mail(), mail_from="x@" + "é" * 300))[0] in ("permerror", "none")
    machine = {"mail_from": "", "helo": "customer.example", "peer": PEER}
    assert await asked(verifier, mail(), **machine) == ("pass", "none", "pass")


async def test_without_an_answer_the_mail_is_not_held_up(monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as silent:
        silent.bind(("127.0.0.1", 0))
        monkeypatch.setattr(verdicts, "SECONDS", 0.5)
        monkeypatch.setattr(verdicts, "_LOOK_UP_SECONDS", 20.0)  # so long it takes for who waits for each look up
        mute = Verifier(resolver(silent.getsockname()[1]))
        began = time.monotonic()
        found = await mute.verdicts(signed(mail()), peer=PEER, helo="x", mail_from="jane@customer.example")
        assert time.monotonic() - began < 10
        mute.close()
    assert found == Authenticated(spf="temperror", dkim="temperror", dmarc="temperror")


@asynccontextmanager
async def receiving(dns_: dns.resolver.Resolver, **options: Any) -> AsyncIterator[tuple[SmtpServer, Journal]]:
    parsed = EmailOptions.model_validate({"address": ADDRESS, "receive": {"smtp": {"port": 0, **options}}})
    journal = Journal(CHANNEL)
    assert parsed.receive.smtp
    server = SmtpServer(parsed.receive.smtp, parsed.mailbox(), journal, verifier=Verifier(dns_))
    async with server.listening():
        yield server, journal


async def test_the_message_says_it_and_the_customer_is_known_by_it(lookup: Lookup) -> None:
    normalize = EmailConnector(EmailOptions(address=ADDRESS), CHANNEL).normalize
    async with receiving(lookup(TXT), trusted_relays=["9.9.9.3"]) as (server, journal):

        async def taken(peer: str) -> Draft:
            given = {"peer": peer, "helo": "mx", "tls": False, "mail_from": "jane@customer.example"}
            await server.keep(mail(peer), rcpt_to=[ADDRESS], **given)
            (draft,) = normalize(journal.received[-1])
            assert isinstance(draft, Draft)
            return draft

        proved = await taken(PEER)
        assert proved.message.flags.authenticated == Authenticated(spf="pass", dkim="none", dmarc="pass")
        assert proved.customer.verified
        forged = await taken("::ffff:9.9.9.2")
        assert forged.message.flags.authenticated == Authenticated(spf="fail", dkim="none", dmarc="fail")
        assert not forged.customer.verified
        for near in ("127.0.0.1", "10.1.2.3", "fe80::1%eth0", "9.9.9.3"):  # the last is a relay that looked itself
            assert (await taken(near)).message.flags.authenticated is None
