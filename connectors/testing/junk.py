"""Bytes that no platform should send, and that come all the same."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence

from msgspec.structs import replace

from normalizer.outcomes import Raw

LARGE = 1 << 20
DEEP = 100_000


def junk(events: Sequence[Raw], seed: int) -> Iterator[tuple[str, Raw]]:
    """Raw events with bad bodies, each with what is bad about it. The same for the same seed."""
    draw = random.Random(seed)  # noqa: S311 (no secret)
    for like in events[:1]:
        for what, body in _bodies(draw):
            yield what, replace(like, body=body)
    for number, event in enumerate(events):
        size = len(event.body)
        for cut in sorted({draw.randrange(size) for _ in range(8)} if size else ()):
            yield f"event {number} cut after {cut} bytes", replace(event, body=event.body[:cut])
        for _ in range(8 if size else 0):
            place = draw.randrange(size)
            changed = event.body[:place] + bytes([draw.randrange(256)]) + event.body[place + 1 :]
            yield f"event {number} with another byte at {place}", replace(event, body=changed)


def _bodies(draw: random.Random) -> Iterator[tuple[str, bytes]]:
    yield "an empty body", b""
    yield "a NUL", b"\0"
    yield "a body of NULs", b"\0" * 4096
    yield "no UTF-8", b"\xff\xfe\x80"
    yield "1 MiB of random bytes", draw.randbytes(LARGE)
    yield "1 MiB of one line", b"a" * LARGE
    for what in (b"null", b"0", b"1e999", b'""', b"[]", b"{}", b"[null]", b"[{}]", b'{"":null}', b"NaN", b"true"):
        yield f"the JSON {what.decode()}", what
    yield "a deep JSON list", b"[" * DEEP + b"]" * DEEP
    yield "a deep JSON mapping", b'{"a":' * DEEP + b"1" + b"}" * DEEP
    yield "a lone surrogate", rb'{"text":"\ud800","id":"\udfff"}'
    yield "a lone surrogate in UTF-8", b'{"text":"\xed\xa0\x80"}'
    yield "a number of 5,000 digits", b'{"id":' + b"9" * 5000 + b"}"
