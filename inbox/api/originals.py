"""What platforms sent, as it is handed out: byte for byte, and never to be shown by a browser."""

from __future__ import annotations

from aiohttp import web

from inbox.api import untrusted
from inbox.api.problems import ProblemError
from inbox.api.routing import AnyCall
from inbox.store import JournalEntry


async def original_of(call: AnyCall, entry: JournalEntry) -> web.Response:
    """The bytes of a journal entry, as a download.

    Raises:
        ProblemError: 404, they are not kept any more.
    """
    try:
        body = await call.store.journal.body(entry)
    except LookupError as error:
        raise ProblemError("no-original", "the original is not kept any more") from error
    return web.Response(body=body, headers=untrusted.headers(entry.content_type))
