"""Any bytes after DATA end in 250 or in a refusal for good, and what was taken is understood."""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any

from connectors.email import EmailConnector, EmailOptions
from connectors.email.session import SMUGGLED
from normalizer.outcomes import Draft

FIXTURES = sorted((Path(__file__).parents[2] / "fixtures" / "email").glob("*.eml"))
PIECES = [b"\r\n", b"\n", b"\r", b"\0", b"\xff\xfe", b"\r\n.\r", b"\n.\n", b"..", b"--", b"=?utf-8?b?", b"\r\n\r\n"]


def broken(chance: random.Random) -> bytes:
    mail = bytearray(chance.choice(FIXTURES).read_bytes().replace(b"\n", b"\r\n"))
    for _ in range(chance.randint(0, 6)):
        start = chance.randint(0, len(mail))
        mail[start : start + chance.choice([0, 1, 30])] = chance.choice([*PIECES, chance.randbytes(8)])
    return bytes(mail)


async def test_any_bytes_after_data_are_taken_or_refused_for_good(inbound: Any) -> None:
    chance = random.Random(20261127)
    normalize = EmailConnector(EmailOptions(address="support@example.com"), inbound.journal.channel).normalize
    client = await inbound.connect()
    taken = 0
    for _ in range(150):
        content = broken(chance).replace(b"\r\n.", b"\r\n..")
        answer = await client.mail(content)
        assert answer.startswith("250") or answer == SMUGGLED
        taken += answer.startswith("250")
    assert taken >= 100
    bodies = {bytes(raw.body) for raw in inbound.journal.received}
    assert inbound.journal.entered == taken
    assert len(bodies) == len(inbound.journal.received)
    for raw in inbound.journal.received:
        assert isinstance(normalize(raw)[0], Draft)
