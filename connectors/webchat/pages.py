"""The files of the chat widget and of its demo page, read and compressed once.

The one script tag is asked for again after some minutes; all else that it loads lies under a version that changes with
any of it, so that a browser which has it asks no more. Comments and indentation stay here: they are a fifth of it.
"""

from __future__ import annotations

import gzip
import hashlib
import json
import re
from importlib import resources
from importlib.resources.abc import Traversable

from aiohttp import hdrs, web
from msgspec import Struct

KINDS = {".css": "text/css", ".html": "text/html", ".js": "text/javascript"}
PAGES = {"demo": "demo.html", "demo.css": "demo.css", "demo.js": "demo.js"}
START = "widget/main.js"
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'self'"
)
HEADERS = {
    "Content-Security-Policy": POLICY,
    "Cross-Origin-Resource-Policy": "cross-origin",
    "Referrer-Policy": "strict-origin-when-cross-origin",
    "X-Content-Type-Options": "nosniff",
}
SHORTLY = "max-age=300"
FOR_GOOD = "public, max-age=31536000, immutable"
# A file asked for under another version's name: two processes are of two versions while they change over.
NEVER = "no-store"
_GZIP = re.compile(r"\bgzip\b(?!\s*;\s*q=0(?:\.0*)?\s*(?:,|$))", re.IGNORECASE)  # and no weight of nought
# Our own style lets these be found by their places: a comment begins its line, and a cast is written as one.
_LEFT_OUT = re.compile(
    r"^\s*/\*(?:(?!\*/).)*\*/[ ]*\n|^\s*//[^\n]*\n|/\*\* @type (?:(?!\*/).)*\*/ ?|^\s+", re.DOTALL | re.MULTILINE
)


class _File(Struct, frozen=True):
    """A file as it is sent."""

    body: bytes
    compressed: bytes | None
    content_type: str
    etag: str


class Pages:
    """What a browser loads before it speaks the protocol."""

    def __init__(self) -> None:
        """Reads all of it."""
        static = resources.files(__package__) / "static"
        ours = _read(static / "widget", "widget/")
        parts = {name: _lean(body) for name, body in ours.items()} | _read(static / "vendor", "vendor/")
        self.version = hashlib.sha256(repr(sorted(parts.items())).encode()).hexdigest()[:16]
        modules = sorted((name for name in parts if name.endswith(".js")), key=lambda name: (name != START, name))
        widget = (static / "widget.js").read_text("utf-8")
        widget = widget.replace("SANTRAL_VERSION", self.version).replace("SANTRAL_MODULES", json.dumps(modules))
        pages = {tail: (static / name).read_bytes() for tail, name in PAGES.items()}
        self._assets = {name: _file(name, body) for name, body in parts.items()}
        self._pages = {tail: _file(PAGES[tail], body) for tail, body in pages.items()}
        self._pages["widget.js"] = _file("widget.js", _lean(widget.encode()))

    def answer(self, request: web.Request, tail: str) -> web.Response | None:
        """The file at the path `tail`, or None where there is none."""
        if (page := self._pages.get(tail)) is not None:
            return _answer(request, page, SHORTLY)
        root, _, versioned = tail.partition("/")
        version, _, name = versioned.partition("/")
        if root != "assets" or (asset := self._assets.get(name)) is None:
            return None
        return _answer(request, asset, FOR_GOOD if version == self.version else NEVER)


def _answer(request: web.Request, file: _File, caching: str) -> web.Response:
    headers = {**HEADERS, hdrs.CACHE_CONTROL: caching, hdrs.ETAG: file.etag, hdrs.CONTENT_TYPE: file.content_type}
    if file.etag in request.headers.get(hdrs.IF_NONE_MATCH, ""):
        return web.Response(status=304, headers=headers)
    if file.compressed is not None and _GZIP.search(request.headers.get(hdrs.ACCEPT_ENCODING, "")):
        return web.Response(body=file.compressed, headers={**headers, hdrs.CONTENT_ENCODING: "gzip"})
    return web.Response(body=file.body, headers=headers)


def _read(folder: Traversable, prefix: str) -> dict[str, bytes]:
    found: dict[str, bytes] = {}
    for one in folder.iterdir():
        if one.is_dir():
            found |= _read(one, f"{prefix}{one.name}/")
        elif one.name.endswith((".js", ".css")):
            found[prefix + one.name] = one.read_bytes()
    return found


def _lean(body: bytes) -> bytes:
    return _LEFT_OUT.sub("", body.decode()).encode()


def _file(name: str, body: bytes) -> _File:
    compressed = gzip.compress(body, mtime=0)
    return _File(
        body=body,
        compressed=compressed if len(compressed) < len(body) else None,
        content_type=f"{KINDS[name[name.rindex('.') :]]}; charset=utf-8",
        etag=f'"{hashlib.sha256(body).hexdigest()[:32]}"',
    )
