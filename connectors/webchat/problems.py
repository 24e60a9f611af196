"""HTTP errors as problem details (RFC 9457)."""

from __future__ import annotations

from http import HTTPStatus

from aiohttp import web

from connectors.webchat.protocol import encode


class Problem(Exception):  # noqa: N818 (it is called that in RFC 9457)
    """An error that is answered to the client as it is."""

    def __init__(self, status: int, detail: str) -> None:
        """`detail` is read by the developer of a client."""
        super().__init__(detail)
        self.status = status
        self.detail = detail

    def response(self) -> web.Response:
        """The answer."""
        body = {"type": "about:blank", "title": HTTPStatus(self.status).phrase, "status": self.status}
        return web.Response(
            status=self.status,
            body=encode({**body, "detail": self.detail}),
            content_type="application/problem+json",
        )
