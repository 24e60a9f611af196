"""What a message of Slack says: by its text, its blocks and its attachments, which often say the same again."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from normalizer.fields import Fields, record, records, text
from normalizer.rich import Growing, Rich, linked, stripped
from normalizer.slack import blocks, mrkdwn

MOST = 100  # blocks, attachments, fields of one that are read: Slack itself allows no more
LONGEST = 40_000  # characters of which it is known what they say: Slack itself allows no longer text
# What Slack writes where a program has left the text out that would stand for its blocks.
_NO_WORDS = ("[no preview available]", "This content can't be displayed.")


def said(message: Fields, names: Mapping[str, str]) -> Rich:
    """All that a message says, each thing once."""
    saying = _Saying(names)
    saying.message(text(message, "text"), records(message, "blocks"))
    for attachment in records(message, "attachments")[:MOST]:
        if is_shared(attachment):  # somebody else's words, whole even where they are the same
            saying.begin_line()
            shared = _Saying(names)
            shared.attachment(attachment)
            saying.append(shared.rich())
        elif not _is_preview(attachment, message):
            saying.attachment(attachment)
    return stripped(saying.rich())


def is_shared(attachment: Fields) -> bool:
    """Whether it is another message, which somebody forwards or quotes by its link."""
    return attachment.get("is_share") is True or attachment.get("is_msg_unfurl") is True


def _is_preview(attachment: Fields, message: Fields) -> bool:
    """Whether it shows what a link in the text leads to. People attach nothing by themselves; programs do."""
    by_person = not text(message, "bot_id") and text(message, "text") != ""
    return by_person or (text(attachment, "from_url") or text(attachment, "original_url")) != ""


class _Saying(Growing):
    """Grows by what is not said yet."""

    def __init__(self, names: Mapping[str, str]) -> None:
        super().__init__()
        self._names = names
        self._words = " "
        self._links: set[str] = set()

    def message(self, content: str, written: list[Fields]) -> None:
        """A text stands for its blocks where these are not shown: it counts where it says more than they do."""
        lines = [blocks.read(block, self._names) for block in written[:MOST]]
        typed = any(
            line.text and text(block, "type") == "rich_text" for block, line in zip(written, lines, strict=False)
        )
        if not typed:
            told = mrkdwn.read(content, self._names)
            beside = _Saying(self._names)
            for line in lines:
                beside.line(line)
            if not beside.says(told):
                self.line(told)
        for line in lines:
            self.line(line)

    def attachment(self, attachment: Fields) -> None:
        """A quote: it has a frame on Slack."""
        self.line(mrkdwn.read(text(attachment, "pretext"), self._names))
        self.begin_line()
        start = self.length
        author, title = text(attachment, "author_name"), text(attachment, "title")
        if author:
            self.line(linked(f"{author}:", text(attachment, "from_url") or text(attachment, "author_link")))
        self.line(linked(title, text(attachment, "title_link")))
        shared = (record(one, "message") for one in records(attachment, "message_blocks"))
        written = [block for holder in (attachment, *shared) for block in records(holder, "blocks")]
        self.message(text(attachment, "text"), written)
        for field in records(attachment, "fields")[:MOST]:
            told = ": ".join(filter(None, (text(field, "title"), text(field, "value"))))
            self.line(mrkdwn.read(told, self._names))
        if self.length == start:
            self.line(mrkdwn.read(text(attachment, "fallback"), self._names))
        self.span(start, "quote")

    def line(self, line: Rich) -> None:
        """Says that, in a line of its own."""
        if line.text in _NO_WORDS or self.says(line):
            return
        self.begin_line()
        self.append(line)
        if len(self._words) < LONGEST:
            self._words = (self._words + _folded(line))[:LONGEST]
        self._links.update(_links(line))

    def says(self, line: Rich) -> bool:
        """Whether it is said already, and leads where it leads."""
        return f" {_folded(line)}" in self._words and self._links.issuperset(_links(line))


def _folded(line: Rich) -> str:
    """Its words, a blank behind each."""
    return "".join(f"{word} " for word in line.text.split())


def _links(line: Rich) -> Iterator[str]:
    return (span.value for span in line.spans if span.kind == "link")
