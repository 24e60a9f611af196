"""`load` and `find_file`: from a path to a `Config`."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from config.model import Config
from config.problem import ConfigError, Problem
from config.read import Document, read
from config.source import CHANNEL_KEYS, Source

ChannelCheck = Callable[[Source, int, str, Mapping[str, Any]], Sequence[Problem]]
"""Validates one channel's options: gets the file, the channel's position, its connector's name and its options."""

_DEFAULT = Path(__file__).with_name("default.yaml")
_FILE_NAME = "santral.yaml"
_LATER = ("bots", "rules", "faq")


def find_file(folder: Path) -> Path | None:
    """The `santral.yaml` in a folder, or None. A broken link counts, so that `load` can say so."""
    path = folder / _FILE_NAME
    return path if os.path.lexists(path) else None


def load(path: Path | None, *, environ: Mapping[str, str] = os.environ, check: ChannelCheck | None = None) -> Config:
    """Reads a configuration; the built-in default where `path` is None.

    Texts may hold `${NAME}` and `${file:/run/secrets/x}`, relative to the file's folder. `storage.data_dir` is
    relative to that folder too; the built-in default keeps it in the current one.

    A connector declares a secret as text or, while it changes, a list (new, old): both stand in `options` as they
    are in the file, and its model makes a tuple of either.

    Args:
        path: the YAML file.
        environ: where `${NAME}` is looked up.
        check: validates each channel's options, so that their mistakes are reported together with all others, also
            where something else in the file is wrong.

    Raises:
        ConfigError: with every mistake at once.
    """
    folder = (path.parent if path else Path()).absolute()
    document = read(path or _DEFAULT, environ, folder)
    source = Source(document)
    problems = [*document.problems, *_unavailable(document, source), *_repeated_ids(document, source)]
    if check:
        problems += _check_channels(document, source, check)
    config: Config | None = None
    try:
        config = Config.model_validate({key: value for key, value in document.data.items() if key not in _LATER})
    except ValidationError as error:
        problems += source.problems(error, (), Config)
    if problems or config is None:
        # Outside the `except` above: pydantic's error holds the values and must not be chained.
        raise ConfigError(problems)
    return _complete(config, source, folder)


def _complete(config: Config, source: Source, folder: Path) -> Config:
    inbox = config.inbox.model_copy(update={"public_url": config.inbox.public_url or config.server.url})
    storage = config.storage.model_copy(update={"data_dir": folder / config.storage.data_dir})
    complete = config.model_copy(update={"inbox": inbox, "storage": storage})
    complete._source = source  # noqa: SLF001 - a private attribute keeps it out of the file's keys
    return complete


def _unavailable(document: Document, source: Source) -> Iterator[Problem]:
    for key in _LATER:
        if key in document.data:
            yield source.problem((key,), "not available in this version", "remove it")


def _channels(document: Document) -> Iterator[tuple[int, dict[str, Any]]]:
    channels = document.data.get("channels")
    for index, channel in enumerate(channels if isinstance(channels, list) else ()):
        if isinstance(channel, dict):
            yield index, channel


def _repeated_ids(document: Document, source: Source) -> Iterator[Problem]:
    first: dict[str, int] = {}
    for index, channel in _channels(document):
        name = channel.get("id")
        if isinstance(name, str) and first.setdefault(name, index) != index:
            earlier = first[name]
            line = source.line(("channels", earlier, "id"))
            what = f"the same id as channels[{earlier}] on line {line}"
            yield source.problem(("channels", index, "id"), what, "give each channel its own")


def _check_channels(document: Document, source: Source, check: ChannelCheck) -> Iterator[Problem]:
    for index, channel in _channels(document):
        connector = channel.get("connector")
        if isinstance(connector, str):
            options = {key: value for key, value in channel.items() if key not in CHANNEL_KEYS}
            yield from check(source, index, connector, options)
