"""Customers: each says one thing after another, and the same thing again until it is acknowledged."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import json
import random
from abc import ABC, abstractmethod
from email.message import EmailMessage
from email.policy import SMTP as SMTP_LINES

import aiosmtplib
from harness import ADDRESS, letter

from rig.ledger import Said
from rig.plugin.courier import SIGNATURE, signature
from rig.world import BROKEN, World

SECRET = "the courier's own secret"
SMTP_SECONDS = 12.0
AGAIN_SECONDS = 0.3
SMALL, LARGE = 3_000, 150_000  # bytes of a file: within its original's journal entry, and beyond


def digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


class Customer(ABC):
    """One who writes; under a new name now and then, so that new conversations begin all the time."""

    kind: str

    def __init__(self, world: World, number: int, pause: float) -> None:
        self.world = world
        self.random = world.random(f"{self.kind}{number}")
        self.at = self.random.randrange(len(world.santrals))
        self.name = ""
        self._number = number
        self._pause = pause
        self._names = 0
        self._left = 0
        self._count = 0

    async def run(self) -> None:
        while not self.world.over.is_set():
            if not self._left:
                self.rename()
            await self._say(f"{self.name}-{self._count}")
            self._count += 1
            self._left -= 1
            await self.rest(self.random.uniform(0.5, 1.5) * self._pause)

    def rename(self) -> None:
        """Becomes somebody new."""
        self._names += 1
        self.name = f"{self.kind}{self._number}x{self._names}"
        self._left, self._count = self.random.randint(15, 60), 0

    async def _say(self, text: str) -> None:
        said, body = self.make(text)
        while not await self._tried(said, body):
            self.at = self.random.randrange(len(self.world.santrals))
            await asyncio.sleep(AGAIN_SECONDS)
        self.world.ledger.acknowledged(self.name, said, at=self.world.chronicle.now(), via=self.at)

    async def _tried(self, said: Said, body: bytes) -> bool:
        said.tries += 1
        try:
            return await self.give(said, body)
        except BROKEN as error:
            self.refused(type(error).__name__)
            return False

    def refused(self, how: str) -> None:
        self.world.ledger.refused[f"{self.kind}: {how}"] += 1

    async def rest(self, seconds: float) -> None:
        await self.world.rest(seconds)

    @abstractmethod
    def make(self, text: str) -> tuple[Said, bytes]:
        """What is said, and its bytes: the same on every try."""

    @abstractmethod
    async def give(self, said: Said, body: bytes) -> bool:
        """Tries once. Returns whether it was acknowledged; a broken connection may be raised."""


def some_files(random_: random.Random) -> dict[str, bytes]:
    """Mostly none."""
    chance = random_.random()
    if chance > 0.25:
        return {}
    size = LARGE if chance < 0.08 else SMALL
    return {f"file{n}.bin": random_.randbytes(size + random_.randrange(100)) for n in range(random_.randint(1, 2))}


class Mailer(Customer):
    """By SMTP: 250 is the acknowledgement."""

    kind = "mail"

    def make(self, text: str) -> tuple[Said, bytes]:
        files = some_files(self.random)
        sender = f"{self.name}@example.org"
        mail = letter(text, text, sender=sender, References=f"<{sender}>")
        if files:
            made = EmailMessage(policy=SMTP_LINES)
            made["From"], made["To"], made["Subject"] = f"Ada <{sender}>", ADDRESS, "A question"
            made["Message-ID"], made["References"] = f"<{text}@example.org>", f"<{sender}>"
            made.set_content(text)
            for name, content in files.items():
                made.add_attachment(content, maintype="application", subtype="octet-stream", filename=name)
            mail = made.as_bytes()
        return Said(text=text, original=digest(mail), files={n: digest(c) for n, c in files.items()}), mail

    async def give(self, said: Said, body: bytes) -> bool:
        port = self.world.santrals[self.at].smtp_port
        smtp = aiosmtplib.SMTP(hostname="127.0.0.1", port=port, timeout=SMTP_SECONDS, use_tls=False, start_tls=False)
        try:
            await smtp.connect()
            await smtp.sendmail(f"{self.name}@example.org", [ADDRESS], body)
        except aiosmtplib.SMTPResponseException as error:
            self.refused(str(error.code))
            if error.code >= 500:
                self.world.chronicle.fault(f"{said.text} was refused: {error.code} {error.message}")
            return False
        except aiosmtplib.SMTPException as error:
            self.refused(type(error).__name__)
            return False
        finally:
            smtp.close()
        return True


class Caller(Customer):
    """By signed hook: 200 is the acknowledgement."""

    kind = "hook"

    def make(self, text: str) -> tuple[Said, bytes]:
        files = some_files(self.random)
        event = {"id": text, "thread": self.name, "from": self.name, "text": text}
        body = json.dumps(event | {"files": {n: base64.b64encode(c).decode() for n, c in files.items()}}).encode()
        return Said(text=text, original=digest(body), files={n: digest(c) for n, c in files.items()}), body

    async def give(self, said: Said, body: bytes) -> bool:
        url = f"{self.world.santrals[self.at].url}/hooks/courier"
        headers = {SIGNATURE: signature(SECRET, body), "Content-Type": "application/json"}
        async with self.world.http.post(url, data=body, headers=headers) as answer:
            if answer.status != 200:
                self.refused(str(answer.status))
                if answer.status != 503:
                    self.world.chronicle.fault(f"{said.text} was refused: {answer.status} {await answer.text()}")
            return answer.status == 200
