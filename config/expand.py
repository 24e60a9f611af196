"""`${NAME}` and `${file:/run/secrets/x}` inside a text; `$${` stands for a literal `${`."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

_TOKEN = re.compile(r"\$\$\{|\$\{([^{}]*)\}|\$\{")
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_SECRET_LIMIT = 64 * 1024


@dataclass(frozen=True)
class Expansion:
    """What became of a text.

    Attributes:
        text: the text with its references replaced.
        references: the references as they are written in the file.
        secrets: what they stand for, never to be shown.
        faults: (what, todo) of each reference that leads nowhere.
    """

    text: str = field(repr=False)
    references: tuple[str, ...] = ()
    secrets: tuple[str, ...] = field(default=(), repr=False)
    faults: tuple[tuple[str, str], ...] = ()


class _BadReferenceError(Exception):
    def __init__(self, what: str, todo: str) -> None:
        super().__init__(what)
        self.fault = (what, todo)


def expand(text: str, environ: Mapping[str, str], folder: Path) -> Expansion:
    """Replaces the references in `text`; relative paths start at `folder`. It reads files and never raises."""
    references: list[str] = []
    secrets: list[str] = []
    faults: list[tuple[str, str]] = []

    def replace(match: re.Match[str]) -> str:
        if match[0] == "$${":
            return "${"
        references.append(match[0])
        try:
            secrets.append(_look_up(match[1], environ, folder))
        except _BadReferenceError as error:
            faults.append(error.fault)
            return match[0]
        return secrets[-1]

    return Expansion(_TOKEN.sub(replace, text), tuple(references), tuple(secrets), tuple(faults))


def _look_up(name: str | None, environ: Mapping[str, str], folder: Path) -> str:
    if name is not None and name.startswith("file:") and name != "file:":
        return _from_file(name.removeprefix("file:"), folder)
    if name is None or not _NAME.fullmatch(name):
        raise _BadReferenceError("a reference is broken", "write ${NAME} or ${file:/path}, and $${ for a plain ${")
    value = environ.get(name)
    if value is None:
        raise _BadReferenceError(f"the environment variable {name} is not set", "set it, or use ${file:/path}")
    if not value:
        raise _BadReferenceError(f"the environment variable {name} is empty", "give it a value")
    return value


def _from_file(name: str, folder: Path) -> str:
    """The file's text without its last line break, which editors and `echo` leave there."""
    shown = f"the file {name}"
    try:
        path = folder / name
        if not path.is_file():
            state = "is not a regular file" if path.exists() else "does not exist"
            raise _BadReferenceError(f"{shown} {state}", "name a file that holds the value")
        with path.open("rb") as stream:
            content = stream.read(_SECRET_LIMIT + 1)
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else None
        raise _BadReferenceError(f"{shown} cannot be read ({reason or 'bad name'})", "check its permissions") from None
    if len(content) > _SECRET_LIMIT:
        raise _BadReferenceError(f"{shown} is larger than 64 KiB", "name a file that holds the value alone")
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        # Its message would quote the bytes, so it may not even be chained.
        raise _BadReferenceError(f"{shown} is not UTF-8 text", "save it as UTF-8") from None
    text = text.removesuffix("\n").removesuffix("\r")
    if not text:
        raise _BadReferenceError(f"{shown} is empty", "put the value there")
    return text
