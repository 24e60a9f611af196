"""The Telegram connector: what the platform can do, and which file does it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from datetime import timedelta
from typing import ClassVar, Literal

from telegram.constants import ChatAction

from connectors.base import Amendment, Capabilities, Connector, Rate, Receipt, Reply
from connectors.context import Channel, Context
from connectors.errors import ConnectorError, PermanentError
from connectors.tasks import together
from connectors.telegram.amending import amend
from connectors.telegram.api import BotApi
from connectors.telegram.arrival import Arrival
from connectors.telegram.compose import FILE_BYTES
from connectors.telegram.examining import examine
from connectors.telegram.hook import Hook
from connectors.telegram.options import TelegramOptions
from connectors.telegram.polling import Poller
from connectors.telegram.sending import Place, send
from normalizer.outcomes import Outcome, Person, Profile, Raw, Remote
from normalizer.telegram import TelegramChannel, normalize
from normalizer.telegram.files import DOWNLOAD_LIMIT
from normalizer.telegram.people import KIND

LONGEST_REPLY = 40_000  # characters: ten messages
SIGNS = 1000  # presses of buttons that wait for their sign; Telegram forgets them in a minute anyway

# https://core.telegram.org/bots/faq#my-bot-is-hitting-limits-how-do-i-avoid-this
EVERYWHERE = (Rate(count=30, seconds=1.0), Rate(count=1, seconds=1.0, per="thread"))
IN_GROUPS = (*EVERYWHERE, Rate(count=20, seconds=60.0, per="thread"))


class TelegramConnector(Connector[TelegramOptions]):
    """A bot on Telegram. A chat is a thread, and so is a topic of it."""

    name: ClassVar[str] = "telegram"
    identity_kind: ClassVar[str] = KIND
    options_model: ClassVar[type[TelegramOptions]] = TelegramOptions
    capabilities: ClassVar[Capabilities] = Capabilities(
        edits=True,
        amends=("edit", "delete", "react", "unreact"),
        shows_typing=True,
        html=True,
        profiles=True,
        text_limit=LONGEST_REPLY,
        attachment_limit=FILE_BYTES,
        fetch_limit=DOWNLOAD_LIMIT,
        rates=IN_GROUPS,
        reopen_within=timedelta(hours=24),
    )

    def __init__(self, options: TelegramOptions, channel: Channel) -> None:
        """Keeps what it is given."""
        super().__init__(options, channel)
        self._api = BotApi(options)
        self._understood_as = TelegramChannel(bot=options.bot, groups=options.groups)

    @property
    def part(self) -> Literal["web", "channels"]:
        """A hook answers HTTP; a poller does not."""
        return "web" if self.options.mode == "hook" else "channels"

    @classmethod
    def canonical(cls, value: str) -> str | None:
        """A chat's number, below zero for groups."""
        return value if value.removeprefix("-").isdecimal() and value.isascii() and len(value) <= 20 else None

    def rates(self, thread_key: str | None) -> Sequence[Rate]:
        """Groups bear less."""
        return IN_GROUPS if (thread_key or "").startswith("-") else EVERYWHERE

    def paced_by(self, thread_key: str | None) -> str | None:
        """Telegram counts by chat, whatever the topic."""
        return Place(thread_key).chat if thread_key else None

    async def start(self, context: Context) -> None:
        """Receives until cancelled.

        Raises:
            TemporaryError: Telegram cannot be asked now.
            LeaseLostError: another process may be the poller by now.
        """
        pressed: asyncio.Queue[str] = asyncio.Queue(SIGNS)

        def answer(came: Arrival) -> None:
            if came.callback is not None and not pressed.full():
                pressed.put_nowait(came.callback)

        if self.options.mode == "hook":
            receiving = Hook(self._api, context, self.options.secrets, answer).run()
        else:
            receiving = Poller(self._api, context, answer).run()
        await together(receiving, self._sign(pressed, context))

    async def _sign(self, pressed: asyncio.Queue[str], context: Context) -> None:
        """Tells those who pressed a button that it was seen; else they look at a clock."""
        while True:
            query = await pressed.get()
            try:
                with self._api.calling():
                    await self._api.bot.answer_callback_query(query)
            except ConnectorError as error:
                context.log.info("a press of a button was not answered", reason=error.reason)

    def normalize(self, raw: Raw) -> Sequence[Outcome]:
        """What an update means."""
        return normalize(raw, self._understood_as)

    def send(self, reply: Reply, done: Sequence[Receipt]) -> AsyncGenerator[Receipt, None]:
        """Sends a reply; a receipt for each text, file or album.

        Raises:
            TemporaryError: Telegram asks to wait, or cannot be reached.
            PermanentError: it refuses.
            UncertainError: it has not answered.
        """
        return send(self._api, reply, done)

    def fetch(self, remote: Remote) -> AsyncIterator[bytes]:
        """The bytes of a file.

        Raises:
            TemporaryError: not now.
            PermanentError: Telegram has it no more, or it is too large for bots.
        """
        return self._api.download(str(remote.ref.get("file_id", "")))

    async def describe(self, person: Person) -> Profile:
        """The name and the picture of a person or a group.

        Raises:
            TemporaryError: not now.
            PermanentError: the bot may not know them.
        """
        with self._api.calling():
            chat = await self._api.bot.get_chat(person.value)
        name = chat.title or " ".join(filter(None, (chat.first_name, chat.last_name))) or chat.username
        return Profile(name=name, avatar=await self._picture(chat.photo.small_file_id) if chat.photo else None)

    async def _picture(self, file_id: str) -> bytes | None:
        try:
            return b"".join([piece async for piece in self._api.download(file_id)])
        except PermanentError:
            return None

    async def amend(self, amendment: Amendment) -> None:
        """Changes, deletes or reacts to a message.

        Raises:
            TemporaryError: not now.
            PermanentError: Telegram does not, such as after 48 hours.
            UncertainError: it has not answered.
        """
        await amend(self._api, amendment)

    async def show_typing(self, thread_key: str) -> None:
        """Shows for five seconds that somebody types; not in a channel's direct messages, where Telegram cannot."""
        place = Place(thread_key)
        if not place.direct:
            with self._api.calling():
                await self._api.bot.send_chat_action(action=ChatAction.TYPING, **place.arguments)

    async def examine(self) -> Sequence[str]:
        """What Telegram says is missing: the token, the hook, another poller, privacy mode.

        Raises:
            ConnectorError: Telegram cannot be asked.
        """
        return [told async for told in examine(self._api, self.options, self.channel)]

    async def close(self) -> None:
        """Closes the connections to Telegram."""
        await self._api.close()
