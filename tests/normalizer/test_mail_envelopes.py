"""`winmail.dat`, S/MIME and invitations that no fixture can show: deep, broken, and made by chance."""

from __future__ import annotations

import random

import pytest
from hostile_mails import CALENDAR, envelope
from mail_reader import read
from tnef_writer import File
from tnef_writer import envelope as winmail

TNEF, SMIME = b"application/ms-tnef", b"application/pkcs7-mime"
SIGNED_EMPTY = bytes.fromhex("300b06092a864886f70d010702")


def names(mail: bytes) -> list[str]:
    return [attachment.filename for attachment in read(mail).message.attachments]


def test_a_message_in_winmail_dat_is_a_file_and_its_files_are_too() -> None:
    inner = winmail(text="The inner text", files=[File("inner.bin", b"1")])
    mail = envelope(TNEF, winmail(text="Outer", files=[File("Re: Order", inner, message=True), File("b.pdf", b"22")]))
    draft = read(mail)
    assert draft.message.text == "Outer"
    assert [(a.filename, a.size) for a in draft.message.attachments] == [
        ("Re_ Order.txt", 14),
        ("inner.bin", 1),
        ("b.pdf", 2),
    ]


def test_messages_in_messages_end() -> None:
    inner = winmail(files=[File("deepest", b"x")])
    for level in range(50):
        inner = winmail(text=f"level {level}", files=[File("m", inner, message=True), File(f"{level}.txt", b"x")])
    assert "49.txt" in names(envelope(TNEF, inner))


@pytest.mark.parametrize("cut", range(0, 400, 7))
def test_a_winmail_dat_that_was_cut_gives_what_came_before_it_or_itself(cut: int) -> None:
    whole = winmail(text="Text", files=[File("a.txt", b"1" * 40), File("b.txt", b"2" * 40)])
    draft = read(envelope(TNEF, whole[:cut]))
    assert draft.message.attachments or draft.message.text


@pytest.mark.parametrize("seed", range(200))
def test_chance_in_an_envelope_is_a_file_at_the_worst(seed: int) -> None:
    chance = random.Random(seed)
    for kind, start in ((TNEF, winmail(text="a", files=[File("b", b"c")])), (SMIME, SIGNED_EMPTY)):
        data = bytearray(start + chance.randbytes(30))
        for _ in range(5):
            data[chance.randrange(6, len(data))] = chance.randrange(256)
        draft = read(envelope(kind, bytes(data)))
        assert draft.message.attachments or draft.message.text


@pytest.mark.parametrize(
    "lines",
    [
        "DTSTART:garbage",
        "DTSTART:20250101T100000\nDTSTART:20250101T110000",
        "DTSTART;TZID=No/Such:20250101T100000\nDTEND;VALUE=DATE:20250102",
        "RRULE:FREQ=NONSENSE",
        "ORGANIZER:nobody",
        "ATTENDEE",
        "SUMMARY;ENCODING=BASE64:!!",
        "BEGIN:VALARM\nBEGIN:VALARM",
        "END:VALARM",
        "DTSTART:99999999T999999",
        "DTSTART:20250120T100000Z\nDURATION:P9999999999D",
        "DTSTART;VALUE=DATE:99991231\nDURATION:P2D",
        "\0\x7f",
    ],
)
def test_a_broken_invitation_stays_a_file(lines: str) -> None:
    event = f"BEGIN:VEVENT\nUID:1\nSUMMARY:Meet\n{lines}\nEND:VEVENT\nEND:VCALENDAR\n"
    assert names(CALENDAR + event.encode()) == ["attachment-1.ics"]


@pytest.mark.parametrize(
    ("lines", "when", "end"),
    [
        ("DTSTART;VALUE=DATE:20250120\nDTEND;VALUE=DATE:20250123", "2025-01-20 to 2025-01-22", "2025-01-23"),
        ("DTSTART;VALUE=DATE:20250120\nDTEND;VALUE=DATE:20250121", "2025-01-20", "2025-01-21"),
        ("DTSTART:20250120T100000Z\nDURATION:PT90M", "2025-01-20 10:00 to 11:30 (UTC)", "2025-01-20T11:30:00+00:00"),
        ("DTSTART:20250120T230000Z\nDURATION:PT2H", "2025-01-20 23:00 to 2025-01-21 01:00 (UTC)", None),
        ("DTSTART:20250120T100000Z\nDTEND;VALUE=DATE:20250121", "2025-01-20 10:00 (UTC)", None),
    ],
)
def test_how_long_an_event_takes(lines: str, when: str, end: str | None) -> None:
    event = f"BEGIN:VEVENT\n{lines}\nSUMMARY:Meet\nEND:VEVENT\n".encode()
    (part,) = read(CALENDAR + event).message.parts
    assert part.text == f"Event: Meet\nWhen: {when}"
    assert end is None or part.data["end"] == end


def test_an_event_of_an_unknown_zone_keeps_the_zone_s_name() -> None:
    event = b"BEGIN:VEVENT\nDTSTART;TZID=Acme/Moon:20250101T100000\nSUMMARY:Meet\nEND:VEVENT\n"
    (part,) = read(CALENDAR + event).message.parts
    assert part.text == "Event: Meet\nWhen: 2025-01-01 10:00 (Acme/Moon)"
    assert part.data["start"] == "2025-01-01T10:00:00"
