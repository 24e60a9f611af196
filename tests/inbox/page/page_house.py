"""A house with agents at their screens: one Santral, a browser, customers' mail server, and a line that can be cut."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from email.message import EmailMessage
from typing import Any

from aiosmtpd.smtp import SMTP, Envelope, Session
from harness import ADDRESS, PATIENCE, Desk, Santral, Visitor, eventually
from msgspec import Struct
from playwright.async_api import BrowserContext, ConsoleMessage, Locator, Page, Request, Route, WebSocket, expect

PASSWORD = "correct horse battery"
# Nobody is signed in yet: the page asks who sits there, and the browser writes the answer's status down.
UNKNOWN = "status of 401"
# What waits for as long as a notice is shown waits for `goOn`.
STAYING = """() => {
  const real = window.setTimeout;
  const staying = [];
  window.setTimeout = (run, after, ...more) => (after === 5000 ? staying.push(run) : real(run, after, ...more));
  window.goOn = () => {
    window.setTimeout = real;
    for (const run of staying) run();
  };
}"""

_numbers = itertools.count(1)


def fresh(words: str) -> str:
    """Words that nobody else has said: a subject by which a test finds its own conversation."""
    return f"{words} {next(_numbers)}"


class Agent(Struct, frozen=True):
    id: str
    name: str
    email: str
    password: str = PASSWORD


class MailServer:
    """The customers' mail server: keeps what came, and refuses the addresses that it is told to."""

    def __init__(self) -> None:
        self.came: list[str] = []
        self.refused: set[str] = set()
        self.port = 0

    async def handle_RCPT(  # noqa: N802
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        if address in self.refused:
            return "550 5.1.1 there is no such mailbox here"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802
        content: Any = envelope.content
        self.came.append(content.decode())
        return "250 OK"

    def has(self, words: str) -> bool:
        return any(words in one for one in self.came)

    async def took(self, words: str) -> str:
        """The mail that holds these words, once it is here."""

        async def there() -> str | None:
            return next((one for one in self.came if words in one), None)

        return await eventually(there)  # type: ignore[return-value]

    @contextlib.asynccontextmanager
    async def running(self) -> AsyncIterator[MailServer]:
        loop = asyncio.get_running_loop()
        served: list[SMTP] = []

        def serve() -> SMTP:
            served.append(SMTP(self, loop=loop))
            return served[-1]

        server = await loop.create_server(serve, "127.0.0.1", 0)
        self.port = server.sockets[0].getsockname()[1]
        yield self
        server.close()
        for one in served:
            if one.transport is not None:
                one.transport.abort()
        await asyncio.sleep(0)  # whereupon they are closed


class House:
    """A Santral, its agents, and the customers who write to it."""

    def __init__(self, santral: Santral, post: MailServer, admin: Agent, desk: Desk) -> None:
        self.santral = santral
        self.url = santral.url
        self.post = post
        self.admin = admin
        self.desk = desk
        self._threads: dict[str, tuple[str, int]] = {}

    async def hire(self, name: str, *, role: str = "agent", teams: tuple[str, ...] = ()) -> Agent:
        """A new agent; no other test knows them."""
        email = f"agent{next(_numbers)}@example.com"
        body = {"email": email, "name": name, "password": PASSWORD, "role": role, "teams": list(teams)}
        made = await self.desk.post("/api/v1/agents", body)
        return Agent(id=made["id"], name=name, email=email)

    async def mail(
        self,
        subject: str,
        text: str = "Hello",
        *,
        html: str | None = None,
        pictures: dict[str, bytes] | None = None,
        sender: str = "ada@example.org",
        name: str = "Ada Byron",
    ) -> dict[str, Any]:
        """A customer's mail; the conversation that it began or went on with, once it is there. Subjects are threads."""
        message = EmailMessage()
        message["From"] = f"{name} <{sender}>"
        message["To"] = ADDRESS
        message["Subject"] = subject
        number = next(_numbers)
        message["Message-ID"] = f"<{number}.{id(self)}@example.org>"
        if before := self._threads.get(subject):
            message["In-Reply-To"] = before[0]
        seen = before[1] + 1 if before else 1
        self._threads[subject] = (message["Message-ID"], seen)
        message.set_content(text)
        if html is not None:
            message.add_alternative(html, subtype="html")
            for cid, picture in (pictures or {}).items():
                part = message.get_payload()[1]  # type: ignore[index]
                part.add_related(picture, "image", "png", cid=f"<{cid}>", filename=f"{cid}.png")  # type: ignore[union-attr]
        await asyncio.to_thread(self.santral.send_mail, message.as_bytes(), sender)

        async def there() -> dict[str, Any] | None:
            page = await self.desk.get("/api/v1/conversations", limit=50)
            found = (one for one in page["items"] if one["subject"] == subject and one["last_seq"] >= seen)
            return next(found, None)

        return await eventually(there)  # type: ignore[return-value]

    @contextlib.asynccontextmanager
    async def visitor(self) -> AsyncIterator[Guest]:
        visitor = Visitor(self.url)
        async with visitor.connected() as socket:
            yield Guest(socket)

    async def chat_of(self, words: str) -> dict[str, Any]:
        """The conversation whose last message this is."""

        async def there() -> dict[str, Any] | None:
            page = await self.desk.get("/api/v1/conversations", channel="site")
            return next((one for one in page["items"] if one["last_message"]["text"] == words), None)

        return await eventually(there)  # type: ignore[return-value]


class Guest:
    """A visitor at the web chat of the company's site."""

    def __init__(self, socket: Any) -> None:
        self._socket = socket
        self.frames: list[dict[str, Any]] = []

    async def say(self, text: str, **more: Any) -> None:
        client_id = f"c-{next(_numbers)}"
        await self._socket.send_json({"type": "message", "client_id": client_id, "text": text, **more})
        assert (await self._next("ack"))["client_id"] == client_id

    async def type(self) -> None:
        await self._socket.send_json({"type": "typing"})

    async def hears(self, text: str) -> None:
        """Waits until this answer has come."""
        while not any(one.get("message", {}).get("text") == text for one in self.frames):
            await self._next("message")

    async def sees_typing(self) -> str:
        """Who of the company types, once somebody does."""
        return str((await self._next("typing"))["author"]["name"])

    def heard(self, text: str) -> int:
        """How often this message came so far."""
        return sum(one.get("message", {}).get("text") == text for one in self.frames)

    async def _next(self, type_: str) -> dict[str, Any]:
        async with asyncio.timeout(PATIENCE):
            while True:
                frame: dict[str, Any] = await self._socket.receive_json()
                self.frames.append(frame)
                assert frame["type"] != "error", frame
                if frame["type"] == type_:
                    return frame


class Screen:
    """A browser window in which an agent has the page open. What it complains of fails the test, unless it is named."""

    def __init__(self, page: Page, url: str) -> None:
        self.page = page
        self.url = url
        self.complaints: list[str] = []
        self.requests: list[str] = []
        self._expected = [UNKNOWN]
        page.on("console", self._said)
        self._follows = asyncio.Event()
        self._newest: WebSocket | None = None
        page.on("websocket", self._stream)
        page.on("pageerror", lambda error: self.complaints.append(str(error)))
        page.on("request", self._asked)

    def _said(self, said: ConsoleMessage) -> None:
        if said.type in ("error", "warning"):
            self.complaints.append(said.text)

    def _asked(self, request: Request) -> None:
        self.requests.append(request.url)
        if request.is_navigation_request() and request.frame == self.page.main_frame:
            self._follows.clear()  # the stream of a page that is left goes without a word

    def _stream(self, stream: WebSocket) -> None:
        self._newest = stream
        self._follows.clear()
        stream.on("framereceived", lambda frame: self._newest is stream and '"hello"' in frame and self._follows.set())
        stream.on("close", lambda _: self._newest is stream and self._follows.clear())

    @property
    def context(self) -> BrowserContext:
        return self.page.context

    def expects(self, *words: str) -> None:
        """What the browser may complain of beside: it writes down each answer that is no success."""
        self._expected += words

    def unexpected(self) -> list[str]:
        return [one for one in self.complaints if not any(words in one for words in self._expected)]

    def foreign(self) -> list[str]:
        """What was asked of anybody but Santral."""
        return [one for one in self.requests if not one.startswith((self.url, "data:", "blob:"))]

    async def begin(self, agent: Agent | None = None, path: str = "/") -> None:
        """Opens the page; signed in already where an agent is named."""
        if agent is not None:
            await sign_in(self.context, self.url, agent)
        await self.page.goto(self.url + path)
        await expect(self.page.locator(".nav" if agent else ".sign-in")).to_be_visible()
        if agent:
            await self.is_live()

    async def is_live(self) -> None:
        """The lists are loaded, and the stream is open: whatever happens now is told."""
        await expect(self.page.locator(".rows[aria-busy=false]").or_(self.page.locator("main.page"))).to_be_visible()
        await expect(self.banner).to_have_count(0)
        await asyncio.wait_for(self._follows.wait(), PATIENCE)

    async def open(self, conversation: dict[str, Any]) -> None:
        """Opens a conversation from the list."""
        await self.row(conversation["id"]).click()
        await expect(self.composer).to_be_visible()

    def row(self, conversation_id: str) -> Locator:
        return self.page.locator(f'.row a[href^="?c={conversation_id}"]')

    @property
    def composer(self) -> Locator:
        return self.page.locator(".composer textarea")

    @property
    def send(self) -> Locator:
        return self.page.locator(".composer .primary")

    @property
    def messages(self) -> Locator:
        return self.page.locator(".message")

    @property
    def banner(self) -> Locator:
        return self.page.locator(".banner")

    @property
    def notice(self) -> Locator:
        return self.page.locator(".notice")

    async def hold(self, path: str, *, answers: bool = False) -> asyncio.Event:
        """Holds calls back until the event is set; with `answers` they are made, and what they give is held."""
        go_on = asyncio.Event()

        async def slowly(route: Route) -> None:
            found = await route.fetch() if answers else None
            await go_on.wait()
            await (route.fulfill(response=found) if found else route.continue_())

        await self.page.route(path, slowly)
        return go_on

    @contextlib.asynccontextmanager
    async def notices_stay(self) -> AsyncIterator[None]:
        """What is told stays until the block ends: a slow machine needs more than the five seconds of a reader."""
        await self.page.evaluate(STAYING)
        yield
        await self.page.evaluate("goOn()")

    @contextlib.asynccontextmanager
    async def nothing_leaves(self) -> AsyncIterator[None]:
        """Replies that are sent within the block leave in an hour: so long they can be thought better of."""

        async def later(route: Route) -> None:
            body = route.request.post_data_json
            body["send_at"] = (datetime.now(UTC) + timedelta(hours=1)).isoformat()
            await route.continue_(post_data=body)

        path = "**/api/v1/conversations/*/messages"
        await self.page.route(path, later)
        yield
        await self.page.unroute(path, later)

    async def composer_is_free(self) -> None:
        """What is told at the edge of the page lies over nothing that is written or sent."""
        told, written = await self.notice.first.bounding_box(), await self.page.locator(".composer").bounding_box()
        assert told is not None
        assert written is not None
        beside = told["x"] + told["width"] <= written["x"]
        assert beside or told["y"] + told["height"] <= written["y"], (told, written)

    async def kept(self, conversation_id: str, text: str) -> None:
        """Waits until the draft is on the server."""

        async def there() -> bool:
            answer = await self.context.request.get(f"{self.url}/api/v1/conversations/{conversation_id}/draft")
            return answer.status == 200 and (await answer.json())["text"] == text

        await eventually(there)


async def sign_in(context: BrowserContext, url: str, agent: Agent) -> None:
    """Begins a session in a browser without its page."""
    answer = await context.request.post(
        f"{url}/api/v1/session", data={"email": agent.email, "password": agent.password}
    )
    assert answer.status == 201, await answer.text()
