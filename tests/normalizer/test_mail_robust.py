"""Hostile mails: any bytes become a message, and soon."""

import base64
from datetime import UTC, datetime

import msgspec
import pytest
from hostile_mails import HEAD, HOSTILE, HTML, MIXED
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from normalizer.mail import MailChannel, event_key, normalize
from normalizer.outcomes import Draft, Raw

CHANNEL = MailChannel(id="mail", own=frozenset({"support@inbox.test"}))
MEGABYTE = 1_000_000
ENDLESS_SECONDS = 40


def read(mail: bytes, **envelope: str | None) -> Draft:
    raw = Raw(
        key="k",
        body=mail,
        content_type="message/rfc822",
        received_at=datetime(2025, 1, 14, tzinfo=UTC),
        envelope={"mail_from": "a@example.com", "trusted": True} | envelope,
    )
    outcomes = normalize(raw, CHANNEL)
    assert outcomes == normalize(raw, CHANNEL)
    draft = outcomes[0]
    assert isinstance(draft, Draft)
    msgspec.json.encode(draft.message)
    assert len(draft.files) == len(draft.message.attachments)
    assert draft.customer.value
    assert draft.keys[0] == draft.message.external.id
    return draft


# What is read in linear time takes a second or two; what is not takes minutes.
@pytest.mark.timeout(ENDLESS_SECONDS)
@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_mail_is_read_to_its_end(name: str) -> None:
    mail = HOSTILE[name](MEGABYTE)
    read(mail)
    event_key("support@inbox.test", mail)


@pytest.mark.timeout(ENDLESS_SECONDS)
@pytest.mark.parametrize("header", ["From", "To", "References", "Message-ID", "Content-Type", "Date", "Received"])
@pytest.mark.parametrize("value", ["<", '"', "(", "a", " ", '\\"', "a@", "<a@b>", ";a=b", ';a*0="', "\xff", ": "])
def test_hostile_header_is_read_to_its_end(header: str, value: str) -> None:
    read(f"{header}: {value * (300_000 // len(value))}\r\n\r\nx".encode("latin-1"))


def test_what_cannot_be_shown_as_html_is_shown_as_text_with_a_note() -> None:
    draft = read(HTML + b"<p>The text.</p>" + b"<div>" * 10_000)
    assert draft.message.html is None
    assert draft.message.text.startswith("[The HTML of this mail is too")
    assert "The text." in draft.message.text


def test_a_mail_of_too_many_parts_says_so() -> None:
    draft = read(MIXED + b"--b\r\nContent-Type: a/b\r\n\r\nx\r\n" * 2000)
    assert len(draft.message.attachments) <= 1000
    assert "in the original" in draft.message.text


@pytest.mark.parametrize("envelope", [{"mail_from": None}, {"mail_from": ""}, {"mail_from": "<>"}])
def test_a_mail_without_any_sender_has_a_placeholder(envelope: dict[str, str | None]) -> None:
    assert read(b"Subject: x\r\n\r\nx", **envelope).customer.value == "mailer-daemon@unknown.invalid"


SEEDS = [
    b"",
    HEAD
    + b"Date: Tue, 14 Jan 2025 10:00:00 +0300\r\nReferences: <a@b> <c@d>\r\n\r\n"
    + b"On 1.1.2025 09:00 A <a@b> wrote:\r\n> x",
    MIXED
    + b'--b\r\nContent-Type: text/plain; charset="iso-8859-9"\r\n\r\n\xfe\xfd\r\n'
    + b"--b\r\nContent-Type: text/html\r\n\r\n"
    + b"<p>a<blockquote type=cite>b</blockquote>\r\n"
    + b"--b\r\nContent-Type: message/rfc822\r\n\r\nSubject: y\r\n\r\nz\r\n--b--",
    HEAD
    + b"Content-Type: multipart/report; report-type=delivery-status; boundary=b\r\n\r\n--b\r\n"
    + b"Content-Type: message/delivery-status\r\n\r\n"
    + b"Final-Recipient: rfc822; a@b\r\nAction: failed\r\nStatus: 5.1.1\r\n"
    + b"--b\r\nContent-Type: text/rfc822-headers\r\n\r\nMessage-ID: <x@y>\r\n--b--",
    b"Subject: =?utf-8?b?" + base64.b64encode("şey".encode()) + b"?=\r\nContent-Transfer-Encoding: base64\r\n\r\nYWJj",
]
WORDS = b"=? ?= --b --b-- : ; < > ( @ =ZZ charset=utf-7 Content-Type: multipart/ message/rfc822 &#x".split()
PIECES = st.sampled_from([b"\r\n", b"\n", b"\r", b"\0", b"\xff", b'"', *WORDS])


@st.composite
def mutated(draw: st.DrawFn) -> bytes:
    mail = bytearray(draw(st.sampled_from(SEEDS)))
    for _ in range(draw(st.integers(0, 8))):
        start = draw(st.integers(0, len(mail)))
        end = min(len(mail), start + draw(st.sampled_from([0, 0, 1, 5, 40])))
        mail[start:end] = draw(st.one_of(PIECES, st.binary(max_size=12)))
    return bytes(mail)


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(mutated())
def test_any_bytes_become_a_message(mail: bytes) -> None:
    read(mail)
