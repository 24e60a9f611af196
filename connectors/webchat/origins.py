"""Which pages may talk to a chat. Browsers name the page in `Origin` (RFC 6454) and cannot be made to lie about it."""

from __future__ import annotations

from collections.abc import Collection
from urllib.parse import urlsplit

from aiohttp import hdrs, web

# Answers differ by the page that asked; those that are compressed, by what the browser takes.
VARIES = f"{hdrs.ORIGIN}, {hdrs.ACCEPT_ENCODING}"
ALLOWED_HEADERS = "Authorization, Content-Type, X-Filename"


class Origins:
    """The pages of one channel: those its options name, the inbox's own, and those of the very host that was asked."""

    def __init__(self, origins: Collection[str], public_url: str) -> None:
        """`origins` in lower case and without a slash at the end."""
        own = urlsplit(public_url)
        self._allowed = {*origins, f"{own.scheme}://{own.netloc}".lower()}

    def allows(self, request: web.Request) -> bool:
        """Whether the request's page may; what sends no `Origin` is no page, and may."""
        origin = request.headers.get(hdrs.ORIGIN)
        if origin is None:
            return True
        origin = origin.lower()
        return origin in self._allowed or urlsplit(origin).netloc == request.host.lower()

    @staticmethod
    def cross_origin(request: web.Request) -> dict[str, str]:
        """The headers (Fetch standard, CORS protocol) that let an allowed page read the answer."""
        origin = request.headers.get(hdrs.ORIGIN)
        if origin is None:
            return {hdrs.VARY: VARIES}
        return {
            hdrs.ACCESS_CONTROL_ALLOW_ORIGIN: origin,
            hdrs.ACCESS_CONTROL_ALLOW_METHODS: "GET, POST",
            hdrs.ACCESS_CONTROL_ALLOW_HEADERS: ALLOWED_HEADERS,
            hdrs.ACCESS_CONTROL_MAX_AGE: "600",
            hdrs.VARY: VARIES,
        }
