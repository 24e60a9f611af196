"""What a message of Slack says: by its text, its blocks and its attachments, which often say the same again."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from normalizer.fields import Fields, record, records, text
from normalizer.rich import Growing, Rich, linked, stripped
from normalizer.schema import Part
from normalizer.slack import blocks, mrkdwn
from normalizer.text import one_line, shorten

MOST = 100  # blocks, attachments, fields of one that are read: Slack itself allows no more
LONGEST = 40_000  # characters of which it is known what they say: Slack itself allows no longer text
# What Slack writes where a program has left the text out that would stand for its blocks.
_NO_WORDS = ("[no preview available]", "This content can't be displayed.")


def said(message: Fields, names: Mapping[str, str]) -> Rich:
    """All that a message says: what stands there once more in another form, once."""
    saying = _Saying({**mrkdwn.groups(text(message, "text")), **names})
    above = _Said(saying.message(text(message, "text"), records(message, "blocks")))
    for attachment in records(message, "attachments")[:MOST]:
        if is_shared(attachment):  # somebody else's words, whole even where they are the same
            saying.attachment(attachment, _Said(()))
        elif not _is_preview(attachment, message):
            saying.attachment(attachment, above)
    return stripped(saying.rich())


def unshown(message: Fields) -> list[Part]:
    """A placeholder for each kind of block that is not known yet."""
    attached = records(message, "attachments")[:MOST]
    holders = (message, *(one for one in attached if is_shared(one) or not _is_preview(one, message)))
    kinds = {text(block, "type") for holder in holders for block in records(holder, "blocks")[:MOST]}
    return [
        Part(type="unknown", text=f"A part that this version cannot show ({shorten(one_line(kind), 100)})")
        for kind in sorted(kinds - blocks.KNOWN - {""})
    ]


def is_shared(attachment: Fields) -> bool:
    """Whether it is another message, which somebody forwards or quotes by its link."""
    return attachment.get("is_share") is True or attachment.get("is_msg_unfurl") is True


def _is_preview(attachment: Fields, message: Fields) -> bool:
    """Whether it shows what a link in the text leads to. Programs attach things; people tables alone."""
    by_person = not text(message, "bot_id") and text(message, "text") != "" and not records(attachment, "blocks")
    return by_person or (text(attachment, "from_url") or text(attachment, "original_url")) != ""


class _Said:
    """What was said, to know it where it comes again."""

    def __init__(self, lines: Sequence[Rich]) -> None:
        folded = [_folded(Rich(part)) for line in lines for part in line.text.split("\n")]
        self._lines = set(folded)
        self._words = " " + "".join(folded)[:LONGEST]
        self._links = {link for line in lines for link in _links(line)}

    def holds(self, line: Rich) -> bool:
        """Whether these words stand there, one behind the other, and lead where they led."""
        return f" {_folded(line)}" in self._words and self._links.issuperset(_links(line))

    def has(self, line: Rich) -> bool:
        """Whether that stood there in lines of its own."""
        folded = {_folded(Rich(part)) for part in line.text.split("\n")}
        return folded <= self._lines and self._links.issuperset(_links(line))


class _Saying(Growing):
    """Grows by what a message and its attachments say."""

    def __init__(self, names: Mapping[str, str]) -> None:
        super().__init__()
        self._names = names

    def message(self, content: str, written: list[Fields], above: _Said | None = None) -> list[Rich]:
        """A text stands for its blocks where these are not shown: it counts where it says more than they do.

        Args:
            content: the text.
            written: the blocks.
            above: what has been said; a text that is part of it says nothing.

        Returns:
            What it says, line by line.
        """
        lines = [blocks.read(block, self._names) for block in written[:MOST]]
        typed = any(
            line.text and text(block, "type") == "rich_text" for block, line in zip(written, lines, strict=False)
        )
        told = mrkdwn.read("" if typed else content, self._names)
        if not _Said(lines).holds(told) and not (above and above.has(told)):
            shown = _Said((told,))
            lines = [told, *(line for line in lines if not shown.holds(line))]
        for line in lines:
            self.line(line)
        return lines

    def attachment(self, attachment: Fields, above: _Said) -> None:
        """A quote: it has a frame on Slack. Programs repeat what stands above."""
        pretext = mrkdwn.read(text(attachment, "pretext"), self._names)
        if not above.has(pretext):
            self.line(pretext)
        self.begin_line()
        start = self.length
        author = text(attachment, "author_name")
        if author:
            self.line(linked(f"{author}:", text(attachment, "from_url") or text(attachment, "author_link")))
        title = linked(text(attachment, "title"), text(attachment, "title_link"))
        if not above.has(title):
            self.line(title)
        shared = (record(one, "message") for one in records(attachment, "message_blocks"))
        written = [block for holder in (attachment, *shared) for block in records(holder, "blocks")]
        self.message(text(attachment, "text"), written, above)
        for field in records(attachment, "fields")[:MOST]:
            told = ": ".join(filter(None, (text(field, "title"), text(field, "value"))))
            self.line(mrkdwn.read(told, self._names))
        fallback = mrkdwn.read(text(attachment, "fallback"), self._names)
        if self.length == start and not above.has(fallback):
            self.line(fallback)
        self.span(start, "quote")

    def line(self, line: Rich) -> None:
        """Says that, in a line of its own."""
        if line.text.strip() and line.text not in _NO_WORDS:
            self.begin_line()
            self.append(line)


def _folded(line: Rich) -> str:
    """Its words, a blank behind each."""
    return "".join(f"{word} " for word in line.text.split())


def _links(line: Rich) -> Iterator[str]:
    return (span.value for span in line.spans if span.kind == "link")
