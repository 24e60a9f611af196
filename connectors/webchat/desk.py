"""What a visitor can do on a channel, whichever transport carries it: WebSocket or long-poll.

The promise to the visitor: what was acknowledged is journaled, and the same client id again is the same message.
"""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
from collections.abc import AsyncGenerator, AsyncIterator, Iterable, Mapping
from contextlib import asynccontextmanager
from typing import Any

import msgspec
from msgspec import Struct
from msgspec.structs import replace
from uuid_utils.compat import uuid7

from connectors.context import Attendant, Context, CursorExpiredError, FeedPage, Received, Standing
from connectors.errors import UnavailableError
from connectors.rates import RateLimiter
from connectors.webchat.options import WebChatOptions
from connectors.webchat.portraits import Portraits
from connectors.webchat.protocol import (
    TEXT_LIMIT,
    Ack,
    Acked,
    ClientFrame,
    Hello,
    Identify,
    ProtocolError,
    Shown,
    Welcome,
    encode,
)
from connectors.webchat.standing import Told
from connectors.webchat.tokens import VisitorTokens, read_identity
from connectors.webchat.view import Window, is_on_its_way, latest
from normalizer.chat import CallBack, Choose, Delivered, Event, Identified, Rate, Read, Said
from normalizer.outcomes import Raw
from normalizer.schema import Attachment, Message

HISTORY = 100
SHARE_SECONDS = 1.0


class Visit(Struct, frozen=True, kw_only=True):
    """A visitor who said hello: the frame to answer, and what goes on from there."""

    visitor: str
    welcome: Welcome
    window: Window
    arrivals: tuple[Message, ...]
    standing: Standing
    told: Told


class Desk:
    """Serves the visitors of one channel while it runs."""

    def __init__(self, context: Context, options: WebChatOptions) -> None:
        """All it keeps in memory is how much each visitor and address sent lately."""
        self._context = context
        self._identity_secrets = options.identity_secrets
        self._tokens = VisitorTokens(context.keys, context.channel.id)
        session, address = options.rate.session, options.rate.address
        self._of_session = RateLimiter(per_second=session.per_second, burst=session.burst)
        self._of_address = RateLimiter(per_second=address.per_second, burst=address.burst)
        self._asks_rating = options.rating
        self.portraits = Portraits(context.faces)

    async def share_rates(self) -> None:
        """Keeps to one rate with the other processes, until cancelled."""
        clock = asyncio.get_running_loop().time
        while True:
            await asyncio.sleep(SHARE_SECONDS)
            for name, limiter in (("session", self._of_session), ("address", self._of_address)):
                if spent := limiter.take_spent(clock()):
                    with contextlib.suppress(UnavailableError):  # then each process counts for itself
                        limiter.owe(await self._context.share(name, spent), clock())

    def admit(self, address: str, now: float, *, visitor: str | None = None, client_id: str | None = None) -> None:
        """Counts one frame or request. `now` in seconds of the event loop's clock.

        Raises:
            ProtocolError: the visitor or the address sent too much.
        """
        if not self._of_address.allows(address, now):
            raise ProtocolError("rate_limited", "too much from your network; wait a little", client_id)
        if visitor is not None and not self._of_session.allows(visitor, now):
            raise ProtocolError("rate_limited", "too many messages; wait a little", client_id)

    async def visitor(self, token: str | None) -> str | None:
        """The visitor to whom the token was given, or None where it is not good here."""
        known = await self._tokens.read(token) if token else None
        return known.visitor if known else None

    async def welcome(self, hello: Hello) -> Visit:
        """Opens a session. A token that is not good here makes a fresh visitor, a lost cursor a reload."""
        now = self._context.now()
        known = await self._tokens.read(hello.token) if hello.token else None
        visitor = known.visitor if known else str(uuid7())
        if known and hello.token and not known.is_stale(now):
            token = hello.token
        else:
            token = await self._tokens.issue(visitor, now)
        if known and hello.cursor is not None:
            try:
                return await self._resume(visitor, token, hello.cursor)
            except CursorExpiredError:
                pass
        return await self._load(visitor, token, reload=hello.cursor is not None)

    async def _load(self, visitor: str, token: str, *, reload: bool) -> Visit:
        page = await self._context.feed.history(visitor, limit=HISTORY)
        window = Window(self.portraits)
        await self.portraits.meet(*[message.author for message in page.messages])
        shown = tuple(filter(None, map(window.look, page.messages)))
        return await self._visit(visitor, _welcome(token, page, shown, reload=reload), window, page.messages)

    async def _resume(self, visitor: str, token: str, cursor: str) -> Visit:
        page = await self._context.feed.since(visitor, cursor)
        window = Window(self.portraits)
        await self.portraits.meet(*[message.author for message in page.messages])
        shown = window.catch_up(page.messages)
        arrivals = tuple(latest(page.messages))
        return await self._visit(visitor, _welcome(token, page, shown, reload=False), window, arrivals)

    async def _visit(self, visitor: str, welcome: Welcome, window: Window, arrivals: tuple[Message, ...]) -> Visit:
        standing = await self.standing(visitor) if welcome.conversation_id else Standing()
        told = self.told(standing)
        agent = self.portraits.shown(standing.agent) if standing.agent else None
        return Visit(
            visitor=visitor,
            welcome=replace(welcome, agent=agent, read=standing.read, rating=told.rating(standing)),
            window=window,
            arrivals=arrivals,
            standing=standing,
            told=told,
        )

    def news(self, visit: Visit) -> AsyncGenerator[tuple[Message, str], None]:
        """What comes after the welcome."""
        return self._context.feed.follow(visit.visitor, visit.welcome.cursor)

    @asynccontextmanager
    async def attended(self, visitor: str, attendant: Attendant) -> AsyncIterator[None]:
        """The visitor is here while the block lasts, and `attendant` hears of it."""
        async with self._context.feed.attended(visitor, attendant):
            if await self._tokens.is_revoked(visitor):  # meanwhile, when `attendant` could not hear of it yet
                attendant.ended()
            yield

    async def standing(self, visitor: str) -> Standing:
        """How the visitor's conversation stands."""
        standing = await self._context.feed.standing(visitor)
        await self.portraits.meet(standing.agent)
        return standing

    def told(self, standing: Standing) -> Told:
        """What a browser was told by that standing's welcome."""
        return Told(standing, self.portraits, asks_rating=self._asks_rating)

    async def log_out(self, visitor: str) -> None:
        """Makes the visitor's tokens worthless, and ends the sessions that they opened, in all processes.

        Raises:
            UnavailableError: it could not be noted; the client should send it again.
        """
        await self._tokens.revoke(visitor, self._context.now())
        await self._context.feed.end(visitor)

    async def take(self, visitor: str, frame: ClientFrame) -> Ack | None:
        """Does what the visitor asks.

        Raises:
            ProtocolError: it is refused.
            UnavailableError: it could not be kept; the client should send it again.
        """
        match frame:
            case Said():
                return await self._message(visitor, frame)
            case Choose():
                return await self._choose(visitor, frame)
            case Rate(client_id=client_id, comment=text) | CallBack(client_id=client_id, when=text):
                return _ack(client_id, text, await self._journal(_key(frame, visitor), visitor, frame))
            case Identify():
                await self._identify(visitor, frame)
            case Read():
                await self._read(visitor, frame)
            case _:
                await self._context.feed.tell(visitor, "typing")
        return None

    async def _message(self, visitor: str, said: Said) -> Ack:
        if len(said.text) > TEXT_LIMIT:
            raise ProtocolError("too_large", f"a message may have {TEXT_LIMIT} characters", said.client_id)
        if not said.text and not said.attachments:
            raise ProtocolError("bad_frame", "neither text nor attachments", said.client_id)
        files = [await self._uploaded(visitor, said, file_id) for file_id in said.attachments]
        extra = {"attachments": msgspec.to_builtins(files)} if files else {}
        received = await self._journal(f"{visitor}:{said.client_id}", visitor, said, extra)
        before = await self._find(visitor, received.message_id) if received.duplicate else None
        text = before.text if before else said.text
        return Ack(client_id=said.client_id, message=_acked(said.client_id, text, received))

    async def _uploaded(self, visitor: str, said: Said, file_id: str) -> Attachment:
        file = await self._context.files.find(file_id, owner=visitor)
        if file is None:
            raise ProtocolError("bad_frame", "an attachment that you did not upload", said.client_id)
        return file

    async def _choose(self, visitor: str, choice: Choose) -> Ack | None:
        message = await self._find(visitor, choice.message_id)
        if message is None:
            raise ProtocolError("bad_frame", "no such message", choice.client_id)
        label = next((label for value, label in _choices(message) if value == choice.value), None)
        if label is None:
            raise ProtocolError("bad_frame", "that was not offered", choice.client_id)
        received = await self._journal(_key(choice, visitor), visitor, choice, {"label": label})
        return _ack(choice.client_id, label, received)

    async def _identify(self, visitor: str, frame: Identify) -> None:
        identity = read_identity(frame.token, self._identity_secrets)
        if identity is None:
            raise ProtocolError("unauthorized", "the identity token is not valid")
        # The token itself is not journaled: until it expires it would be good for whoever reads it there.
        digest = hashlib.sha256(frame.token.encode()).hexdigest()
        extra = {"identity": msgspec.to_builtins(identity)}
        await self._journal(f"identified:{visitor}:{digest}", visitor, Identified(), extra)

    async def _read(self, visitor: str, read: Read) -> None:
        # A visitor may know the id of another's message; only its own thread's count.
        message = await self._find(visitor, read.message_id)
        if message is None or message.direction != "outbound":
            raise ProtocolError("bad_frame", "no such message")
        if message.delivery is None or message.delivery.state != "read":
            await self._journal(f"read:{message.id}", visitor, read)

    async def _find(self, visitor: str, message_id: str) -> Message | None:
        page = await self._context.feed.history(visitor, limit=HISTORY)
        return next((message for message in page.messages if message.id == message_id), None)

    async def arrived(self, visitor: str, messages: Iterable[Message]) -> None:
        """Reports the replies among `messages` that were now handed to the visitor's browser."""
        for message in messages:
            if not is_on_its_way(message):
                continue
            try:
                await self._journal(f"delivered:{message.id}", visitor, Delivered(message_id=message.id))
            except UnavailableError:
                # The visitor has it; the next hello that shows it reports it again.
                self._context.log.warning("webchat.arrival_not_reported", message=message.id)

    async def _journal(self, key: str, visitor: str, event: Event, extra: Mapping[str, Any] | None = None) -> Received:
        return await self._context.receive(
            Raw(
                key=key,
                body=encode(event),
                content_type="application/json",
                received_at=self._context.now(),
                envelope={"visitor": visitor, **(extra or {})},
                sender=visitor,
            )
        )


def _welcome(token: str, page: FeedPage, shown: tuple[Shown, ...], *, reload: bool) -> Welcome:
    return Welcome(token=token, conversation_id=page.conversation_id, messages=shown, cursor=page.cursor, reload=reload)


def _key(frame: Choose | Rate | CallBack, visitor: str) -> str:
    """Its event key: the same again where the client names it, else each is another."""
    return f"{frame.__struct_config__.tag}:{visitor}:{frame.client_id or uuid7()}"


def _ack(client_id: str | None, text: str, received: Received) -> Ack | None:
    return Ack(client_id=client_id, message=_acked(client_id, text, received)) if client_id else None


def _acked(client_id: str, text: str, received: Received) -> Acked:
    return Acked(id=received.message_id, client_id=client_id, text=text, received_at=received.received_at)


def _choices(message: Message) -> list[tuple[object, str]]:
    return [
        (button.get("value"), str(button.get("label", "")))
        for part in message.parts
        if part.type == "buttons"
        for button in part.data.get("buttons", ())
        if isinstance(button, dict)
    ]
