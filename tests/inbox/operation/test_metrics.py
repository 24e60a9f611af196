"""What `/metrics` shows is what happened, and each name is explained."""

from __future__ import annotations

import asyncio
import re
import time
from pathlib import Path
from typing import Any, get_args

from deeds import drop, reply
from harness import Santral, Visitor, letter
from prometheus_client import CollectorRegistry
from scraping import number, numbers, reaches, scrape, shows

from connectors.supervisor import State
from inbox.activity import Activity
from inbox.metrics import Metrics
from inbox.store import embedded

PAGE = (Path(__file__).parents[3] / "docs" / "operations.md").read_text("utf-8")


async def test_the_way_in_is_counted_stage_by_stage(running: Santral) -> None:
    await asyncio.to_thread(running.send_mail, letter(1))
    await asyncio.to_thread(running.send_mail, letter(1))  # the same again
    await asyncio.to_thread(running.send_mail, letter(2))
    visitor = Visitor(running.url)
    async with visitor.connected() as socket:
        await visitor.say(socket, "hello")
    await drop(running, key="1", text="x", **{"is": "poison", "from": "eve"})
    for time_ in (1, 2):  # what differs is not counted
        await drop(running, key=f"nothing-{time_}", text=f"said {time_} times", **{"is": "nothing"})

    await shows(running, 2, "santral_events_applied_total", channel="mail")
    await shows(running, 1, "santral_events_applied_total", channel="site")
    await shows(running, 1, "santral_events_failed_total", channel="gossip")
    await shows(running, 2, "santral_events_ignored_total", channel="gossip", reason="nothing")
    await shows(running, 0, "santral_events_waiting")
    await reaches(running, 2, "santral_stream_lag_seconds_count")
    found = numbers(await scrape(running))

    def events(what: str, channel: str) -> float:
        return found[f"santral_events_{what}_total", (("channel", channel),)]

    assert [events(what, "mail") for what in ("received", "journaled", "duplicates")] == [3, 2, 1]
    assert [events(what, "gossip") for what in ("received", "journaled", "applied", "refused")] == [3, 3, 2, 0]
    assert [events(what, "billing") for what in ("received", "applied", "failed")] == [0, 0, 0]
    assert events("applied", "site") == 1
    stored = "santral_messages_stored_total"
    assert found[stored, (("channel", "mail"), ("direction", "inbound"))] == 2
    assert found[stored, (("channel", "site"), ("direction", "inbound"))] == 1
    assert found[stored, (("channel", "gossip"), ("direction", "inbound"))] == 0
    assert found["santral_event_journal_seconds_count", (("channel", "mail"),)] == 3
    assert found["santral_event_apply_seconds_count", (("channel", "mail"),)] == 2
    assert 0 < found["santral_event_apply_seconds_sum", (("channel", "mail"),)] < 60
    assert found["santral_transaction_seconds_count", ()] == found["santral_transaction_events_count", ()] >= 2
    assert found["santral_journal_behind", ()] in (0, 1)
    labels = {label for (name, pairs) in found if name.startswith("santral_") for label, _ in pairs}
    bounded = {"channel", "connector", "state", "direction", "reason", "lease", "le"}
    assert labels <= bounded  # nothing that grows with messages
    assert abs(found["santral_channel_last_in_timestamp_seconds", (("channel", "mail"),)] - time.time()) < 120


async def test_the_way_out_is_counted_by_what_became_of_each_reply(running: Santral) -> None:
    await asyncio.to_thread(running.send_mail, letter(1))
    async with running.desk() as desk:
        await drop(running, key="1", text="hi", **{"is": "said", "from": "eve"})
        await reply(desk, "mail", "on its way")
        await shows(running, 1, "santral_replies_sent_total", channel="mail")
        await reply(desk, "gossip", "refused")
        await shows(running, 1, "santral_replies_failed_total", channel="gossip")
        made = await reply(desk, "gossip", "crash")
        await reaches(running, 1, "santral_replies_retried_total", channel="gossip")
        await drop(running, key="2", of=made["id"], **{"is": "report"})
        await shows(running, 1, "santral_delivery_reports_total", channel="gossip", state="delivered")

    found = numbers(await scrape(running))
    assert found["santral_replies_unknown_total", (("channel", "gossip"),)] == 0
    assert found["santral_messages_stored_total", (("channel", "gossip"), ("direction", "outbound"))] == 2
    assert found["santral_reply_send_seconds_count", (("channel", "mail"),)] == 1
    assert found["santral_reply_send_seconds_count", (("channel", "gossip"),)] == 0
    assert abs(found["santral_channel_last_out_timestamp_seconds", (("channel", "mail"),)] - time.time()) < 120
    assert ("santral_channel_last_out_timestamp_seconds", (("channel", "gossip"),)) not in found


async def test_what_stands_now_is_shown(running: Santral) -> None:
    await shows(running, 1, "santral_lease_held", lease="gossip|reader")  # a channel that waits for it runs already
    found = numbers(await scrape(running))
    states = {
        dict(labels)["state"]: value
        for (name, labels), value in found.items()
        if name == "santral_channel_state" and dict(labels)["channel"] == "gossip"
    }
    assert states == dict.fromkeys(get_args(State), 0) | {"running": 1}
    assert found["santral_lease_held", (("lease", "gossip|reader"),)] == 1
    assert found["santral_lease_token", (("lease", "gossip|reader"),)] == 1
    assert abs(found["santral_heartbeat_timestamp_seconds", ()] - time.time()) < 120
    assert found["santral_stream_followers", ()] == 0
    assert found["process_resident_memory_bytes", ()] > 0
    assert ("python_gc_collections_total", (("generation", "2"),)) in found
    visitor = Visitor(running.url)
    async with running.desk() as desk, desk.http.ws_connect("/api/v1/stream"), visitor.connected():
        await shows(running, 2, "santral_stream_followers")
    await shows(running, 0, "santral_stream_followers")


async def test_a_lease_is_seen_to_pass_on(gossiping: Any) -> None:
    first = await gossiping()
    await shows(first, 1, "santral_lease_held", lease="gossip|reader")
    second = await gossiping()
    await shows(second, 0, "santral_lease_held", lease="gossip|reader")
    assert await number(second, "santral_lease_token", lease="gossip|reader") is None
    await first.stop(tracebacks=True)
    await shows(second, 1, "santral_lease_held", lease="gossip|reader")
    assert await number(second, "santral_lease_token", lease="gossip|reader") == 2


async def test_refusals_are_counted_while_the_database_is_away(gossiping: Any, tmp_path: Path) -> None:
    database = await embedded.start(tmp_path / "database")
    try:
        santral = await gossiping(storage=database.url)
    finally:
        await database.stop()
    status = (await drop(santral, key="1", text="x", **{"is": "said", "from": "eve"}))["status"]
    assert status == 503
    assert await number(santral, "santral_events_refused_total", channel="gossip") == 1
    assert await number(santral, "santral_events_journaled_total", channel="gossip") == 0
    santral.kill()  # an orderly end would wait for the database


def test_every_name_is_explained_and_no_other() -> None:
    explained = set(re.findall(r"^\| `(santral_\w+)`", PAGE, re.MULTILINE))
    assert explained == set(families())


def families() -> list[str]:
    """The names in the code, as they are shown."""
    source = "".join(
        (Path(__file__).parents[3] / "inbox" / name).read_text("utf-8") for name in ("metrics.py", "gauges.py")
    )
    registry = CollectorRegistry()
    Metrics(registry, Activity())
    told = [metric.name + ("_total" if metric.type == "counter" else "") for metric in registry.collect()]
    return told + re.findall(r'"(santral_\w+)"', source.partition("class Gauges")[2])
