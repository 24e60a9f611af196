"""Santral beside the bare limits of what it is made of, in one run: `python -m bench`, about twelve minutes.

A bare limit is a handler that validates, group-commits to the same kind of `mongod` (journaled, by a majority), and
does nothing else. Both run all the time, each with its database; the loads take turns, each from a process of its own.
"""

from __future__ import annotations

import argparse
import http.client
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median, quantiles

import msgspec

from bench import _fanout, _hooks, _page, _parsing, _processes, _quotes, _reading, _searching, _visitors
from bench._alone import Alone, p50_p95
from bench._failover import fail_over
from bench._load import Load
from bench._mongod import private_mongod
from bench._processes import ROOT, free_port, memory, running
from bench._scale import Scaled, scaled, take_over
from bench._table import Line
from bench._targets import Bare, Santral, bare_servers, santral

CONNECTIONS = 64
READ_CONVERSATIONS = 100_000
SETTLE_SECONDS = 3.0
ALONE = 150
ALONE_SECONDS = 120.0
WARM_SECONDS = 0.5
CONTRACT_SECONDS = 120.0


class Run(msgspec.Struct, frozen=True):
    """Santral under one load: as the client saw it, and when the last message was stored."""

    load: Load
    stored_at: float
    cpu: float

    @property
    def stored_rate(self) -> float:
        """Messages a second, from the first byte to an empty backlog."""
        return self.load.count / (self.stored_at - self.load.began)


class Bench:
    """Both targets, and the loads on them."""

    def __init__(self, folder: Path, bare: Bare, ours: Santral, seconds: float, rounds: int) -> None:
        self._folder = folder
        self._bare = bare
        self._ours = ours
        self._seconds = seconds
        self._rounds = rounds
        self._loads = 0

    def chat(self) -> list[Line]:
        """Chat messages acknowledged and stored, beside the bare chats.

        The limit is a request a message, which is what any web handler that keeps its promise can do. Frames spare both
        sides HTTP's parsing, so the other bare chat is the stricter measure: shown, with no minimum of its own.
        """
        http, websocket, ours = self._interleaved(
            lambda s: self._limit("http", self._bare.http_port, "chats", s),
            lambda s: self._limit("websocket", self._bare.http_port, "chats", s),
            lambda s: self._santral("santral", self._ours.http_port, "site", s),
        )
        return [
            _limit_line("bare chat over HTTP, group commit", http),
            _limit_line("bare chat over WebSocket, group commit", websocket),
            *_ours_lines("chat messages", "bare HTTP", ours, http, acknowledged=0.5, stored=0.2),
            *_ours_lines("  the same", "bare WebSocket", ours, websocket),
        ]

    def mail(self) -> list[Line]:
        """Mails acknowledged and stored, beside bare aiosmtpd."""
        bare, ours = self._interleaved(
            lambda s: self._limit("smtp", self._bare.smtp_port, "mails", s),
            lambda s: self._santral("smtp", self._ours.smtp_port, "mail", s),
        )
        return [
            _limit_line("bare aiosmtpd, group commit", bare),
            *_ours_lines("mails of 4 KB", "bare aiosmtpd", ours, bare, acknowledged=0.7, stored=0.3),
        ]

    def hooks(self) -> list[Line]:
        """Telegram's and Slack's hooks beside bare ones, a thousand chats at once, a large file."""
        with _hooks.target(self._folder / "hooks") as ours:
            bench = Bench(self._folder, self._bare, ours, self._seconds, self._rounds)
            bare_telegram, telegram, bare_slack, slack = bench._interleaved(
                lambda s: bench._limit("bare-telegram", self._bare.http_port, "hooks", s),
                lambda s: bench._santral("telegram", ours.http_port, "tg", s),
                lambda s: bench._limit("bare-slack", self._bare.http_port, "hooks", s),
                lambda s: bench._santral("slack", ours.http_port, "slack", s),
            )
            return [
                _limit_line("bare hook, updates of Telegram, group commit", bare_telegram),
                *_ours_lines("updates of Telegram", "bare hook", telegram, bare_telegram, acknowledged=0.5),
                _limit_line("bare hook, events of Slack, group commit", bare_slack),
                *_ours_lines("events of Slack", "bare hook", slack, bare_slack, acknowledged=0.5),
                _hooks.thousand_chats(ours, 900, self._seconds),
                *_hooks.large_file(ours, 901),
            ]

    def alone(self) -> list[Line]:
        """One message alone, from the customer's socket to the agent's stream."""
        ports = (str(self._ours.http_port), str(self._ours.smtp_port))
        command = [sys.executable, "-m", "bench._alone", *ports, self._ours.token, str(ALONE)]
        done = subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE, check=True, timeout=ALONE_SECONDS)
        times = msgspec.json.decode(done.stdout, type=Alone)
        lines = []
        for what, found in (("a chat message alone, to the agent's stream", times.chat), ("a mail alone", times.mail)):
            p50, p95 = p50_p95(found)
            lines.append(Line(what, f"p50 {p50:.1f} ms, p95 {p95:.1f} ms (at most 25)", good=p95 < 25))
        return lines

    def processes(self) -> list[Line]:
        """Messages a CPU-second of one process and of four on one database, and how soon what died is replaced."""
        found: dict[int, list[Scaled]] = {1: [], 4: []}
        lines = []
        with private_mongod() as mongod:
            for number in range(self._rounds):
                for count in found if number % 2 == 0 else reversed(found):
                    name = f"scale{number}x{count}"
                    found[count].append(scaled(self._folder, mongod, name, count, self._seconds))
            share = median(
                four.per_cpu_second / one.per_cpu_second for one, four in zip(found[1], found[4], strict=True)
            )
            for count, runs in found.items():
                each = median(run.cpu / run.messages for run in runs) * 1e6
                theirs = median(run.mongod_cpu / run.messages for run in runs) * 1e6
                rate = median(run.messages / run.seconds for run in runs)
                told = f"{rate:,.0f}/s stored, {each:.0f} µs of CPU each (and {theirs:.0f} of mongod's)"
                lines.append(Line(f"chat messages, processes: {count}", told))
            told = f"{median(run.per_cpu_second for run in found[4]):,.0f} a CPU-second"
            lines.append(Line("four processes / one, messages a CPU-second", told, share, 0.85, share >= 0.85))
            seconds = take_over(self._folder, mongod, "takeover")
        lines.append(Line("a dead process's work is taken over", f"{seconds:.1f} s (under 10)", good=seconds < 10))
        waited = f"{fail_over(self._folder):.1f} s (MongoDB calls an election when the primary is silent for 10)"
        lines.append(Line("a dead primary's set acknowledges again", waited))
        return lines

    def contract(self) -> list[Line]:
        """Events kept through a connector and its context, beside those handed to ingest directly."""
        with private_mongod() as mongod:
            url = mongod.url.replace("/?", "/contract?", 1)
            command = [sys.executable, "-m", "bench._contract", url, str(self._seconds), str(self._rounds)]
            done = subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE, check=True, timeout=CONTRACT_SECONDS)
        share = median(msgspec.json.decode(done.stdout, type=list[float]))
        return [Line("events kept by a connector / by ingest directly", "", share, 0.95, share >= 0.95)]

    def reading(self) -> list[Line]:
        """What agents read, with 100,000 conversations and a million messages, and with three times as many."""
        lines = []
        first: dict[str, float] = {}
        port = free_port()
        database = self._ours.database["santral"]
        with running("-m", "bench._answer", str(port), says="ready", log=self._folder / "answer.log"):
            for begin, end in ((0, READ_CONVERSATIONS), (READ_CONVERSATIONS, 3 * READ_CONVERSATIONS)):
                _reading.fill(database, begin, end)
                santral = http.client.HTTPConnection("127.0.0.1", self._ours.http_port)
                bare = http.client.HTTPConnection("127.0.0.1", port)
                for read in _reading.measured(database, santral, bare, self._ours.token):
                    what = f"{read.name}, {end // 1000},000 conversations / bare sum"
                    told = f"p99 {read.call:.1f} ms ({read.query:.1f} + {read.answer:.1f}); at most 2.5"
                    lines.append(Line(what, told, read.share, good=read.share <= 2.5))
                    if read.name in first:
                        growth = read.call / first[read.name]
                        lines.append(Line("  beside a third of them", "at most 1.3", growth, good=growth <= 1.3))
                    first.setdefault(read.name, read.call)
        return lines

    def page(self) -> list[Line]:
        """The agents' page with 100,000 conversations, in a browser."""
        return _page.lines(self._ours, READ_CONVERSATIONS)

    def search(self) -> list[Line]:
        """What is found among 100,000 conversations with a million messages."""
        return _searching.lines(self._ours, self._folder, READ_CONVERSATIONS)

    def fanout(self) -> list[Line]:
        """200 agents with a stream each, at about 100 events a second; and what a stream costs when nothing happens."""
        url = f"http://127.0.0.1:{self._ours.http_port}"
        command = [sys.executable, "-m", "bench._fanout", url, self._ours.token, "200", "50", "10"]
        done = subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE, check=True, timeout=CONTRACT_SECONDS)
        found = msgspec.json.decode(done.stdout, type=_fanout.Fanned)
        p99 = quantiles(found.lags, n=100)[98]
        told = f"p99 {p99:.1f} ms at {found.events:.0f} events a second, {found.frames:,} frames (at most 50)"
        return [Line("an event to 200 agents' streams", told, good=p99 <= 50), self._idle()]

    def visitors(self) -> list[Line]:
        """10,000 idle visitors of the web chat and 1,000 who talk; and its widget in a browser."""
        return _visitors.lines(self._ours, self._bare_socket())

    def _bare_socket(self) -> float:
        """KiB of a bare WebSocket on which nothing happens."""
        port = free_port()
        with running("-m", "bench._answer", str(port), says="ready", log=self._folder / "sockets.log") as (bare, _):
            return self._held(bare.pid, port, "/ws")

    def _idle(self) -> Line:
        """What an agent's stream takes while nothing happens, beside a bare WebSocket."""
        ours = self._held(self._ours.pid, self._ours.http_port, "/api/v1/stream")
        theirs = self._bare_socket()
        share = ours / theirs
        told = f"{ours:.1f} KiB beside {theirs:.1f} (at most 2)"
        return Line("an idle stream / a bare aiohttp WebSocket", told, share, good=share <= 2)

    def _held(self, pid: int, port: int, path: str) -> float:
        """KiB of a process for each of a thousand sockets; a hundred before them pay for what is needed once."""
        command = ("-m", "bench._idle", "127.0.0.1", str(port), path, self._ours.token)
        log = self._folder / f"idle{port}.log"
        with running(*command, "100", says="ready", log=log):
            before = memory(pid).proportional
            with running(*command, "1000", says="ready", log=log):
                return (memory(pid).proportional - before) * 1024 / 1000

    def parsing(self) -> list[Line]:
        """From a mail's bytes to a finished message: CPU, memory, and how late the event loop answers meanwhile."""
        return _parsing.lines(self._ours, self._folder)

    def quotes(self) -> list[Line]:
        """Our folding of quotes beside the reply parsers that can be had."""
        return _quotes.lines()

    def memory(self) -> list[Line]:
        """Memory of both processes when nothing happens."""
        time.sleep(SETTLE_SECONDS)
        return [
            _memory_line("Santral idle", self._ours.pid, most=120),
            _memory_line("mongod idle", self._ours.mongod, most=160),
        ]

    def _interleaved(self, *runs: Callable[[float], Run]) -> list[list[Run]]:
        """Each run in each round, every other round in reverse order, after a warm-up that does not count."""
        found: list[list[Run]] = [[] for _ in runs]
        for run in runs:
            run(WARM_SECONDS)
        for number in range(self._rounds):
            for index in range(len(runs)) if number % 2 == 0 else reversed(range(len(runs))):
                found[index].append(runs[index](self._seconds))
        return found

    def _load(self, kind: str, port: int, seconds: float) -> Load:
        self._loads += 1
        return _processes.load(kind, [port], f"r{self._loads}", connections=CONNECTIONS, seconds=seconds)

    def _limit(self, kind: str, port: int, collection: str, seconds: float) -> Run:
        cpu = _processes.cpu_seconds(self._bare.pid)
        load = self._load(kind, port, seconds)
        cpu = _processes.cpu_seconds(self._bare.pid) - cpu
        self._bare.check(load, collection)
        return Run(load, load.ended, cpu)

    def _santral(self, kind: str, port: int, channel: str, seconds: float) -> Run:
        before, cpu = self._ours.stored, _processes.cpu_seconds(self._ours.pid)
        load = self._load(kind, port, seconds)
        stored_at = self._ours.stored_at(before + load.count)
        cpu = _processes.cpu_seconds(self._ours.pid) - cpu
        self._ours.check(load, channel)
        return Run(load, stored_at, cpu)


def _ours_lines(
    what: str,
    limit: str,
    ours: list[Run],
    bare: list[Run],
    *,
    acknowledged: float | None = None,
    stored: float | None = None,
) -> list[Line]:
    lines = []
    rates = [run.load.rate for run in ours], [run.stored_rate for run in ours]
    for verb, found, least in (("acknowledged", rates[0], acknowledged), ("stored, backlog empty", rates[1], stored)):
        share = median(rate / other.load.rate for rate, other in zip(found, bare, strict=True))
        told = f"{median(found):,.0f}/s" + _clients(ours) * (verb == "acknowledged")
        lines.append(Line(f"{what}, {verb} / {limit}", told, share, least, None if least is None else share >= least))
    return lines


def _limit_line(what: str, runs: list[Run]) -> Line:
    return Line(what, f"{median(run.load.rate for run in runs):,.0f}/s{_clients(runs)}")


def _clients(runs: list[Run]) -> str:
    busy = median(run.load.busy for run in runs)
    cost = median(run.cpu / run.load.count for run in runs)
    return f" (server {cost * 1e6:.0f} µs CPU each; client {busy:.0%} of a core)"


def _memory_line(what: str, pid: int, *, most: int) -> Line:
    found = memory(pid)
    told = f"{found.resident:.0f} MB resident, {found.proportional:.0f} proportional (under {most})"
    return Line(what, told, good=found.resident < most)


NAMES: tuple[str, ...] = (
    "memory",
    "alone",
    "chat",
    "mail",
    "hooks",
    "contract",
    "processes",
    "fanout",
    "reading",
    "page",
    "search",
    "visitors",
    "parsing",
    "quotes",
)


def main() -> None:
    """Runs the benchmarks and prints the table."""
    arguments = argparse.ArgumentParser(prog="python -m bench", description=(__doc__ or "").partition("\n")[0])
    arguments.add_argument("--only", choices=NAMES, help="one of the benchmarks")
    arguments.add_argument("--seconds", type=float, default=3.0, help="length of one load")
    arguments.add_argument("--rounds", type=int, default=3, help="how often each load runs")
    options = arguments.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    with tempfile.TemporaryDirectory(prefix="bench-", ignore_cleanup_errors=True) as name:
        folder = Path(name)
        with bare_servers(folder) as bare, santral(folder) as ours:
            bench = Bench(folder, bare, ours, options.seconds, options.rounds)
            for benchmark in [options.only] if options.only else NAMES:
                for line in getattr(bench, benchmark)():
                    line.show()


if __name__ == "__main__":
    main()
