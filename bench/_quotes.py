"""Our folding of quotes beside the reply parsers that can be had, on the mails of `tests/fixtures/quotes`.

`python -m bench._quotes PARSER` prints what one of them shows of each mail and what time it takes, as JSON, `Shown`. A
process of its own each, because one long line keeps some of them busy for minutes. They are told the languages of the
mails where they ask for them; ours is told the subject, which none of them asks for.
"""

from __future__ import annotations

import importlib
import subprocess
import sys
import time
from collections.abc import Callable
from statistics import median

import msgspec

from bench._processes import ROOT
from bench._table import Line
from normalizer.mail.quotes import split
from tests import quote_cases
from tests.quote_cases import Case

KINDS = {
    "reply": "replies",
    "forward": "forwards kept",
    "inline": "inline answers kept",
    "signature": "signatures",
    "whole": "kept whole",
}
ROUNDS = 5
LONG_LINE = "On Monday I wrote to you. " * 3100  # a paragraph without a line end, as many programs send it; 80 KB
LONG_SECONDS = 20.0
PARSER_SECONDS = 120.0

Parser = Callable[[str, str], str]


class Shown(msgspec.Struct, frozen=True):
    """What a parser shows of each case, and seconds of CPU a mail."""

    texts: list[str]
    seconds: float


def _ours() -> Parser:
    return lambda text, subject: split(text, subject).text


def _mail_parser_reply() -> Parser:
    parser = importlib.import_module("mailparser_reply").EmailReplyParser(languages=["en", "de", "fr", "es"])

    def shown(text: str, _subject: str) -> str:
        replies = parser.read(text).replies
        return str(replies[0].body) if replies else ""

    return shown


def _email_reply_parser() -> Parser:
    parser = importlib.import_module("email_reply_parser").EmailReplyParser
    return lambda text, _subject: str(parser.parse_reply(text))


def _quotequail() -> Parser:
    quotequail = importlib.import_module("quotequail")

    def shown(text: str, _subject: str) -> str:
        if (quotequail.unwrap(text) or {}).get("type") == "forward":
            return text
        return "\n".join(part for is_new, part in quotequail.quote(text, quote_intro_line=True) if is_new)

    return shown


def _talon() -> Parser:
    quotations = importlib.import_module("talon.quotations")
    signature = importlib.import_module("talon.signature.bruteforce")
    return lambda text, _subject: str(signature.extract_signature(quotations.extract_from_plain(text))[0])


PARSERS: dict[str, Callable[[], Parser]] = {
    "ours": _ours,
    "mail-parser-reply": _mail_parser_reply,
    "email-reply-parser": _email_reply_parser,
    "quotequail": _quotequail,
    "talon": _talon,
}


def lines() -> list[Line]:
    """A line for each parser that is installed; ours is good where no other does better in any column."""
    cases = quote_cases.read()
    found = {name: shown for name in PARSERS if (shown := _shown(name)) is not None}
    right = {name: _right(cases, shown) for name, shown in found.items()}
    best = all(right["ours"][kind] >= other[kind] for other in right.values() for kind in KINDS)
    table = []
    for name in PARSERS:
        if name not in found:
            table.append(Line(f"quotes, {name}", "not installed, or not to be run here"))
            continue
        told = [f"{title} {right[name][kind]}/{_of(cases, kind)}" for kind, title in KINDS.items()]
        told += [f"{found[name].seconds * 1e6:,.0f} µs a mail", f"a line of 80 KB {_long_line(name)}"]
        table.append(Line(f"quotes, {name}", ", ".join(told), good=best if name == "ours" else None))
    return table


def _right(cases: list[Case], shown: Shown) -> dict[str, int]:
    pairs = list(zip(cases, shown.texts, strict=True))
    return {kind: sum(not case.faults(text) for case, text in pairs if case.kind == kind) for kind in KINDS}


def _of(cases: list[Case], kind: str) -> int:
    return sum(case.kind == kind for case in cases)


def _shown(name: str) -> Shown | None:
    command = [sys.executable, "-m", "bench._quotes", name]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, check=False, timeout=PARSER_SECONDS)
    return msgspec.json.decode(done.stdout, type=Shown) if done.returncode == 0 else None


def _long_line(name: str) -> str:
    """The time that it takes, with that of the start."""
    command = [sys.executable, "-m", "bench._quotes", name, "long"]
    try:
        done = subprocess.run(command, cwd=ROOT, capture_output=True, check=True, timeout=LONG_SECONDS)
    except subprocess.TimeoutExpired:
        return f"over {LONG_SECONDS:.0f} s"
    return f"{float(done.stdout) * 1000:,.1f} ms"


def _timed(work: Callable[[], object]) -> float:
    began = time.process_time()
    work()
    return time.process_time() - began


def main(name: str, *, long: bool) -> None:
    """Runs one parser."""
    parser = PARSERS[name]()
    if long:
        print(_timed(lambda: parser(f"Hello,\n{LONG_LINE}\n", "Re: x")))
        return
    cases = quote_cases.read()
    texts = [parser(case.text, case.subject) for case in cases]
    rounds = [_timed(lambda: [parser(case.text, case.subject) for case in cases]) for _ in range(ROUNDS)]
    sys.stdout.buffer.write(msgspec.json.encode(Shown(texts, median(rounds) / len(cases))))


if __name__ == "__main__":
    main(sys.argv[1], long=sys.argv[2:] == ["long"])
