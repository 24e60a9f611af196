"""Being called by Slack: what it signs is journaled, and only then answered."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from aiohttp import web
from slack_sdk.signature import SignatureVerifier

from connectors.context import Context
from connectors.slack.arrival import arrival
from connectors.slack.inbound import Inbound

TIMESTAMP = "X-Slack-Request-Timestamp"
SIGNATURE = "X-Slack-Signature"


class Hook:
    """The hook under `/hooks/{channel}`."""

    def __init__(self, context: Context, inbound: Inbound, secrets: Sequence[str]) -> None:
        """`secrets` are those that are taken."""
        self._context = context
        self._inbound = inbound
        self._verifiers = [SignatureVerifier(secret) for secret in secrets]

    async def run(self) -> None:
        """Serves until cancelled."""
        self._context.mount("hooks", self._handle)
        await asyncio.Event().wait()

    async def _handle(self, request: web.Request, tail: str) -> web.StreamResponse:
        """Takes a request. What is none is kept and counted too: Slack would send it again.

        Raises:
            UnavailableError: it could not be journaled; answered with 503, so that it comes again.
        """
        if tail or request.method != "POST":
            raise web.HTTPNotFound(text="Slack posts to this channel's hook itself")
        body = await request.read()
        if not self._is_signed(body, request.headers.get(TIMESTAMP, ""), request.headers.get(SIGNATURE, "")):
            self._context.turned_away("signature")
            raise web.HTTPUnauthorized(text="the signature is wrong, or too old")
        came = arrival(body, request.content_type)
        if came.challenge is not None:
            return web.json_response({"challenge": came.challenge})
        await self._inbound.take(came)
        return web.Response()

    def _is_signed(self, body: bytes, timestamp: str, signature: str) -> bool:
        """Slack's signature over the body and a clock of the last five minutes.

        https://docs.slack.dev/authentication/verifying-requests-from-slack
        """
        if not (timestamp.isascii() and timestamp.isdecimal() and signature.isascii()) or len(timestamp) > 12:
            return False
        try:
            return any(verifier.is_valid(body, timestamp, signature) for verifier in self._verifiers)
        except UnicodeDecodeError:  # Slack signs text alone
            return False
