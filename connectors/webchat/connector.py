"""The web chat as a connector."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Sequence
from datetime import timedelta
from typing import Literal

from connectors.base import Capabilities, Connector, Receipt, Reply
from connectors.context import Context
from connectors.errors import PermanentError
from connectors.webchat.http import Site
from connectors.webchat.options import WebChatOptions
from connectors.webchat.protocol import TEXT_LIMIT
from connectors.webchat.uploads import ATTACHMENT_LIMIT
from normalizer.chat import normalize
from normalizer.outcomes import Outcome, Raw


class WebChatConnector(Connector[WebChatOptions]):
    """A chat on the company's own website. The thread key of a visitor's messages is the visitor's id."""

    name = "webchat"
    identity_kind = "visitor"
    options_model = WebChatOptions
    capabilities = Capabilities(
        pull=True,
        amends=("edit", "delete"),
        idempotent_send=True,
        text_limit=TEXT_LIMIT,
        attachment_limit=ATTACHMENT_LIMIT,
        reopen_within=timedelta(hours=24),
    )

    @property
    def part(self) -> Literal["web"]:
        """Visitors come by HTTP."""
        return "web"

    async def start(self, context: Context) -> None:
        """Serves visitors until cancelled, then closes their sockets so that they connect again."""
        site = Site(context, self.options)
        context.mount("chat", site.handle)
        try:
            await site.run()
        finally:
            await site.close()

    def normalize(self, raw: Raw) -> Sequence[Outcome]:
        """What a visitor's frame means."""
        return normalize(raw)

    def send(self, reply: Reply, done: Sequence[Receipt]) -> AsyncGenerator[Receipt, None]:  # noqa: ARG002
        """Never: visitors fetch their replies.

        Raises:
            PermanentError: always.
        """
        raise PermanentError("web chat visitors fetch replies themselves; nothing can be sent to them")
