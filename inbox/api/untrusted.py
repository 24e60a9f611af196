"""Headers for bytes that strangers wrote: whatever they are, they must not run in our origin."""

from __future__ import annotations

import re
from urllib.parse import quote

MEDIA_TYPE = re.compile(r"[\w.+-]+/[\w.+-]+", re.ASCII)

# What a browser shows without running anything: no SVG, no HTML, no PDF.
SHOWN = re.compile(r"image/(png|jpeg|gif|webp|avif|bmp)|audio/[\w.+-]+|video/[\w.+-]+", re.ASCII | re.IGNORECASE)
UNNAMED = "file"


def headers(content_type: str, filename: str | None = None) -> dict[str, str]:
    """Headers to send stored bytes with.

    Args:
        content_type: as it was stored; what is no media type becomes `application/octet-stream`.
        filename: how a browser may save it. Without one it is never shown, only saved.
    """
    known = MEDIA_TYPE.match(content_type)
    return {
        "Content-Type": known[0] if known else "application/octet-stream",
        "Content-Disposition": "attachment" if filename is None else _disposition(content_type, filename),
        "Content-Security-Policy": "default-src 'none'; sandbox",
        "Cross-Origin-Resource-Policy": "same-origin",
        "X-Content-Type-Options": "nosniff",
        "Cache-Control": "no-store",
    }


def _disposition(content_type: str, filename: str) -> str:
    """`Content-Disposition` (RFC 6266): a name in ASCII for all, the whole name for those who know RFC 8187."""
    kind = "inline" if SHOWN.fullmatch(content_type) else "attachment"
    plain = re.sub(r"[^ !#$&-\[\]-~]", "_", filename) or UNNAMED
    whole = quote(filename or UNNAMED, safe="", errors="replace")
    return f"{kind}; filename=\"{plain}\"; filename*=UTF-8''{whole}"
