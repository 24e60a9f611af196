"""Structured logs on standard error: for eyes on a terminal, JSON elsewhere; no secret, and no message's text.

What an exception says may quote what it was given: a mail's text, an address, a token. So a traceback in the log shows
where it was, and of what was said only the words that stand in the code that raised it. The whole text of a failed
event's error is kept with the event, for those who may read it.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
import re
import sys
import traceback
from collections.abc import Iterable, Iterator
from types import TracebackType
from typing import Any, TextIO, cast

import msgspec
import structlog
from structlog.typing import EventDict, Processor, WrappedLogger

SHORTEST_WORD = 3  # characters of a text in the code that is shown
SHORTEST_SECRET = 4  # characters; a shorter one would blot out half the log, and hides nothing
LONGEST_TEXT = 2_000  # characters of an exception's text that are looked at
DEEPEST = 10  # exceptions in a chain that are shown; one may well be its own cause
OMITTED = "…"
HIDDEN = "[secret]"


def configure(secrets: Iterable[str]) -> None:
    """Sets up logging for the process; libraries are heard from warnings upwards.

    Args:
        secrets: what is blotted out wherever it appears, such as in a platform's own words about a bad token.
    """
    terminal = sys.stderr.isatty()
    shared: list[Processor] = [
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        plain_traceback,
    ]
    render = _Renderer(terminal=terminal, secrets=secrets)
    structlog.configure(
        processors=[*shared, render],
        wrapper_class=structlog.make_filtering_bound_logger(logging.INFO),
        logger_factory=structlog.WriteLoggerFactory(cast("TextIO", _Unfailing(sys.stderr))),
        cache_logger_on_first_use=True,
    )
    libraries = logging.StreamHandler(sys.stderr)
    libraries.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=[structlog.stdlib.add_logger_name, *shared],
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, render],
        )
    )
    logging.basicConfig(handlers=[libraries], level=logging.WARNING)
    # aiohttp writes a traceback for each request that is no HTTP, which any stranger can send.
    logging.getLogger("aiohttp.server").setLevel(logging.CRITICAL)
    sys.excepthook = _ended


class _Unfailing:
    """A stream on which a full disk or a closed pipe loses the line, and not the work that the line tells of."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def write(self, text: str) -> None:
        with contextlib.suppress(OSError):
            self._stream.write(text)

    def flush(self) -> None:
        with contextlib.suppress(OSError):
            self._stream.flush()


class _Renderer:
    """Makes a line of an entry, without the secrets."""

    def __init__(self, *, terminal: bool, secrets: Iterable[str]) -> None:
        self._render: Processor = (
            structlog.dev.ConsoleRenderer(exception_formatter=structlog.dev.plain_traceback)
            if terminal
            else structlog.processors.JSONRenderer(_json)
        )
        known = {one for one in secrets if len(one) >= SHORTEST_SECRET}
        written = known | {_json(one)[1:-1] for one in known}  # as JSON writes it
        self._secrets = re.compile("|".join(map(re.escape, sorted(written, key=len, reverse=True)))) if known else None

    def __call__(self, logger: WrappedLogger, name: str, entry: EventDict) -> str:
        line = str(self._render(logger, name, entry))
        return self._secrets.sub(HIDDEN, line) if self._secrets else line


def _json(value: object, **_: object) -> str:
    try:
        return msgspec.json.encode(value, enc_hook=str).decode()
    except UnicodeEncodeError:  # a lone surrogate, such as of a path that is no UTF-8
        return json.dumps(value, default=str)


def unhandled(_: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
    """For `loop.set_exception_handler`: asyncio's own words quote the exception, and the task with its arguments."""
    logger = structlog.get_logger("santral")
    logger.error("unhandled in the loop", reason=context["message"], exc_info=context.get("exception"))


def plain_traceback(_: WrappedLogger, __: str, entry: EventDict) -> EventDict:
    """A structlog processor: renders `exc_info` as text that quotes nothing and shows no locals."""
    error = _error(entry.pop("exc_info", None))
    if error is not None:
        entry["exception"] = "\n".join(_lines(error))
    return entry


def in_own_words(error: BaseException) -> str:
    """What an exception is and says, but for what it was given: `ValueError: nobody can read this: …`."""
    number = getattr(error, "errno", None) or getattr(error, "code", None)
    told = [error.strerror] if isinstance(error, OSError) and error.strerror else [_words(error)]
    told += [f"({number})"] if isinstance(number, int) else []
    said = " ".join(filter(None, told))
    name = type(error).__qualname__
    return f"{name}: {said}" if said else name


def _words(error: BaseException) -> str:
    """The texts of the raising code that stand in the exception's own, with the rest left out."""
    last = _last(error.__traceback__)
    if last is None:
        return ""
    try:
        said = str(error)[:LONGEST_TEXT]
    except Exception:  # noqa: BLE001 (a log must bear whatever a plugin raises)
        return OMITTED
    constants = (one for one in last.tb_frame.f_code.co_consts if isinstance(one, str) and len(one) >= SHORTEST_WORD)
    pattern = "|".join(re.escape(one) for one in sorted(constants, key=len, reverse=True))
    found = list(re.finditer(pattern, said)) if pattern else []
    if not found:
        return OMITTED if said else ""
    pieces, at = [], 0
    for match in found:
        pieces += [OMITTED] if match.start() > at else []
        pieces.append(match[0])
        at = match.end()
    return "".join(pieces) + (OMITTED if at < len(said) else "")


def _last(trace: TracebackType | None) -> TracebackType | None:
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    return trace


def _lines(error: BaseException, depth: int = 1) -> Iterator[str]:
    """Like `traceback.format_exception`, the innermost cause first."""
    cause = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
    if cause is not None and depth < DEEPEST:
        yield from _lines(cause, depth + 1)
        yield "which led to:"
    yield "Traceback (most recent call last):"
    yield "".join(traceback.format_tb(error.__traceback__)).rstrip()
    yield in_own_words(error)
    for part in error.exceptions if isinstance(error, BaseExceptionGroup) else ():
        yield "with in it:"
        yield from _lines(part, DEEPEST)


def _error(exc_info: object) -> BaseException | None:
    match exc_info:
        case BaseException():
            return exc_info
        case (_, BaseException() as error, _):
            return error
        case True:
            return sys.exception()
        case _:
            return None


def _ended(_: type[BaseException], error: BaseException, __: TracebackType | None) -> None:
    """For `sys.excepthook`."""
    sys.stderr.write("\n".join([*_lines(error), ""]))
