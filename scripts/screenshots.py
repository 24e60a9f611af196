"""`make screenshots`: writes docs/images, the documentation's pictures of the agents' page and of the chat.

A Santral of its own, in a temporary folder and on free ports; its customers are made up, write by SMTP and the web chat
as customers do, and are answered by the API. Needs Debian's chromium-headless-shell. Names and addresses are under
`.example`.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import signal
import socket
import struct
import sys
import tempfile
import zlib
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import UTC, datetime, timedelta
from email.message import EmailMessage
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import quote

import aiohttp
import aiosmtplib
import jwt
from aiosmtpd.controller import Controller
from aiosmtpd.handlers import Sink
from playwright.async_api import Browser, Page, async_playwright

IMAGES = Path(__file__).resolve().parents[1] / "docs" / "images"
CHROMIUM = "/usr/bin/chromium-headless-shell"
ARGUMENTS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-sync"]
LARGEST = 230 * 1024  # bytes of a picture: it is kept in the tree for good
PATIENCE = 60.0

SHOP = "support@acme.example"
SITE_SECRET = "of these pictures alone, which show nobody"  # noqa: S105 (it guards a Santral that lives for a minute)
PASSWORD = "of these pictures alone"  # noqa: S105
TEAMS = ("Orders", "Türkiye")
AGENTS = (
    ("Ada Byron", "ada@acme.example", "admin", "Orders"),
    ("Deniz Kaya", "deniz@acme.example", "supervisor", "Türkiye"),
    ("Tom Reed", "tom@acme.example", "agent", "Orders"),
)
WIDE, PHONE = {"width": 1280, "height": 800}, {"width": 390, "height": 844}

MAILS = (
    ("Mehmet Öztürk <mehmet@musteri.example>", "Faturam yanlış adrese kesilmiş",
     "Merhaba,\n\n4812 numaralı siparişimin faturası eski adresime kesilmiş. Düzeltebilir misiniz?\n\nMehmet Öztürk"),
    ("Grace Hopper <grace@navy.example>", "Invoice 2026-118: VAT number is missing",
     "Dear Acme,\n\nour accountants need the VAT number on invoice 2026-118.\n\nKind regards\nGrace Hopper"),
    ("Zeynep Demir <zeynep@musteri.example>", "Lamba kırık geldi",
     "Merhaba, bugün gelen paketteki masa lambasının ayağı kırık. Fotoğrafı ekte.\n\nZeynep"),
    ("Alan Turing <alan@bletchley.example>", "Can I still change my delivery address?",
     "Hello,\n\norder 4790 goes to my old flat. Could you send it to 12 Adlington Road instead?\n\nThanks\nAlan"),
    ("Jane Goodall <jane@gombe.example>", "Where is my order?",
     "Hello,\n\nI ordered two reading lamps on Monday (order 4821). Could you look where they are?\n\nJane"),
)  # fmt: skip
CHATS = (
    ("Elif Şahin", "elif@musteri.example", "Merhaba, İzmir'e gönderim yapıyor musunuz?"),
    ("Marie Curie", "marie@radium.example", "Hi! Is the brass lamp back in stock?"),
)

T = TypeVar("T")


async def until(ask: Callable[[], Awaitable[T]], enough: Callable[[T], bool] = bool) -> T:
    """The first answer that is enough."""
    async with asyncio.timeout(PATIENCE):
        while not enough(found := await ask()):  # noqa: ASYNC110 (another process is asked)
            await asyncio.sleep(0.1)
    return found


def free_port() -> int:
    """A port on which nobody listens."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class House:
    """The Santral of the pictures, as its customers and its agents reach it."""

    def __init__(self, folder: Path) -> None:
        """Everything of it lies in `folder`."""
        self._folder = folder
        self._smtp, port = free_port(), free_port()
        self.url = f"http://127.0.0.1:{port}"
        self._outgoing = Controller(Sink(), hostname="127.0.0.1", port=free_port())
        mail = {"id": "support", "connector": "email", "address": SHOP, "receive": {"smtp": {"port": self._smtp}}}
        mail["send"] = {"host": "127.0.0.1", "port": self._outgoing.port, "tls": "none"}
        site = {"id": "website", "connector": "webchat", "identity_secret": SITE_SECRET}
        config = {"inbox": {"name": "Acme Support"}, "server": {"port": port}, "channels": [mail, site]}
        (folder / "santral.yaml").write_text(json.dumps(config), "utf-8")
        self.api = aiohttp.ClientSession(self.url, cookie_jar=aiohttp.CookieJar(unsafe=True))  # of an address

    @contextlib.asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """It runs, with its agents, until the block ends."""
        with (self._folder / "log").open("wb") as log:
            process = await asyncio.create_subprocess_exec(*_santral("run"), cwd=self._folder, stdout=log, stderr=log)
        self._outgoing.start()
        try:
            await until(self._ready)
            made = await asyncio.create_subprocess_exec(
                *_santral("token", "pictures", "--role", "admin"), cwd=self._folder, stdout=asyncio.subprocess.PIPE
            )
            said, _ = await made.communicate()
            self.api.headers["Authorization"] = f"Bearer {said.decode().split()[-1]}"
            yield
        finally:
            await self.api.close()
            process.send_signal(signal.SIGTERM)
            await process.wait()
            self._outgoing.stop()

    async def _ready(self) -> bool:
        with contextlib.suppress(aiohttp.ClientError):
            async with self.api.get("/readyz") as answer:
                return answer.status == 200
        return False

    async def call(self, method: str, path: str, body: dict[str, Any] | None = None) -> Any:  # noqa: ANN401 (JSON)
        """One call of the API."""
        async with self.api.request(method, f"/api/v1{path}", json=body) as answer:
            if answer.status >= 400:
                sys.exit(f"{method} {path}: {await answer.text()}")
            return await answer.json() if answer.status != 204 else None

    async def sign_in(self, email: str) -> None:
        """From now on an agent makes the calls, and no token."""
        made = await self.call("POST", "/session", {"email": email, "password": PASSWORD})
        del self.api.headers["Authorization"]
        self.api.headers["X-CSRF-Token"] = made["csrf_token"]

    async def conversations(self) -> dict[str, dict[str, Any]]:
        """All of them, by their customers' names."""
        found = await self.call("GET", "/conversations?limit=100")
        return {one["customer"]["name"]: one for one in found["items"]}

    async def mail(self, sender: str, subject: str, text: str, *, reply_to: str | None = None) -> None:
        """A customer writes a mail."""
        mail = EmailMessage()
        mail["From"], mail["To"], mail["Subject"] = sender, SHOP, subject
        mail["Message-ID"] = f"<{subject.encode().hex()[:24]}.{len(text)}@mail.example>"
        if reply_to:
            mail["In-Reply-To"] = reply_to
        mail.set_content(text)
        if "ekte" in text:
            mail.add_attachment(_picture(), maintype="image", subtype="png", filename="lamba.png")
        await aiosmtplib.send(mail, hostname="127.0.0.1", port=self._smtp)

    async def chat(self, name: str, email: str, text: str) -> None:
        """A signed-in user of the website writes in its chat."""
        claims = {"sub": email, "email": email, "name": name, "exp": datetime.now(UTC) + timedelta(hours=1)}
        async with self.api.ws_connect("/chat/website/ws") as visitor:
            await visitor.send_json({"type": "hello", "token": None, "cursor": None})
            await visitor.receive_json()
            await visitor.send_json({"type": "identify", "token": jwt.encode(claims, SITE_SECRET, "HS256")})
            await visitor.send_json({"type": "message", "client_id": "c-1", "text": text})
            while (await visitor.receive_json())["type"] != "ack":
                pass


def _santral(*words: str) -> tuple[str, ...]:
    return (str(Path(sys.executable).with_name("santral")), *words)


def _picture() -> bytes:
    """A PNG of one colour."""
    width = height = 64

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    head = struct.pack(">2I5B", width, height, 8, 2, 0, 0, 0)
    rows = zlib.compress(b"".join(b"\0" + b"\xb8\x86\x3b" * width for _ in range(height)))
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", rows) + chunk(b"IEND", b"")


async def people(house: House) -> dict[str, str]:
    """Makes agents and teams; from now on the first agent calls the API.

    Returns:
        Their ids, by name.
    """
    ids = {name: (await house.call("POST", "/teams", {"name": name}))["id"] for name in TEAMS}
    for name, email, role, team in AGENTS:
        body = {"name": name, "email": email, "role": role, "password": PASSWORD, "teams": [ids[team]]}
        ids[name] = (await house.call("POST", "/agents", body))["id"]
    await house.sign_in(AGENTS[0][1])
    for token in (await house.call("GET", "/tokens"))["items"]:
        await house.call("DELETE", f"/tokens/{token['id']}")
    await house.call("POST", "/tokens", {"name": "Warehouse", "role": "agent"})
    return ids


async def story(house: House, ids: dict[str, str]) -> str:
    """What customers wrote and agents did.

    Returns:
        The conversation that the pictures show open.
    """
    for count, mail in enumerate(MAILS, 1):
        await house.mail(*mail)
        await until(house.conversations, lambda found, count=count: len(found) == count)
    for chat in CHATS:
        await house.chat(*chat)
    found = await until(house.conversations, lambda found: len(found) == len(MAILS) + len(CHATS))

    async def change(name: str, **changes: Any) -> None:  # noqa: ANN401 (as the API has it)
        await house.call("PATCH", f"/conversations/{found[name]['id']}", changes)

    async def write(name: str, text: str, **more: Any) -> dict[str, Any]:  # noqa: ANN401
        path = f"/conversations/{found[name]['id']}/messages"
        made: dict[str, Any] = await house.call("POST", path, {"text": text, **more})
        return made

    await change("Mehmet Öztürk", team=ids["Türkiye"], assignee=ids["Deniz Kaya"], tags=["fatura"])
    await change("Zeynep Demir", team=ids["Türkiye"], priority="urgent", tags=["hasarlı", "iade"])
    await change("Grace Hopper", tags=["invoice"], assignee=ids["Tom Reed"])
    await change("Jane Goodall", team=ids["Orders"], assignee=ids["Ada Byron"], priority="high", tags=["delivery"])
    await write("Mehmet Öztürk", "Merhaba Mehmet Bey, yeni faturanızı bugün gönderiyoruz.")
    await write("Marie Curie", "Yes, since this morning. Shall we put one aside for you?")

    for name in ("Marie Curie", "Mehmet Öztürk", "Grace Hopper"):
        await house.call("POST", f"/conversations/{found[name]['id']}/read", {"seq": 1})

    jane = "Jane Goodall"
    customer = {"fields": {"plan": "Gold", "customer since": "2021"}}
    person = f"/customers/{found[jane]['customer']['id']}"
    await house.call("PATCH", person, customer)
    await house.call("POST", f"{person}/notes", {"text": "Is at home in the afternoon."})
    for tag, colour in (("delivery", "blue"), ("fatura", "teal"), ("hasarlı", "red"), ("iade", "orange")):
        await house.call("PATCH", f"/tags/{quote(tag)}", {"colour": colour})
    await write(jane, "@Deniz Kaya the carrier has it in Leipzig since Tuesday. Do we send a second parcel?",
                direction="note", mentions=[ids["Deniz Kaya"]])  # fmt: skip
    reply = await write(jane, "Hello Jane,\n\nyour parcel is held up in Leipzig: a second one left our house today, by "
                        "express. Please keep both, should the first arrive after all.\n\nAda")  # fmt: skip
    messages = f"/conversations/{found[jane]['id']}/messages"

    async def last() -> dict[str, Any]:
        newest: dict[str, Any] = (await house.call("GET", messages))["items"][-1]
        return newest

    sent = await until(last, lambda one: one["id"] == reply["id"] and one["delivery"]["state"] == "sent")
    await house.mail(MAILS[-1][0], "Re: Where is my order?", "That is very kind, thank you!\n\nJane",
                     reply_to=f"<{sent['external']['id']}>")  # fmt: skip
    await until(last, lambda one: one["direction"] == "inbound")
    return str(found[jane]["id"])


async def sign_in(page: Page, url: str) -> None:
    """As an agent does."""
    await page.goto(url)
    await page.locator("input[name=email]").fill(AGENTS[0][1])
    await page.locator("input[name=password]").fill(PASSWORD)


async def picture(page: Page, name: str) -> None:
    """Writes one, once everything stands still."""
    await page.wait_for_load_state("networkidle")
    await page.evaluate("document.fonts.ready")
    await page.wait_for_timeout(600)
    path = IMAGES / f"{name}.png"
    await page.screenshot(path=path, animations="disabled", caret="hide")
    size = path.stat().st_size
    print(f"{path.relative_to(IMAGES.parents[1])}: {size / 1024:.0f} KB")
    if size > LARGEST:
        sys.exit(f"{path.name} is larger than {LARGEST // 1024} KB")


async def pictures(browser: Browser, url: str, conversation: str) -> None:
    """All of them."""
    light = await browser.new_context(viewport=WIDE, locale="en-GB", color_scheme="light")  # type: ignore[arg-type]
    page = await light.new_page()
    await sign_in(page, url)
    await picture(page, "sign-in")
    await page.locator("form button.primary").click()
    await page.locator(".row").first.wait_for()
    await page.goto(f"{url}/?c={conversation}")
    await page.locator(".message").last.wait_for()
    await picture(page, "inbox")
    await page.keyboard.press("Control+k")
    await page.locator("dialog").wait_for()
    await picture(page, "palette")
    await page.emulate_media(color_scheme="dark")
    await page.goto(f"{url}/?c={conversation}")
    await page.locator(".message").last.wait_for()
    await picture(page, "inbox-dark")
    await page.emulate_media(color_scheme="light")
    await page.goto(f"{url}/?page=staff")
    await page.locator("table").last.wait_for()
    await picture(page, "staff")
    await page.goto(f"{url}/?page=tags")
    await page.locator("table").wait_for()
    await picture(page, "tags")
    await page.set_viewport_size(PHONE)  # type: ignore[arg-type]
    await page.goto(url)
    await page.locator(".row").first.wait_for()
    await picture(page, "phone-list")
    await page.goto(f"{url}/?c={conversation}")
    await page.locator(".message").last.wait_for()
    await picture(page, "phone")


async def chat_pictures(browser: Browser, house: House) -> None:
    """Those of the chat on the demo shop's page, with a question that is answered."""
    context = await browser.new_context(viewport=WIDE, locale="en-GB", color_scheme="light")  # type: ignore[arg-type]
    page = await context.new_page()
    await page.goto(f"{house.url}/chat/website/demo")
    await page.locator("santral-chat .launcher").wait_for()
    await picture(page, "chat-closed")
    await page.locator("santral-chat .launcher").click()
    await page.get_by_role("textbox", name="Message").fill("Hello! Does the Ankara come with a longer cable?")
    await page.keyboard.press("Enter")
    found = await until(house.conversations, lambda all_: any(_asks_for_the_cable(one) for one in all_.values()))
    asked = next(one for one in found.values() if _asks_for_the_cable(one))
    me = await house.call("GET", "/me")
    await house.call("PATCH", f"/conversations/{asked['id']}", {"assignee": me["id"]})
    path = f"/conversations/{asked['id']}/messages"
    await house.call("POST", path, {"text": "Hello! It does: 3 metres of braided cable, in brass or black."})
    await house.call("POST", path, {"text": "You see both at https://lumen.example/cables"})
    await page.get_by_text("You see both").wait_for()
    await page.get_by_role("textbox", name="Message").fill("Black, please. Can I")
    await picture(page, "chat-open")
    await page.emulate_media(color_scheme="dark")
    await picture(page, "chat-dark")
    await page.emulate_media(color_scheme="light")
    await page.set_viewport_size(PHONE)  # type: ignore[arg-type]
    await picture(page, "chat-phone")


def _asks_for_the_cable(conversation: dict[str, Any]) -> bool:
    return "longer cable" in conversation["last_message"]["text"]


async def main() -> None:
    """Writes them all."""
    with tempfile.TemporaryDirectory() as folder:
        house = House(Path(folder))
        async with house.running(), async_playwright() as playwright:
            conversation = await story(house, await people(house))
            browser = await playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
            try:
                await pictures(browser, house.url, conversation)
                await chat_pictures(browser, house)
            finally:
                await browser.close()


if __name__ == "__main__":
    if not Path(CHROMIUM).exists():
        sys.exit(f"{CHROMIUM} is not there: apt-get install chromium-headless-shell")
    IMAGES.mkdir(exist_ok=True)
    asyncio.run(main())
