"""Slack's markup of texts (https://docs.slack.dev/messaging/formatting-message-text), read and written."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from normalizer.rich import Kind, Rich, Span, is_link
from normalizer.slack.emoji import replaced

_TOKEN = re.compile(r"<([^<>\n]{1,4000})>")
_PRE = re.compile(r"```(.+?)```", re.DOTALL)
_CODE = re.compile(r"`([^`\n]+)`")
_LOOKS: tuple[tuple[Kind, re.Pattern[str]], ...] = (
    ("bold", re.compile(r"(?<![\w*])\*(?=\S)([^*\n]*[^*\s])\*(?![\w*])")),
    ("italic", re.compile(r"(?<!\w)_(?=\S)([^_\n]*[^_\s])_(?!\w)")),
    ("strike", re.compile(r"(?<![\w~])~(?=\S)([^~\n]*[^~\s])~(?![\w~])")),
)
_QUOTE = re.compile(r"(?m)^&gt; ?(.*)$")


class _Builder:
    """A text that grows, with its spans."""

    def __init__(self) -> None:
        self.text: list[str] = []
        self.length = 0
        self.spans: list[Span] = []

    def add(self, text: str) -> None:
        self.text.append(text)
        self.length += len(text)

    def span(self, start: int, kind: Kind, value: str = "") -> None:
        if self.length > start:
            self.spans.append(Span(start, self.length, kind, value))


def read(text: str, names: Mapping[str, str]) -> Rich:
    """What a reader sees of a text of Slack. `names` are those of users and channels, by id."""
    builder = _Builder()
    _pre(text, builder, names)
    return Rich("".join(builder.text), tuple(builder.spans))


def _pre(text: str, builder: _Builder, names: Mapping[str, str]) -> None:
    at = 0
    for found in _PRE.finditer(text):
        _quotes(text[at : found.start()], builder, names)
        start = builder.length
        builder.add(_plain(found[1].strip("\n"), names))
        builder.span(start, "pre")
        at = found.end()
    _quotes(text[at:], builder, names)


def _quotes(text: str, builder: _Builder, names: Mapping[str, str]) -> None:
    at = 0
    for found in _QUOTE.finditer(text):
        _code(text[at : found.start()], builder, names)
        start = builder.length
        _code(found[1], builder, names)
        builder.span(start, "quote")
        at = found.end()
    _code(text[at:], builder, names)


def _code(text: str, builder: _Builder, names: Mapping[str, str]) -> None:
    at = 0
    for found in _CODE.finditer(text):
        _looks(text[at : found.start()], builder, names, 0)
        start = builder.length
        builder.add(_plain(found[1], names))
        builder.span(start, "code")
        at = found.end()
    _looks(text[at:], builder, names, 0)


def _looks(text: str, builder: _Builder, names: Mapping[str, str], level: int) -> None:
    """Bold, italic, struck through, each inside the others."""
    if level == len(_LOOKS):
        _tokens(text, builder, names)
        return
    kind, pattern = _LOOKS[level]
    at = 0
    for found in pattern.finditer(text):
        _looks(text[at : found.start()], builder, names, level + 1)
        start = builder.length
        _looks(found[1], builder, names, level + 1)
        builder.span(start, kind)
        at = found.end()
    _looks(text[at:], builder, names, level + 1)


def _tokens(text: str, builder: _Builder, names: Mapping[str, str]) -> None:
    at = 0
    for found in _TOKEN.finditer(text):
        builder.add(replaced(unescaped(text[at : found.start()])))
        shown, url = _token(found[1], names)
        start = builder.length
        builder.add(shown)
        if url and shown != url:
            builder.span(start, "link", url)
        at = found.end()
    builder.add(replaced(unescaped(text[at:])))


def _plain(text: str, names: Mapping[str, str]) -> str:
    """The text of code: its links and mentions are read, and nothing else."""
    return unescaped(_TOKEN.sub(lambda found: _token(found[1], names)[0], text))


def _token(inner: str, names: Mapping[str, str]) -> tuple[str, str]:
    """What stands for `<…>`, and where it leads."""
    target, _, label = inner.partition("|")
    label, target = unescaped(label), unescaped(target)
    if target.startswith(("@", "#")):
        return f"{target[0]}{label or names.get(target[1:], target[1:])}", ""
    if target.startswith("!"):
        return _special(target[1:], label), ""
    url = target if is_link(target) else ""
    return label or target.removeprefix("mailto:"), url


def _special(command: str, label: str) -> str:
    """`<!here>`, `<!subteam^S1|@team>`, `<!date^…|fallback>`."""
    return label or f"@{command.partition('^')[0]}"


def unescaped(text: str) -> str:
    """The three characters that Slack writes as entities."""
    return text.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")


def escaped(text: str) -> str:
    """The same, back."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


# How a mention begins, in text and in its blocks, and what it is. Every event is searched, and hardly any has one.
_MENTIONS = tuple(
    (beginning, re.compile(re.escape(beginning) + rest))
    for beginning, rest in (
        (b"<", rb"[@#]([A-Z0-9]{2,30})>"),
        (b'"user_id":', rb'\s*"([A-Z0-9]{2,30})"'),
        (b'"channel_id":', rb'\s*"([A-Z0-9]{2,30})"'),
    )
)


def mentioned(body: bytes) -> Iterator[str]:
    """The ids of users and channels that JSON of Slack mentions without their names."""
    for beginning, mention in _MENTIONS:
        if beginning in body:
            for found in mention.finditer(body):
                yield found[1].decode()
