"""The batched apply, measured before the store is written around it: `python -m bench.apply_batches`, about 80 s.

Seen on 2 cores that other work shared, MongoDB 6.0.5; two runs of three interleaved rounds; ratios under 1.2 are equal.

- Batches: 4 processes apply 85 to 91 messages/s one a transaction, 10 times that in batches of 16, 26 to 28 times
  (2,200 to 2,500/s) of 64, 38 to 48 times (3,600 to 4,400/s) of 256. One process alone: 2,700 to 3,100/s of 64.
- The global order is free: 0.95 to 1.20 of the speed without the counter, whose conflicts come only after the lookups
  and waste more. The hot conversation is not the worst case: 1.2 times the spread load, since it inserts less.
- Waiting for the counter in a plain update, which blocks in the server: 1.0 to 1.3 retries a batch. Sleeping 1 to 4 ms:
  11 retries, 1.3 to 2 times the CPU, 0.63 to 0.87 of the speed. `with_transaction`: 0.7 of it, p95 over 520 ms.
- Several batches at once in one process gain nothing: 0.75 to 0.94 of one after the other.
- A batch of 64 takes 22 to 25 ms in 13 roundtrips: commit 3.0 to 3.7, journal, events and conversation updates 2.5 to
  3.1 each, messages 2.2, each lookup 1.0. A message alone takes 9 to 10 ms (p95 12 to 14), mostly roundtrips.
- Beware: a process killed inside its transaction blocks the counter, hence everybody, for the server's
  `transactionLifetimeLimitSeconds` (60). `killSessions` frees it in 3 ms; `endSessions` does not.
"""

from __future__ import annotations

import argparse
import asyncio
import multiprocessing
import signal
import sys
import time
from datetime import UTC, datetime
from multiprocessing.connection import Connection
from statistics import median, quantiles
from typing import Any

import uvloop
from pymongo import AsyncMongoClient, IndexModel, MongoClient

from bench._apply import KNOWN, Applier, Document, Report, Scenario, journal_entry, new_conversation
from bench._mongod import Mongod, private_mongod

PROCESSES = 4
ANSWER_SECONDS = 60.0
COLLECTIONS = ("counters", "customers", "identities", "thread_keys", "conversations", "messages", "events", "journal")
INDEXES = {
    "conversations": [IndexModel([("status", 1), ("updated_at", -1)]), IndexModel([("customer_id", 1)])],
    "identities": [IndexModel([("customer_id", 1)])],
    "messages": [IndexModel([("conversation_id", 1), ("seq", 1)]), IndexModel([("customer_id", 1), ("_id", 1)])],
    "journal": [IndexModel([("owner", 1)], partialFilterExpression={"state": "new"})],
}

SCENARIOS = (
    Scenario("d  one message a transaction", batch=1),
    Scenario("a  batches of 16", batch=16),
    Scenario("a  batches of 64"),
    Scenario("a  batches of 256", batch=256),
    Scenario("e  no counter", counter=False),
    Scenario("a  wait: retry at once", wait="spin"),
    Scenario("a  wait: 1 to 4 ms", wait="jitter"),
    Scenario("a  wait: share of last batch", wait="scaled"),
    Scenario("a  wait: with_transaction's", wait="driver"),
    Scenario("a  journal without hint", hint=False),
    Scenario("a  words indexed for search", search=True),
    Scenario("b  hot conversation", hot=True),
    Scenario("b  hot, 256", hot=True, batch=256),
    Scenario("e  hot, no counter", hot=True, counter=False),
    Scenario("c  1 process", processes=1),
    Scenario("c  1 process, 256", processes=1, batch=256),
    Scenario("c  1 process, hot", processes=1, hot=True),
    Scenario("e  1 process, no counter", processes=1, counter=False),
    Scenario("f  1 process, 2 race", processes=1, concurrent=2),
    Scenario("f  1 process, 4 race", processes=1, concurrent=4),
    Scenario("f  1 process, 2 take turns", processes=1, concurrent=2, turns=True),
    Scenario("   one message alone", processes=1, batch=1, pause=0.005),
)


async def run_process(
    link: Connection, url: str, database: str, scenario: Scenario, index: int, seconds: float
) -> Report:
    """One process's share of a run: fill the journal, wait for the signal, apply."""
    owner = f"p{index}"
    async with AsyncMongoClient[Document](url, maxPoolSize=32) as client:
        applier = Applier(client, database, scenario, owner)
        per_second = 1500 if scenario.batch == 1 else 12000
        amount = int(per_second * seconds / scenario.processes) // scenario.batch + 2 * scenario.concurrent
        entries = [journal_entry(owner, number, hot=scenario.hot) for number in range(amount * scenario.batch)]
        await client[database].journal.insert_many(entries)
        batches = iter([entries[at : at + scenario.batch] for at in range(0, len(entries), scenario.batch)])
        link.send("ready")
        link.recv()
        applier.report.began = time.monotonic()
        cpu = time.process_time()
        deadline = applier.report.began + seconds
        await asyncio.gather(*(applier.work(batches, deadline) for _ in range(scenario.concurrent)))
        applier.report.cpu = time.process_time() - cpu
    return applier.report


def serve(link: Connection) -> None:
    """A worker process: takes runs from the pipe until it is told `None`."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    while (run := link.recv()) is not None:
        try:
            link.send(uvloop.run(run_process(link, *run)))
        except Exception as error:  # noqa: BLE001 - the parent raises it, whatever it is
            link.send(error)


def answer(link: Connection) -> Any:
    """What a worker says next; an error of its own is raised here.

    Raises:
        TimeoutError: The worker says nothing.
    """
    if not link.poll(ANSWER_SECONDS):
        raise TimeoutError("a worker does not answer")
    if isinstance(said := link.recv(), Exception):
        raise said
    return said


def prepare(database: Any, *, search: bool) -> None:
    """Collections, indexes and the known customers; made before, so that no transaction pays for them."""
    for name in COLLECTIONS:
        database.create_collection(name)
        if name in INDEXES:
            database[name].create_indexes(INDEXES[name])
    if search:
        database.messages.create_index("words")
    now = datetime.now(UTC)
    names = [f"known:{number}" for number in range(KNOWN)]
    database.counters.insert_one({"_id": "events", "n": 0})
    database.customers.insert_many([{"_id": f"c{name}", "name": name, "at": now} for name in names])
    database.identities.insert_many([{"_id": name, "customer_id": f"c{name}", "verified": False} for name in names])
    database.thread_keys.insert_many([{"_id": name, "conversation_id": f"v{name}"} for name in names])
    database.conversations.insert_many([new_conversation(name, f"c{name}", now) for name in names])


def verify(client: MongoClient[Document], name: str, scenario: Scenario, applied: int) -> None:
    """Nothing lost, nothing twice, no gap, and positions in commit order.

    Raises:
        AssertionError: One of them does not hold.
    """
    database = client[name]
    stored = list(database.messages.find({}, {"conversation_id": 1, "seq": 1}))
    seqs: dict[str, list[int]] = {}
    for row in stored:
        seqs.setdefault(row["conversation_id"], []).append(row["seq"])
    assert len(stored) == applied == database.journal.count_documents({"state": "applied"}), "lost or doubled"
    assert all(sorted(found) == list(range(1, len(found) + 1)) for found in seqs.values()), "a gap in seq"
    last = {row["_id"]: row["last_seq"] for row in database.conversations.find({}, {"last_seq": 1})}
    assert last == {key: len(seqs.get(key, ())) for key in last}, "a conversation disagrees with its messages"
    assert database.events.count_documents({"type": "message.created"}) == applied, "events lost or doubled"
    assert not scenario.hot or len(seqs) == 1, "a message left the hot conversation"
    if scenario.counter:
        pipeline: list[Document] = [
            {"$match": {"o.applyOps.ns": f"{name}.events"}},
            {"$unwind": "$o.applyOps"},
            {"$match": {"o.applyOps.ns": f"{name}.events"}},
            {"$project": {"position": "$o.applyOps.o._id"}},
        ]
        committed = [row["position"] for row in client.local["oplog.rs"].aggregate(pipeline)]
        assert committed == list(range(len(committed))), "positions have gaps or differ from the commit order"
        assert len(committed) == database.events.estimated_document_count(), "events outside a transaction"


def measure(server: Mongod, links: list[Connection], scenario: Scenario, name: str, seconds: float) -> Report:
    """Run a scenario once, in a database of its own, and check what it left."""
    with MongoClient[Document](server.url) as client:
        prepare(client[name], search=scenario.search)
        busy = links[: scenario.processes]
        for index, link in enumerate(busy):
            link.send((server.url, name, scenario, index, seconds))
        for link in busy:
            answer(link)
        server_cpu = server.cpu_seconds()
        for link in busy:
            link.send("go")
        reports: list[Report] = [answer(link) for link in busy]
        total = merged(reports)
        total.server_cpu = server.cpu_seconds() - server_cpu
        total.began, total.ended = min(r.began for r in reports), max(r.ended for r in reports)
        verify(client, name, scenario, total.applied)
        client.drop_database(name)
    return total


def merged(reports: list[Report]) -> Report:
    """The sum of several reports; `began` and `ended` enclose a stretch as long as all of theirs."""
    return Report(
        ended=sum(report.ended - report.began for report in reports),
        cpu=sum(report.cpu for report in reports),
        server_cpu=sum(report.server_cpu for report in reports),
        applied=sum(report.applied for report in reports),
        retries=sum(report.retries for report in reports),
        waits=[wait for report in reports for wait in report.waits],
        steps={
            step: sum(report.steps.get(step, 0.0) for report in reports)
            for step in dict.fromkeys(step for report in reports for step in report.steps)
        },
    )


def ratio(runs: list[Report], others: list[Report]) -> float:
    """How many times faster, as the median over the rounds."""
    return median(run.rate() / other.rate() for run, other in zip(runs, others, strict=True))


def print_table(found: dict[Scenario, list[Report]]) -> None:
    """One line a scenario; each figure is a median or a mean over all rounds."""
    print(
        f"{'':30}{'messages/s':>11}{'x single':>9}{'x no ctr':>9}{'retries':>9}"
        f"{'p50 ms':>8}{'p95 ms':>8}{'py s/1k':>9}{'mongod s/1k':>12}"
    )
    for scenario, runs in found.items():
        total = merged(runs)
        alike = (s for s in found if not s.counter and (s.hot, s.processes) == (scenario.hot, scenario.processes))
        free = next(alike, None) if scenario.batch > 1 else None
        cuts = quantiles(total.waits, n=20)
        print(
            f"{scenario.name:30}{median(run.rate() for run in runs):11.0f}{ratio(runs, found[SCENARIOS[0]]):9.1f}"
            f"{f'{ratio(runs, found[free]):.2f}' if free else '':>9}{total.retries / len(total.waits):9.2f}"
            f"{cuts[9] * 1000:8.1f}{cuts[18] * 1000:8.1f}{total.cpu / total.applied * 1000:9.3f}"
            f"{total.server_cpu / total.applied * 1000:12.3f}"
        )


def print_steps(found: dict[Scenario, list[Report]]) -> None:
    """Where the time of a batch goes, roundtrip by roundtrip."""
    for scenario, runs in found.items():
        if scenario.processes == 1 and scenario.concurrent == 1 and scenario.counter:
            report = merged(runs)
            ordered = sorted(report.steps.items(), key=lambda item: -item[1])
            steps = "  ".join(f"{step} {1000 * t / len(report.waits):.2f}" for step, t in ordered)
            print(
                f"\nms a batch, {scenario.name.strip()} ({1000 * sum(report.waits) / len(report.waits):.2f}): {steps}"
            )


def main() -> None:
    """Run every scenario several times, interleaved, and print what came out."""
    arguments = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    arguments.add_argument("--seconds", type=float, default=0.4, help="length of one run of one scenario")
    arguments.add_argument("--rounds", type=int, default=3, help="how often each scenario runs")
    arguments.add_argument("--only", default="", help="scenarios whose names contain this")
    options = arguments.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    chosen = [SCENARIOS[0], *(s for s in SCENARIOS[1:] if options.only in s.name)]
    pipes = [multiprocessing.Pipe() for _ in range(PROCESSES)]
    workers = [multiprocessing.Process(target=serve, args=(theirs,), daemon=True) for _, theirs in pipes]
    for worker in workers:
        worker.start()
    links = [ours for ours, _ in pipes]
    found: dict[Scenario, list[Report]] = {scenario: [] for scenario in chosen}
    with private_mongod() as server:
        for turn in range(options.rounds):
            for scenario in chosen if turn % 2 == 0 else reversed(chosen):
                name = f"bench_{turn}_{chosen.index(scenario)}"
                found[scenario].append(measure(server, links, scenario, name, options.seconds))
        for link in links:
            link.send(None)
    print_table(found)
    print_steps(found)


if __name__ == "__main__":
    main()
