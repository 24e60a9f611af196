from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from email import message_from_bytes, policy
from email.message import EmailMessage
from typing import Any

import pytest

from connectors.base import Reply
from connectors.context import Channel
from connectors.email import EmailOptions
from connectors.email.compose import compose
from normalizer.mail.quotes import split
from normalizer.outcomes import Person
from normalizer.schema import Attachment, Author, Message

Make = Callable[..., Reply]


def raw(reply: Reply, *files: bytes, inbox: str = "Acme Support", **options: Any) -> bytes:
    parsed = EmailOptions.model_validate({"address": "support@example.com", **options})
    return compose(reply, files, parsed, Channel(id="support-mail", public_url="", inbox_name=inbox))


def mail(reply: Reply, *files: bytes, **options: Any) -> EmailMessage:
    parsed = message_from_bytes(raw(reply, *files, **options), policy=policy.default)
    assert isinstance(parsed, EmailMessage)
    assert not parsed.defects
    return parsed


def content(part: Any) -> str:
    return str(part.get_content()).replace("\r\n", "\n")


def test_the_head_of_an_answer(reply: Make) -> None:
    made = mail(reply(references=("first@customer.example", "second@customer.example"), subject="Kırık vazo"))
    assert dict(made.items()) == {
        "From": '"Ayşe (Acme Support)" <support@example.com>',
        "To": "Jane Doe <jane@customer.example>",
        "Subject": "Re: Kırık vazo",
        "Date": "Sat, 14 Nov 2026 09:30:00 +0000",
        "Message-ID": "<0193c0de@example.com>",
        "In-Reply-To": "<second@customer.example>",
        "References": "<first@customer.example> <second@customer.example>",
        "X-Santral-Loop": "support@example.com",
        "Content-Type": 'text/plain; charset="utf-8"',
        "Content-Transfer-Encoding": "7bit",
        "MIME-Version": "1.0",
    }
    assert content(made) == "Merhaba!\n"


def test_who_is_written_to_first_is_told_how_to_hear_no_more(reply: Make) -> None:
    made = mail(reply(subject="News"))
    assert made["List-Unsubscribe"] == "<mailto:support@example.com?subject=unsubscribe>"
    assert made["Subject"] == "News"
    odd = f"{'a?b&c' * 12}@example.com"
    assert f"<mailto:{odd.replace('?', '%3F').replace('&', '%26')}?subject=unsubscribe>" in str(
        mail(reply(subject="News"), address=odd)["List-Unsubscribe"]
    )


def test_each_try_makes_the_same_bytes(reply: Make) -> None:
    attached = (Attachment(id="a", filename="a.txt", content_type="text/plain"),)
    tries = [raw(reply(html="<p>x</p>", attachments=attached), b"a") for _ in range(2)]
    assert tries[0] == tries[1]
    assert tries[0].endswith(b"\r\n")


def test_a_first_mail_answers_nothing(reply: Make) -> None:
    made = mail(reply(subject="Your order"))
    assert made["Subject"] == "Your order"
    assert made["In-Reply-To"] is None
    assert made["References"] is None


@pytest.mark.parametrize(
    ("subject", "sent"),
    [
        ("Vase", "Re: Vase"),
        ("Re: Vase", "Re: Vase"),
        ("RE : Vase", "RE : Vase"),
        ("Re[2]: Vase", "Re[2]: Vase"),
        ("Ynt: Vazo", "Ynt: Vazo"),
        ("AW: Vase", "AW: Vase"),
        ("回复：花瓶", "回复：花瓶"),
        ("Regarding: Vase", "Re: Regarding: Vase"),
        ("Reward", "Re: Reward"),
        ("", "Re:"),
        (None, "Re:"),
    ],
)
def test_re_stands_once(reply: Make, subject: str | None, sent: str) -> None:
    assert mail(reply(subject=subject, references=("a@b",)))["Subject"] == sent


def test_long_message_ids_stay_whole(reply: Make) -> None:
    references = tuple(f"{number}{'A' * 120}@prod.outlook.example" for number in range(30))
    made = raw(reply(references=references))
    assert max(len(line) for line in made.split(b"\r\n")) <= 998
    ids = str(mail(reply(references=references))["References"]).split()
    assert ids == [f"<{one}>" for one in (references[0], *references[-19:])]
    assert b"=?" not in made[made.index(b"References") : made.index(b"X-Santral-Loop")]


def test_broken_message_ids_are_left_out(reply: Make) -> None:
    references = ("good@b", "two words@b", "evil@b>\r\nBcc: <x@y", "ünï@b", "x" * 2000, "<in@brackets>")
    made = mail(reply(references=references))
    assert made["References"] == "<good@b>"
    assert made["In-Reply-To"] == "<good@b>"
    assert "Bcc" not in made


INJECTION = "x\r\nBcc: victim@example.net\r\n\r\nbody"


def test_nothing_begins_a_header_of_its_own(reply: Make) -> None:
    made = mail(
        reply(
            author=Author(type="agent", name=INJECTION),
            person=Person(kind="email", value="jane@customer.example", name=INJECTION),
            subject=INJECTION,
            references=("a@b",),
            attachments=(
                Attachment(id="a", filename=INJECTION, content_type=INJECTION, inline=True, content_id=INJECTION),
                Attachment(id="b", filename=INJECTION, content_type=f"text/{INJECTION}"),
            ),
            html="<p>x</p>",
            cc=(INJECTION, f"<{INJECTION}>", "joe@customer.example\r\nBcc: victim@example.net"),
        ),
        b"1",
        b"2",
        inbox=INJECTION,
        signature=INJECTION,
    )
    assert "Bcc" not in made
    assert made["Cc"] is None
    for part in made.walk():
        assert "Bcc" not in part
    assert made["Subject"] == "Re: x Bcc: victim@example.net body"


def test_copies(reply: Make) -> None:
    made = mail(
        reply(
            to=("jane@customer.example", "JANE@customer.example"),
            cc=("joe@bücher.example", "jane@customer.example"),
            bcc=("boss@example.net",),
        )
    )
    assert made["To"] == "JANE@customer.example"
    assert made["Cc"] == "joe@xn--bcher-kva.example"
    assert b"boss" not in made.as_bytes()


def test_an_agents_own_signature_stands_in_place_of_the_channels(reply: Make) -> None:
    assert content(mail(reply(signature="Grace"), signature="Acme")) == "Merhaba!\n\n-- \nGrace\n"
    assert content(mail(reply(signature=""), signature="Acme")) == "Merhaba!\n"
    assert content(mail(reply(), signature="Acme")) == "Merhaba!\n\n-- \nAcme\n"


def test_text_and_html_with_a_signature(reply: Make) -> None:
    made = mail(reply(html="<p>Merhaba!</p>"), signature="Acme & Co\nIstanbul")
    assert made.get_content_type() == "multipart/alternative"
    text, html = made.iter_parts()
    assert content(text) == "Merhaba!\n\n-- \nAcme & Co\nIstanbul\n"
    assert content(html) == "<p>Merhaba!</p><div>-- <br>Acme &amp; Co<br>Istanbul</div>\n"


def test_attachments(reply: Make) -> None:
    attachments = (
        Attachment(id="a", filename="ölçü.pdf", content_type="application/pdf"),
        Attachment(id="b", filename="mail.eml", content_type="message/rfc822"),
        Attachment(id="c", filename="", content_type="nonsense"),
        Attachment(id="d", filename="notes.txt", content_type="text/plain"),
    )
    made = mail(reply(attachments=attachments), b"%PDF", b"From: x\n\n\xff", b"", "ş\n".encode())
    assert made.get_content_type() == "multipart/mixed"
    parts = list(made.iter_attachments())
    assert [(part.get_filename(), part.get_content_type()) for part in parts] == [
        ("ölçü.pdf", "application/pdf"),
        ("mail.eml", "application/octet-stream"),
        ("file", "application/octet-stream"),
        ("notes.txt", "text/plain"),
    ]
    assert [part.get_payload(decode=True) for part in parts] == [b"%PDF", b"From: x\n\n\xff", b"", "ş\n".encode()]


def test_pictures_within_the_html(reply: Make) -> None:
    attachments = (
        Attachment(id="a", filename="logo.png", content_type="image/png", inline=True, content_id="logo@acme"),
        Attachment(id="b", filename="offer.pdf", content_type="application/pdf"),
    )
    made = mail(reply(html='<img src="cid:logo@acme">', attachments=attachments), b"png", b"pdf")
    assert [part.get_content_type() for part in made.walk()] == [
        "multipart/mixed",
        "multipart/alternative",
        "text/plain",
        "multipart/related",
        "text/html",
        "image/png",
        "application/pdf",
    ]
    [picture] = [part for part in made.walk() if part.get_content_type() == "image/png"]
    assert picture["Content-ID"] == "<logo@acme>"
    assert picture.get_content_disposition() == "inline"


def test_without_html_a_picture_is_a_file(reply: Make) -> None:
    picture = Attachment(id="a", filename="logo.png", content_type="image/png", inline=True, content_id="logo")
    made = mail(reply(attachments=(picture,)), b"png")
    assert [part.get_filename() for part in made.iter_attachments()] == ["logo.png"]


@pytest.mark.parametrize(
    "text",
    [
        "x" * 5000,
        "ş" * 5000,
        ".\n..\n.hidden",
        "From here",
        "a\rb\r\nc\u2028d",
        "nul\0bell\a",
        "\ud800half",
        "",
        "\n\n",
    ],
)
def test_any_text_is_sent_in_short_clean_lines(reply: Make, text: str) -> None:
    made = raw(reply(text=text, html=f"<p>{text}</p>"))
    assert made.isascii()
    assert max(len(line) for line in made.split(b"\r\n")) <= 78
    assert b"\n" not in made.replace(b"\r\n", b"")
    assert b"\0" not in made
    assert made.endswith(b"\r\n")
    parsed = mail(reply(text=text))
    plain = text.replace("\0", "").replace("\a", "").replace("\ud800", "")
    assert content(parsed).splitlines() == [*plain.splitlines()] or plain in {"", "\n\n"}


def test_a_bots_mail_says_so(reply: Make) -> None:
    assert mail(reply(author=Author(type="agent")))["Auto-Submitted"] is None
    assert mail(reply(author=Author(type="bot")))["Auto-Submitted"] == "auto-generated"
    assert mail(reply(author=Author(type="bot"), references=("a@b",)))["Auto-Submitted"] == "auto-replied"


def test_the_inbox_writes_where_nobody_is_named(reply: Make) -> None:
    assert mail(reply(author=Author(type="agent")))["From"] == "Acme Support <support@example.com>"


def test_an_address_beyond_ascii_is_written_as_it_is(reply: Make) -> None:
    assert "To: jürgen@customer.example\r\n".encode() in raw(reply(to=("jürgen@customer.example",)))


@pytest.mark.parametrize(
    ("locale", "heading"),
    [
        ("en", "On 2026-11-14 08:00 UTC, Jane > Doe wrote:"),
        ("tr", "2026-11-14 08:00 UTC tarihinde Jane > Doe şunu yazdı:"),
    ],
)
def test_what_is_answered_stands_below_and_is_folded_when_it_comes_back(locale: str, heading: str, reply: Make) -> None:
    asked = Message(
        author=Author(type="customer", name="Jane\r\n> Doe"),
        text="Where is <it>?\n\n> older",
        sent_at=datetime(2026, 11, 14, 8, tzinfo=UTC),
    )
    options = EmailOptions(address="support@example.com", signature="Acme", quote=True)
    channel = Channel(id="mail", public_url="", inbox_name="Acme", locale=locale)
    sent = compose(reply(html="<p>Merhaba!</p>", answered=asked), (), options, channel)
    made = message_from_bytes(sent, policy=policy.default)
    assert isinstance(made, EmailMessage)
    plain = content(made.get_body(("plain",)))
    assert plain == f"Merhaba!\n\n-- \nAcme\n\n{heading}\n> Where is <it>?\n>\n> > older\n"
    shown = '<blockquote type="cite">Where is &lt;it&gt;?<br><br>&gt; older</blockquote>'
    assert shown in content(made.get_body(("html",)))
    back = split(plain)
    assert back.text == "Merhaba!"
    assert "> Where is <it>?" in (back.quoted or "")


def test_without_the_option_nothing_is_repeated(reply: Make) -> None:
    asked = Message(author=Author(type="customer", name="Jane"), text="Where is it?")
    assert content(mail(reply(answered=asked))) == "Merhaba!\n"
