"""A program of its own: understands large events, so that the one who asked can go on, and can end it.

It reads frames from its standard input and answers each question on its standard output; a frame is eight bytes of
length and a pickle, or the bytes of the event that the question before it is about, which are never copied into one.
Both ends are ours, and nobody else has them.
"""

from __future__ import annotations

import os
import pickle
import struct
import traceback
from collections.abc import Callable, Mapping
from typing import Any, BinaryIO

from msgspec import Struct
from msgspec.structs import replace

from inbox.ingest.patience import Normalize, TooLongError, outcomes_within
from inbox.logs import in_own_words
from normalizer.outcomes import Outcome, Raw

LENGTH = struct.Struct("!Q")

MakeNormalizers = Callable[[], Mapping[str, Normalize]]


class Question(Struct, frozen=True):
    """What does this event of that channel mean? To be answered within so many seconds. Its body comes after it."""

    channel: str
    raw: Raw
    seconds: float


class Meaning(Struct, frozen=True):
    """It means this."""

    outcomes: tuple[Outcome, ...]


class Failure(Struct, frozen=True):
    """It could not be understood: the traceback, what the log may say of it, and whether only time was lacking."""

    trace: str
    words: str
    late: bool


Answer = Meaning | Failure


def frame(content: object) -> bytes:
    """What to write for `content`."""
    pickled = pickle.dumps(content, pickle.HIGHEST_PROTOCOL)
    return LENGTH.pack(len(pickled)) + pickled


def answer(question: Question, normalizers: Mapping[str, Normalize]) -> Answer:
    """What becomes of the event, whatever its connector does."""
    try:
        normalize = normalizers[question.channel]
        return Meaning(outcomes_within(question.seconds, normalize, question.raw))
    except Exception as error:  # noqa: BLE001 (whatever a plugin does, the event alone fails)
        trace = "".join(traceback.format_exception(error))
        return Failure(trace, in_own_words(error), isinstance(error, TooLongError))


def main() -> None:
    """Answers until its standard input ends. The first frame makes the connectors."""
    source, sink = _private(0, "rb"), _private(1, "wb")
    make: MakeNormalizers | None = _read(source)
    normalizers = make() if make is not None else {}
    while (question := _read(source)) is not None:
        raw = replace(question.raw, body=_read_bytes(source))
        sink.write(frame(answer(replace(question, raw=raw), normalizers)))
        sink.flush()


def _private(number: int, mode: str) -> BinaryIO:
    """A standard stream for us alone: a plugin that prints, or asks, must not be heard by who reads our answers."""
    kept = os.fdopen(os.dup(number), mode)
    instead = os.open(os.devnull, os.O_RDONLY) if number == 0 else os.dup(2)
    os.dup2(instead, number)
    os.close(instead)
    return kept  # type: ignore[return-value]


def _read(source: BinaryIO) -> Any:  # noqa: ANN401 (what the other end has written)
    content = _read_bytes(source)
    return pickle.loads(content) if content else None  # noqa: S301


def _read_bytes(source: BinaryIO) -> bytes:
    """What a frame holds; nothing where the other end has gone."""
    length = source.read(LENGTH.size)
    return source.read(LENGTH.unpack(length)[0]) if len(length) == LENGTH.size else b""
