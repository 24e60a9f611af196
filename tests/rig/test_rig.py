"""The rig tells what is broken; and one short run of it breaks nothing."""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any

import pytest

from rig.chronicle import Chronicle
from rig.harm import KINDS, drawn
from rig.ledger import Ledger, Reply, Said, Stream
from rig.platforms import CourierPlatform, MailSink
from rig.run import Plan, Run
from rig.table import table
from rig.verdict import Verdict

SEED = 7


@pytest.mark.timeout(400)
async def test_one_harm_of_each_kind_loses_nothing_and_doubles_nothing(tmp_path: Path) -> None:
    chronicle = Chronicle(SEED)
    plan = Plan(santrals=2, each=1, pause=0.2, streams=2, longest_stop=2.0, hurry=4.0, until=300.0)
    draws = drawn(random.Random(f"{SEED}/harm"), iter(KINDS), plan.santrals)
    verdict = await Run(chronicle, plan, tmp_path).torture(draws)
    print(table(chronicle, verdict))
    assert not chronicle.faults
    assert all(chronicle.counts[kind] == 1 for kind in KINDS)
    # How much there was to count is the machine's; that there was something shows that the rig looked.
    for what in ("messages acknowledged", "replies taken", "events in the log"):
        assert verdict.counts[what] > 0, what


def message(text: str, seq: int) -> dict[str, Any]:
    return {"id": text, "text": text, "seq": seq, "direction": "inbound"}


def reply(channel: str, state: str, text: str = "re ada-0") -> dict[str, Any]:
    delivery = {"state": state}
    made = {"id": "r", "text": text, "seq": 2, "direction": "outbound", "channel": channel, "delivery": delivery}
    return made | {"conversation_id": "a"}


def told(stored: dict[str, list[dict[str, Any]]], ledger: Ledger) -> list[str]:
    chronicle = Chronicle(SEED)
    verdict = Verdict(chronicle, ledger, stored)
    verdict.numbers()
    verdict.acknowledged()
    return chronicle.faults


@pytest.mark.parametrize(
    ("stored", "fault"),
    [
        ({"a": [message("ada-0", 1)]}, "ada-1 is LOST (taken by santral 1, at try 2) (at 9.5 s)"),
        ({"a": [message("ada-0", 1), message("ada-1", 2), message("ada-1", 3)]}, "ada-1 is there 2 times"),
        ({"a": [message("ada-1", 1), message("ada-0", 2)]}, "ada-1 (santral 1, 9.5 s) stands before ada-0"),
        ({"a": [message("ada-0", 1), message("ada-1", 3)]}, "conversation a: its seq are [1, 3]"),
        ({"a": [message("ada-0", 1)], "b": [message("ada-1", 1)]}, "ada is torn over 2 conversations"),
        ({"a": [message("ada-0", 1), message("ada-1", 2), message("eve-0", 3)]}, "nobody is called 'eve'"),
    ],
)
def test_a_broken_promise_names_the_message_the_seed_and_the_moment(
    stored: dict[str, list[dict[str, Any]]], fault: str
) -> None:
    ledger = Ledger()
    ledger.acknowledged("ada", Said(text="ada-0", tries=1), at=9.0, via=0)
    ledger.acknowledged("ada", Said(text="ada-1", tries=2), at=9.5, via=1)
    (said,) = told(stored, ledger)
    assert said.startswith(f"seed {SEED}: ")
    assert fault in said
    assert not told({"a": [message("ada-0", 1), message("ada-1", 2)]}, ledger)


@pytest.mark.parametrize(
    ("channel", "state", "taken", "killed", "fault"),
    [
        ("mail", "sent", [10.0], [], None),
        ("mail", "sent", [10.0, 14.0], [12.0], None),
        ("mail", "sent", [10.0, 14.0], [15.0], "the mail reply r is sent and came at 10.0 s, 14.0 s (at 9.8 s)"),
        ("mail", "sent", [], [12.0], "the mail reply r is sent and came at no time"),
        ("courier", "sent", [10.0], [], None),
        ("courier", "unknown", [], [], None),
        ("courier", "unknown", [10.0, 14.0], [12.0], "piece 0 of the reply r is unknown and came at 10.0 s, 14.0 s"),
        ("courier", "sent", [], [12.0], "piece 0 of the reply r is sent and came at no time"),
        ("courier", "failed", [], [], "piece 0 of the reply r is failed"),
        ("site", "delivered", [], [], "the reply r is delivered and no visitor ever saw it"),
    ],
)
async def test_a_reply_that_is_lost_or_doubled_is_told(
    channel: str, state: str, taken: list[float], killed: list[float], fault: str | None
) -> None:
    chronicle, ledger = Chronicle(SEED), Ledger()
    mails, courier = MailSink(chronicle, random.Random()), CourierPlatform(chronicle, random.Random())
    chronicle.harms["kill santral"] += killed
    ledger.replies["r"] = Reply(id="r", conversation="a", channel=channel, text="re ada-0", at=9.8)
    mails.taken["<r@example.com>"] += taken
    courier.taken["r", 0] += taken
    verdict = Verdict(chronicle, ledger, {"a": [message("ada-0", 1), reply(channel, state)]})
    verdict.replies(mails, courier, "example.com")
    assert [fault in one for one in chronicle.faults] == [True] if fault else not chronicle.faults


@pytest.mark.parametrize("seen", [["1", "2"], ["1", "2", "3", "3"], ["1", "3", "2"], ["1", "2", "3", "4"]])
def test_a_stream_that_saw_anything_but_the_log_is_told(seen: list[str]) -> None:
    chronicle, ledger = Chronicle(SEED), Ledger()
    ledger.streams = [Stream(name="whole", seen=["1", "2", "3"]), Stream(name="torn", seen=seen)]
    Verdict(chronicle, ledger, {}).streams(["1", "2", "3"])
    assert [fault.partition(" saw")[0] for fault in chronicle.faults] == [f"seed {SEED}: torn"]
