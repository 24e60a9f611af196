"""Hooks of Telegram and Slack: how many a second, a thousand chats at once, and a large file on its way."""

from __future__ import annotations

import http.client
import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from statistics import quantiles

from bench import _processes
from bench._hook_wire import SLACK_SECRET, TELEGRAM_SECRET, place, telegram_update
from bench._load import Load
from bench._platforms import LARGE_FILE
from bench._processes import memory, running
from bench._table import Line
from bench._targets import Santral, santral
from connectors.testing.bot_api import TOKEN
from connectors.testing.slack_server import BOT_TOKEN

CHATS = 1000
FILE_SECONDS = 60.0
PAUSE_SECONDS = 0.01
MOST_MEMORY = 8.0  # MB: a piece on its way in, one on its way to the database, and what the driver writes at once

CHANNELS = """
  - {{id: tg, connector: telegram, token: "{token}", mode: hook, secret_token: {secret}, api_url: "{telegram}"}}
  - {{id: slack, connector: slack, bot_token: {bot_token}, signing_secret: {signing}, api_url: "{slack}"}}
"""


@contextmanager
def target(folder: Path) -> Iterator[Santral]:
    """A Santral with both channels, beside both platforms, while the block lasts."""
    folder.mkdir()
    with running("-m", "bench._platforms", says="ready", log=folder / "platforms.log") as (_, line):
        _, telegram, slack = line.split()
        secrets = {"token": TOKEN, "secret": TELEGRAM_SECRET, "bot_token": BOT_TOKEN, "signing": SLACK_SECRET}
        with santral(folder, CHANNELS.format(**secrets, telegram=telegram, slack=slack)) as ours:
            yield ours


def thousand_chats(ours: Santral, number: int, seconds: float) -> Line:
    """A thousand chats that write at once: each stands in its own order, and nothing is lost or doubled."""
    before = ours.stored
    load = _processes.load("telegram", [ours.http_port], f"r{number}", connections=CHATS, seconds=seconds)
    ours.stored_at(before + load.count)
    disordered = _disordered(ours, load)
    told = f"{load.count:,} messages of {CHATS:,} chats, {disordered} out of order"
    return Line("a thousand chats at once stay in order each", told, good=disordered == 0)


def _disordered(ours: Santral, load: Load) -> int:
    """How many messages stand before an earlier one of their chat.

    Raises:
        AssertionError: one is lost or doubled.
    """
    wanted = {f"{chat}/{number}" for chat, number in map(place, load.names())}
    found = ours.database["santral"]["messages"].find({"channel": "tg", "external.id": {"$in": list(wanted)}})
    last: dict[str, int] = {}
    out = count = 0
    for row in found.sort([("conversation_id", 1), ("seq", 1)]):
        number = int(row["external"]["id"].partition("/")[2])
        out += number < last.get(row["conversation_id"], 0)
        last[row["conversation_id"]] = number
        count += 1
    assert count == len(wanted), f"tg: {count} of {len(wanted)} messages stand: lost or doubled"
    return out


def large_file(ours: Santral, load: int) -> list[Line]:
    """A file of 20 MB that Santral fetches: what it holds of it, and how long others wait meanwhile."""
    quiet = [_posted(ours, f"r{load}-1-{number}") for number in range(100)]
    update = json.loads(telegram_update(f"r{load}-2-0"))
    del update["message"]["text"]
    update["message"]["document"] = {
        "file_id": "large", "file_unique_id": f"large-{load}", "file_name": "film.mp4", "file_size": LARGE_FILE,
    }  # fmt: skip
    before = memory(ours.pid).proportional
    _post(ours, json.dumps(update).encode())
    done = threading.Event()
    waits: list[float] = []
    peak = before
    deadline = time.monotonic() + FILE_SECONDS
    number = 0
    while not done.is_set() and time.monotonic() < deadline:
        waits.append(_posted(ours, f"r{load}-3-{number}"))
        peak = max(peak, memory(ours.pid).proportional)
        number += 1
        if number % 5 == 0 and _is_there(ours):
            done.set()
        time.sleep(PAUSE_SECONDS)
    if not done.is_set():
        raise TimeoutError("the large file was never fetched")
    longest, usual = max(waits) * 1000, quantiles(quiet, n=100)[98] * 1000
    told = f"{len(waits)} meanwhile, the longest {longest:.1f} ms (p99 {usual:.1f} with none; at most 50 more)"
    return [
        Line("a message acknowledged beside a 20 MB file in flight", told, good=longest - usual < 50),
        Line(
            "  what it holds of the file",
            f"{peak - before:.1f} MB (at most {MOST_MEMORY:g})",
            good=peak - before <= MOST_MEMORY,
        ),
    ]


def _is_there(ours: Santral) -> bool:
    found = {"attachments.filename": "film.mp4", "attachments.state": "ready"}
    return ours.database["santral"]["messages"].count_documents(found) > 0


def _posted(ours: Santral, name: str) -> float:
    """Seconds until a message is acknowledged."""
    body, began = telegram_update(name), time.monotonic()
    _post(ours, body)
    return time.monotonic() - began


def _post(ours: Santral, body: bytes) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", ours.http_port)
    headers = {"Content-Type": "application/json", "X-Telegram-Bot-Api-Secret-Token": TELEGRAM_SECRET}
    connection.request("POST", "/hooks/tg", body, headers)
    answer = connection.getresponse()
    assert answer.status == 200, answer.read()
    connection.close()
