"""What is new in a mail, and what it repeats: the quote of the mail that it answers, and the signature.

Nothing is lost: each line stands in exactly one of the two. A line is folded only where a mail program surely put it
there; a forwarded mail is what its sender wants to be read, and answers between the lines of a quote stay in sight
together with what they answer. Time is linear: one pass, short lines, and an end to looking for what is not there.

Own rules and no library: quotequail looks at ten patterns a line, knows no Turkish, and folds inline answers away;
mail-parser-reply takes minutes for one long line (measured).
"""

from __future__ import annotations

from msgspec import Struct

from normalizer.mail import phrases

_LONG = 300  # characters of a line, or of a wrapped sentence, that a mail program writes
_MAX_WRAPPED = 4  # lines that such a sentence may be wrapped into
_MAX_CANDIDATES = 500  # lines that only look as if a quote began there
_MAX_SIGNATURE = 12  # lines
_COLONS = (":", "：")  # noqa: RUF001 (the colon of Chinese and Japanese)


class Split(Struct, frozen=True):
    """A text in two: what is shown, and what is folded away (None where nothing is)."""

    text: str
    quoted: str | None = None


def split(text: str, subject: str = "") -> Split:
    """Folds the quote and the signature of a mail; `subject` tells whether it is a forward."""
    lines = text.split("\n")
    start, end = _bounds(lines, forwarded=bool(phrases.FORWARD_SUBJECT.match(subject)))
    hidden = _quote(lines, start) if start < end else set()
    if not hidden and end == len(lines):
        hidden = _trailing_quote(lines)
    hidden |= _signature(lines[:end], hidden)
    shown = [line for number, line in enumerate(lines) if number not in hidden]
    if not hidden or not any(map(str.strip, shown)):
        return Split(text.strip("\n"))
    folded = "\n".join([lines[number] for number in sorted(hidden)]).strip("\n")
    return Split("\n".join(shown).strip("\n"), folded or None)


def _bounds(lines: list[str], *, forwarded: bool) -> tuple[int, int]:
    """The line at which a quote begins, and the one at which a forwarded mail does; whichever comes first counts."""
    candidates = 0
    for number, line in enumerate(lines):
        # Most lines of prose hold none of these, and are done with here.
        if ":" not in line and "--" not in line and ">" not in line and "：" not in line:  # noqa: RUF001
            continue
        if len(line) > _LONG or line.startswith(">>"):
            continue
        if phrases.FORWARDED.match(line):
            return len(lines), number
        begin = _quote_begin(lines, number, blocks=not forwarded)
        if begin is not None:
            return begin, len(lines)
        candidates += 1
        if candidates > _MAX_CANDIDATES:
            break
    return len(lines), len(lines)


def _quote_begin(lines: list[str], number: int, *, blocks: bool) -> int | None:
    """The first line of what a mail program wrote above a quote, if the line `number` belongs to it."""
    line = lines[number]
    if line.rstrip(" \t*").endswith((*_COLONS, ">")) and not line.startswith(">"):
        begin = _attribution(lines, number)
        if begin is not None:
            return begin
    if blocks and (phrases.ORIGINAL.match(line) or _is_header_block(lines, number)):
        before = number - 1
        while before > max(0, number - 3) and not lines[before].strip():
            before -= 1
        begin = before if before > 0 and phrases.RULE.match(lines[before][:_LONG]) else number
        while begin > 0 and _is_marked(lines[begin]) and _is_marked(lines[begin - 1]):
            begin -= 1  # a block that is marked itself stands in a quote that began above it
        return begin
    return None


def _attribution(lines: list[str], last: int) -> int | None:
    """The first line of a sentence such as `On … wrote:` that ends on the line `last`; None where it is none."""
    following = next((line for line in lines[last + 1 : last + 4] if line.strip()), "")
    quote_follows = following.lstrip().startswith(">")
    sentence, first = "", None
    for number in range(last, max(-1, last - _MAX_WRAPPED), -1):
        sentence = f"{lines[number].strip()} {sentence}".strip("* ")
        if not lines[number].strip() or len(sentence) > _LONG:
            break
        if _is_attribution(sentence, quote_follows=quote_follows):
            first = number
            if phrases.WROTE_BEGINS.match(lines[number]):
                break
        elif first is not None:
            break
    return first


def _is_attribution(sentence: str, *, quote_follows: bool) -> bool:
    if sentence.endswith(_COLONS) and phrases.WROTE.search(sentence):
        return quote_follows or "@" in sentence or bool(phrases.TIME.search(sentence))
    if not phrases.ENDS_WITH_ADDRESS.search(sentence):
        return False
    if sentence.endswith(":"):
        return bool(phrases.TIME.search(sentence))
    return quote_follows and bool(phrases.DATE_AND_ADDRESS.match(sentence))


def _is_header_block(lines: list[str], start: int) -> bool:
    """Outlook's way: `From: … Sent: … To: … Subject:` on neighbouring lines, in any order and language."""
    first = _label(lines[start])
    if first not in ("from", "date"):
        return False
    kinds, block, blank = {first}, [lines[start]], 0
    for line in lines[start + 1 : start + 12]:
        blank = 0 if line.strip() else blank + 1
        kind = _label(line)
        if blank > 1 or (kind is None and blank == 0 and len(kinds) > 3):
            break
        if kind is not None:
            kinds.add(kind)
            block.append(line[:_LONG])
    words = " ".join(block)
    return len(kinds) >= 3 or (len(kinds) == 2 and "@" in words and bool(phrases.TIME.search(words)))


def _label(line: str) -> str | None:
    found = phrases.LABEL.match(line[:60])
    return phrases.LABEL_KINDS.get(found[1].lower().strip()) if found else None


def _quote(lines: list[str], start: int) -> set[int]:
    """The lines to fold of a quote that was introduced on the line `start`."""
    marked = [number for number in range(start, len(lines)) if _is_marked(lines[number])]
    if not marked or marked[0] > start + _MAX_WRAPPED + 2:
        return set(range(start, len(lines)))
    answers = [n for n in range(marked[0], len(lines)) if lines[n].strip() and not _is_marked(lines[n])]
    if not answers:
        return set(range(start, len(lines)))
    if marked[-1] < answers[0]:
        return set(range(start, answers[0]))
    # Answers between the lines: without the lines above them they could not be understood.
    return _trailing_quote(lines)


def _trailing_quote(lines: list[str]) -> set[int]:
    first = len(lines)
    while first > 0 and (not lines[first - 1].strip() or _is_marked(lines[first - 1])):
        first -= 1
    found = range(first, len(lines))
    return set(found) if any(lines[number].strip() for number in found) else set()


def _is_marked(line: str) -> bool:
    return line.lstrip().startswith(">")


def _signature(lines: list[str], hidden: set[int]) -> set[int]:
    """The signature at the end of what is visible, if a separator or a phone says that it is one."""
    last = len(lines) - 1
    while last >= 0 and (last in hidden or not lines[last].strip()):
        last -= 1
    for number in range(last, max(-1, last - _MAX_SIGNATURE), -1):
        line = lines[number]
        if number in hidden:
            break
        is_mobile = number >= last - 1 and len(line) <= _LONG and phrases.MOBILE_SIGNATURE.match(line)
        if is_mobile or phrases.SIGNATURE.match(line[:_LONG]):
            return set(range(number, last + 1))
    return set()
