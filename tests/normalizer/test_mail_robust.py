"""Hostile mails: any bytes become a message, and soon."""

import pytest
from hostile_mails import HOSTILE, HTML, MIXED, nested
from mail_reader import read

from normalizer.mail import event_key

MEGABYTE = 1_000_000
ENDLESS_SECONDS = 40


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


def test_no_depth_ends_the_process() -> None:
    assert read(nested(350_000)).message.text


@pytest.mark.parametrize("envelope", [{"mail_from": None}, {"mail_from": ""}, {"mail_from": "<>"}])
def test_a_mail_without_any_sender_has_a_placeholder(envelope: dict[str, str | None]) -> None:
    assert read(b"Subject: x\r\n\r\nx", **envelope).customer.value == "mailer-daemon@unknown.invalid"
