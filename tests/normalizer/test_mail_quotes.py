"""What is folded, and what must never be."""

import pytest
import quote_cases
from hypothesis import given
from hypothesis import strategies as st

from normalizer.mail.quotes import split

REPLIES = {
    "English": "On Tue, Jan 14, 2025 at 9:12 AM Acme <a@example.com> wrote:\n\n> old",
    "English, wrapped": "On Tue, Jan 14, 2025 at 9:12 AM\nAcme Support Team\n<a@example.com> wrote:\n> old",
    "Turkish, Gmail": "Acme <a@example.com>, 14 Oca 2025 Sal, 09:12 tarihinde şunu yazdı:\n\n> old",
    "Turkish, Apple": "Acme <a@example.com> şunları yazdı (14 Oca 2025 09:12):\n\n> old",
    "Turkish, Outlook": "Kimden: Acme\nGönderildi: 14 Ocak 2025 Salı 09:12\nKime: Şule\nKonu: Kargo\n\nold",
    "German": "Am 14.01.2025 um 09:12 schrieb Acme:\n> old",
    "German, Outlook": "Von: Acme\nGesendet: Dienstag, 14. Januar 2025 09:12\nAn: Can\nBetreff: x\n\nold",
    "French": "Le mar. 14 janv. 2025 à 09:12, Acme <a@example.com> a écrit :\n\n> old",
    "Spanish": "El mar, 14 ene 2025 a las 9:12, Acme (<a@example.com>) escribió:\n\n> old",
    "Japanese": "2025年1月14日(火) 9:12 Acme <a@example.com>:\n> old",
    "Outlook": "-----Original Message-----\nFrom: Acme\nSent: Tuesday\n\nold",
    "Outlook, bold": "*From:* Acme\n*Sent:* 2025-01-14\n*To:* b@example.com\n*Subject:* x\n\nold",
    "marked": "> old\n> older",
    "signature": "-- \nCan Er\nOrnek",
    "phone, English": "Sent from my phone",
    "phone, Turkish": "iPhone'umdan gönderildi",
}


@pytest.mark.parametrize("case", quote_cases.read(), ids=lambda case: case.name)
def test_mails_of_many_programs_show_what_is_new(case: quote_cases.Case) -> None:
    parts = split(case.text, case.subject)
    assert case.faults(parts.text) == []
    assert set(case.text.split()) == set(f"{parts.text} {parts.quoted or ''}".split())


@pytest.mark.parametrize("quote", REPLIES.values(), ids=REPLIES.keys())
def test_what_a_mail_program_added_is_folded(quote: str) -> None:
    parts = split(f"It came, thank you.\n\n{quote}\n")
    assert (parts.text, parts.quoted) == ("It came, thank you.", quote)


@pytest.mark.parametrize(
    "text",
    [
        "Dear all,\nAli wrote:\nwe meet at noon",
        "My order:\n- one\n- two\n\nThank you",
        "Name: Can\nSubject: Question\nMessage: where is it?",
        "The parcel was sent from the shop.",
        "Kargo dün gönderildi",
        "---\nA rule, and no signature\n---",
        "> only a quote\n> and nothing else",
        "See below.\n\n---------- Forwarded message ---------\nFrom: A\nDate: 1.1.2025 09:00\nTo: B\n\n> all of it",
        "Bakar mısınız?\n\n---------- Yönlendirilen ileti ---------\nKimden: A\n\nhepsi",
    ],
)
def test_what_a_person_wants_to_be_read_stays(text: str) -> None:
    parts = split(text)
    assert (parts.text, parts.quoted) == (text, None)


def test_a_forward_without_a_mark_is_known_by_its_subject() -> None:
    text = "For you.\n\nFrom: A\nSent: Tuesday 09:00\nTo: B\nSubject: x\n\nthe mail"
    assert split(text, "Fwd: x").quoted is None
    assert split(text, "İlt: x").quoted is None
    assert split(text, "Re: x").text == "For you."


def test_answers_between_the_lines_stay_with_what_they_answer() -> None:
    parts = split("On 14 Jan 2025 at 09:12, A <a@b.c> wrote:\n> one?\n\nyes\n\n> two?\n\nno\n\n> Bye")
    assert parts.text.endswith("> one?\n\nyes\n\n> two?\n\nno")
    assert parts.quoted == "> Bye"


BARE = ("", "text", "> quote", ">> deeper", "--", "______", "wrote:", "Sent from my phone")
BLOCK = ("From: a", "To: b", "Date: 1.1.2025 09:00", "Subject: c", "-----Original Message-----")
INTRO = ("On 1.1.2025 09:00 a <a@b.c> wrote:", "---------- Forwarded message ---------")


@given(st.lists(st.sampled_from(BARE + BLOCK + INTRO), max_size=30), st.sampled_from(["", "Re: x", "Fwd: x"]))
def test_every_line_stands_in_exactly_one_of_the_two(lines: list[str], subject: str) -> None:
    parts = split("\n".join(lines), subject)
    kept = [line for line in f"{parts.text}\n{parts.quoted or ''}".split("\n") if line]
    assert sorted(kept) == sorted(line for line in lines if line)
    assert parts.text.strip() or not any(line.strip() for line in lines)
