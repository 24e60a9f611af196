"""The Slack connector: what the platform can do, and which file does it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from datetime import timedelta
from typing import ClassVar, Literal

from connectors.base import Amendment, Capabilities, Connector, Rate, Receipt, Reply
from connectors.calling import beginning, calling
from connectors.context import Channel, Context, Lease
from connectors.errors import ConnectorError, PermanentError
from connectors.slack.amending import amend
from connectors.slack.api import SlackApi
from connectors.slack.examining import examine
from connectors.slack.history import History
from connectors.slack.hook import Hook
from connectors.slack.inbound import Inbound
from connectors.slack.lifecycle import Lifecycle
from connectors.slack.names import Names, name_of
from connectors.slack.options import SlackOptions
from connectors.slack.sending import send
from connectors.slack.socket import SocketMode
from connectors.tasks import together
from normalizer.fields import record, text
from normalizer.outcomes import AVATAR_BYTES, Outcome, Person, Profile, Raw, Remote
from normalizer.slack import SlackChannel, normalize
from normalizer.slack.people import KIND

LONGEST_REPLY = 40_000  # characters
FILE_BYTES = 50 * 1024 * 1024


class SlackConnector(Connector[SlackOptions]):
    """A Slack app. A thread in a channel is a conversation, and so is a direct message."""

    name: ClassVar[str] = "slack"
    identity_kind: ClassVar[str] = KIND
    options_model: ClassVar[type[SlackOptions]] = SlackOptions
    capabilities: ClassVar[Capabilities] = Capabilities(
        threads=True,
        begins=True,
        edits=True,
        amends=("edit", "delete", "react", "unreact"),
        html=True,
        profiles=True,
        text_limit=LONGEST_REPLY,
        attachment_limit=FILE_BYTES,
        rates=(Rate(count=1, seconds=1.0, per="thread"),),
        reopen_within=timedelta(days=14),
    )

    def __init__(self, options: SlackOptions, channel: Channel) -> None:
        """Keeps what it is given."""
        super().__init__(options, channel)
        self._api = SlackApi(options)
        self._team = ""  # the workspace that is ours, once Slack has said so
        self._understood_as = SlackChannel(silence=options.silence)

    @property
    def part(self) -> Literal["web", "channels"]:
        """A hook answers HTTP; Socket Mode does not."""
        return "channels" if self.options.app_token else "web"

    @classmethod
    def canonical(cls, value: str) -> str | None:
        """A user's id, in capitals."""
        value = value.upper()
        return value if value.isalnum() and value.isascii() and len(value) <= 60 else None

    def paced_by(self, thread_key: str | None) -> str | None:
        """Slack counts by channel, whatever the thread."""
        return thread_key.partition("/")[0] if thread_key else None

    async def start(self, context: Context) -> None:
        """Receives until cancelled.

        Raises:
            TemporaryError: Slack cannot be reached now.
            LeaseLostError: another process may be the listener by now.
        """
        names = Names(self._api)
        lifecycle = Lifecycle(self._api, context, names, self.options.notice)
        inbound = Inbound(context, names, lifecycle)
        history = History(self._api, context, inbound)
        try:
            if self.options.app_token is None:
                hook = Hook(context, inbound, self.options.signing_secrets)
                listening = (hook.run(), self._filled(context, history))
                await together(*listening, lifecycle.dispatch(), lifecycle.until_gone())
            else:
                async with context.lease("socket") as lease:
                    sockets = SocketMode(self._api, context, inbound)
                    listening = (sockets.run(), self._filled_after(sockets.greeted, history, lease))
                    await together(*listening, lifecycle.dispatch(), lifecycle.until_gone())
        except PermanentError as error:
            context.fail(f"{error.reason}; look at the app's page on api.slack.com, and correct the configuration")
        finally:
            await names.close()

    async def _filled(self, context: Context, history: History) -> None:
        """Of all processes with a hook, one fills gaps."""
        async with context.lease("history") as lease:
            await history.run(lease)

    async def _filled_after(self, greeted: asyncio.Event, history: History, lease: Lease) -> None:
        """What was said between a gap's filling and the socket's hello would stand in neither."""
        await greeted.wait()
        await history.run(lease)

    def normalize(self, raw: Raw) -> Sequence[Outcome]:
        """What a request means."""
        return normalize(raw, self._understood_as)

    def send(self, reply: Reply, done: Sequence[Receipt]) -> AsyncGenerator[Receipt, None]:
        """Sends a reply; a receipt for each text, and one for its files.

        Raises:
            TemporaryError: Slack asks to wait, or cannot be reached.
            PermanentError: it refuses.
            UncertainError: it has not answered.
        """
        return send(self._api, reply, done, named=self.options.agent_names)

    def fetch(self, remote: Remote) -> AsyncIterator[bytes]:
        """The bytes of a file.

        Raises:
            TemporaryError: not now.
            PermanentError: Slack has it no more, or the app may not see it.
        """
        return self._api.download(text(remote.ref, "file"), text(remote.ref, "url"))

    async def describe(self, person: Person) -> Profile:
        """The name, the picture and the address of a user. The address is proved where the workspace is ours.

        Raises:
            TemporaryError: not now.
            PermanentError: Slack tells nothing of them.
        """
        user = record(await self._api.ask("users.info", user=person.value), "user")
        profile = record(user, "profile")
        self._team = self._team or text(await self._api.ask("auth.test"), "team_id")
        return Profile(
            name=name_of(user) or None,
            avatar=await self._picture(text(profile, "image_192")),
            email=text(profile, "email") or None,
            verified=bool(self._team) and text(user, "team_id") == self._team,
        )

    async def _picture(self, url: str) -> bytes | None:
        """A user's picture, which lies open to everybody."""
        if not url.startswith("https://"):
            return None
        try:
            async with calling("Slack") as http, http.get(url) as answer:
                return await beginning(answer, AVATAR_BYTES + 1)  # enough to see that it is too large
        except ConnectorError:
            return None

    async def amend(self, amendment: Amendment) -> None:
        """Changes, deletes or reacts to a message.

        Raises:
            TemporaryError: not now.
            PermanentError: Slack does not.
            UncertainError: it has not answered.
        """
        await amend(self._api, amendment)

    async def examine(self) -> Sequence[str]:
        """What Slack says is missing: the tokens, scopes.

        Raises:
            ConnectorError: Slack cannot be asked.
        """
        return [told async for told in examine(self._api, self.options)]

    async def close(self) -> None:
        """Closes the connections to Slack."""
        await self._api.close()
