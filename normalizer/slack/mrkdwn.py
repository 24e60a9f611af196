"""Slack's markup of texts (https://docs.slack.dev/messaging/formatting-message-text), read and written."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator, Mapping, Sequence

from normalizer.rich import Growing, Kind, Rich, is_link
from normalizer.slack.emoji import replaced

_TOKEN = re.compile(r"<([^<>\n]{1,4000})>")
_SHIELDED = re.compile(r"<([0-9]{1,8})>")  # a token, by its number
_PRE = re.compile(r"```(.+?)```", re.DOTALL)
_CODE = re.compile(r"`([^`\n]+)`")
_LOOKS: tuple[tuple[Kind, re.Pattern[str]], ...] = (
    ("bold", re.compile(r"(?<![\w*])\*(?=\S)([^*\n]*[^*\s])\*(?![\w*])")),
    ("italic", re.compile(r"(?<!\w)_(?=\S)([^_\n]*[^_\s])_(?!\w)")),
    ("strike", re.compile(r"(?<![\w~])~(?=\S)([^~\n]*[^~\s])~(?![\w~])")),
)
_GROUP = re.compile(r"<!subteam\^(\w{1,60})\|@?([^<>|\n]{1,100})>")
_QUOTE = re.compile(r"(?m)^&gt; ?(.*)$")


def read(text: str, names: Mapping[str, str]) -> Rich:
    """What a reader sees of a text of Slack. `names` are those of users and channels, by id."""
    tokens = [_token(found[1], names) for found in _TOKEN.finditer(text)]
    numbers = itertools.count()
    reader = _Reader(tokens)
    reader.pre(_TOKEN.sub(lambda _: f"<{next(numbers)}>", text))
    return reader.rich()


class _Reader(Growing):
    """Reads a text whose tokens are numbers: an address may hold what would be marks elsewhere."""

    def __init__(self, tokens: Sequence[tuple[str, str]]) -> None:
        super().__init__()
        self._tokens = tokens

    def pre(self, text: str) -> None:
        for between, found in _split(_PRE, text):
            self._quotes(between)
            if found:
                self._verbatim(found[1].strip("\n"), "pre")

    def _quotes(self, text: str) -> None:
        for between, found in _split(_QUOTE, text):
            self._code(between)
            if found:
                start = self.length
                self._code(found[1])
                self.span(start, "quote")

    def _code(self, text: str) -> None:
        for between, found in _split(_CODE, text):
            self._looks(between, 0)
            if found:
                self._verbatim(found[1], "code")

    def _verbatim(self, text: str, kind: Kind) -> None:
        """Code: its links and mentions are read, and nothing else."""
        start = self.length
        for between, found in _split(_SHIELDED, text):
            self.add(unescaped(between))
            if found:
                self.add(self._tokens[int(found[1])][0])
        self.span(start, kind)

    def _looks(self, text: str, level: int) -> None:
        """Bold, italic, struck through, each inside the others."""
        if level == len(_LOOKS):
            self._plain(text)
            return
        kind, pattern = _LOOKS[level]
        for between, found in _split(pattern, text):
            self._looks(between, level + 1)
            if found:
                start = self.length
                self._looks(found[1], level + 1)
                self.span(start, kind)

    def _plain(self, text: str) -> None:
        for between, found in _split(_SHIELDED, text):
            self.add(replaced(unescaped(between)))
            if found:
                shown, url = self._tokens[int(found[1])]
                start = self.length
                self.add(shown)
                if url and shown != url:
                    self.span(start, "link", url)


def _split(pattern: re.Pattern[str], text: str) -> Iterator[tuple[str, re.Match[str] | None]]:
    """What stands before each match, and the match; at last what stands behind them all."""
    at = 0
    for found in pattern.finditer(text):
        yield text[at : found.start()], found
        at = found.end()
    yield text[at:], None


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


def groups(text: str) -> dict[str, str]:
    """The names of groups of users, by id: where a text has blocks, these tell the ids alone."""
    return {found[1]: found[2] for found in _GROUP.finditer(text)} if "<!subteam^" in text else {}


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
