"""A message as a document of its own, for a frame in a page: nothing runs, and nothing is loaded unasked.

What is stored is harmless already (`normalizer.html`). The policy holds even where that should fail: a sandbox without
scripts and forms, and no address that anything may be loaded from but the message's own files.
"""

from __future__ import annotations

import html
import re
from urllib.parse import quote

from normalizer.schema import Message

_CID = re.compile(r'(?<=\ssrc=")cid:([^"]*)(?=")')
_REMOTE = re.compile(r'\sdata-src="(?=https?:)', re.IGNORECASE)
# The frame's owner measures it, so it keeps its origin; without scripts nothing can use that.
_SANDBOX = "sandbox allow-same-origin allow-popups allow-popups-to-escape-sandbox"
_STYLE = (
    "html{color-scheme:light;background:#fff;color:#1b1b1f}"
    "body{margin:0;padding:2px;font:15px/1.5 system-ui,sans-serif;overflow-wrap:anywhere;overflow-y:hidden}"
    "img,table{max-width:100%}img:not([src]){outline:1px dashed #999;min-width:1em;min-height:1em}"
    "pre{white-space:pre-wrap}blockquote{margin:0 0 0 .5em;padding-left:.8em;border-left:3px solid #ccc}"
)


def framed(message: Message, *, images: bool) -> bytes:
    """The document.

    Args:
        message: shown by its HTML, or by its text where it has none.
        images: pictures that lie elsewhere are loaded, and their senders learn of it.
    """
    files = {one.content_id: one.id for one in message.attachments if one.content_id and one.state == "ready"}

    def address(found: re.Match[str]) -> str:
        id_ = files.get(html.unescape(found[1]))
        return f"/api/v1/attachments/{quote(id_, safe='')}" if id_ else ""

    body = _CID.sub(address, message.html if message.html is not None else f"<pre>{html.escape(message.text)}</pre>")
    if images:
        body = _REMOTE.sub(' src="', body)
    head = f'<meta charset="utf-8"><base target="_blank"><style>{_STYLE}</style>'
    return f"<!doctype html><html><head>{head}</head><body>{body}</body></html>".encode()


def headers(*, images: bool) -> dict[str, str]:
    """What it is sent with."""
    sources = "'self' data: https: http:" if images else "'self' data:"
    return {
        "Content-Type": "text/html; charset=utf-8",
        "Content-Security-Policy": f"{_SANDBOX}; default-src 'none'; img-src {sources}; style-src 'unsafe-inline'; "
        "base-uri 'self'; form-action 'none'; frame-ancestors 'self'",
        "Cross-Origin-Resource-Policy": "same-origin",
        "Referrer-Policy": "no-referrer",
        "X-Content-Type-Options": "nosniff",
        "Cache-Control": "no-store",
    }
