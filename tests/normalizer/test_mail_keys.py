"""Which deliveries are the same mail, and what leads a mail to its conversation."""

from datetime import UTC, datetime

from normalizer.mail import MailChannel, event_key, normalize
from normalizer.outcomes import Draft, Raw

CHANNEL = MailChannel(id="mail", own=frozenset({"support@inbox.test"}))
MAIL = b"From: a@example.com\r\nMessage-ID: <one@example.com>\r\nSubject: x\r\n\r\nHello.\r\n"


def draft_of(mail: bytes) -> Draft:
    raw = Raw(key="k", body=mail, content_type="message/rfc822", received_at=datetime(2025, 1, 14, tzinfo=UTC))
    draft = normalize(raw, CHANNEL)[0]
    assert isinstance(draft, Draft)
    return draft


def test_the_key_of_a_delivery_ignores_what_servers_add_on_the_way() -> None:
    trace = b"Received: from a by b;\r\n\tTue, 14 Jan 2025\r\nDKIM-Signature: v=1;\r\n b=abc\r\nX-Spam-Score: 1\r\n"
    assert event_key("Support@inbox.test", trace + MAIL) == event_key("support@inbox.test", MAIL)


def test_the_key_of_a_delivery_tells_recipients_and_contents_apart() -> None:
    keys = {
        event_key("support@inbox.test", MAIL),
        event_key("sales@inbox.test", MAIL),
        event_key("support@inbox.test", MAIL.replace(b"Hello", b"Hullo")),
        event_key("support@inbox.test", MAIL.replace(b"Subject: x", b"Subject: y")),
    }
    assert len(keys) == 4


def test_one_mail_by_two_routes_is_one() -> None:
    assert draft_of(b"Received: from a by b\r\n" + MAIL).unique == draft_of(MAIL + b"\r\n").unique


def test_nobody_can_suppress_a_mail_by_sending_its_id_first() -> None:
    assert draft_of(MAIL.replace(b"Hello", b"Hullo")).unique != draft_of(MAIL).unique


def test_a_mail_without_an_id_gets_a_stable_one() -> None:
    without = MAIL.replace(b"Message-ID: <one@example.com>\r\n", b"")
    first, again = draft_of(without), draft_of(b"Received: from a by b\r\n" + without)
    assert first.message.external.id == again.message.external.id
    assert first.unique == again.unique
    assert first.message.channel_data["email.message_id"] is None
    assert draft_of(without.replace(b"Hello", b"Hullo")).message.external.id != first.message.external.id


def test_a_long_chain_keeps_its_root_and_its_nearest_mails() -> None:
    chain = b" ".join(b"<m%d@example.com>" % number for number in range(500))
    draft = draft_of(b"References: " + chain + b"\r\n" + MAIL)
    assert draft.message.external.thread_key == "m0@example.com"
    assert draft.keys[0] == "one@example.com"
    assert draft.keys[-1] == "m499@example.com"
    assert len(draft.keys) <= 51


def test_an_id_of_unreasonable_length_is_named_by_its_hash() -> None:
    reply = MAIL.replace(b"<one@", b"<two@")
    long_id = b"<" + b"x" * 2000 + b"@example.com>"
    parent = draft_of(MAIL.replace(b"<one@example.com>", long_id))
    child = draft_of(b"In-Reply-To: " + long_id + b"\r\n" + reply)
    assert parent.keys[0] in child.keys
    assert all(len(key) < 400 for key in (*parent.keys, *child.keys))
