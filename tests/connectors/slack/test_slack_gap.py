"""Sockets that come and go, and what was said while nobody listened."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from harness import eventually
from slack_says import said, texts
from switchboard import Switchboard

from connectors.testing.slack_server import ADA, BOT_USER, DIRECT, GENERAL, TEAM, SlackServer


async def test_sockets_are_pinged_renewed_cut_and_heard_again(
    app: Any, slack: SlackServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with app(socket=True) as desk:
        with monkeypatch.context() as impatient:
            impatient.setattr("connectors.pulse.LEAST_SECONDS", 0)
            await desk.channel("slack", "silent")  # after the hello, nothing

            async def answers() -> bool:
                await slack.ping()
                return bool((await desk.get("/api/v1/channels"))["items"][0]["state"] == "running")

            await eventually(answers)
        await said(slack, "one")
        await slack.disconnect()

        async def renewed() -> bool:
            return slack.sockets == 2

        await eventually(renewed)
        await said(slack, "two")
        slack.cut()
        await said(slack, "three")
        messages = await desk.until(DIRECT, lambda found: len(found) == 3)

        assert texts(messages) == ["one", "two", "three"]


async def test_the_gap_is_filled_from_history_in_order_and_without_doubles(
    app: Any, slack: SlackServer, documents: Any
) -> None:
    async def remembered() -> bool:
        """Whether it is kept until when all was read: without that there is no gap."""
        return await documents.leases.find_one({"cursor": {"$exists": True}}) is not None

    async with app(socket=True, agent_names=True) as desk:
        await said(slack, "before")
        await said(slack, "<@U0ADA> has joined", subtype="channel_join")
        root = await said(slack, "a thread", channel=GENERAL)
        (before, _) = await desk.until(DIRECT, lambda found: len(found) == 2)
        await desk.fate(await desk.reply(before, "our own, of which Slack has not told"), "sent")
        await desk.until(f"{GENERAL}/{root['ts']}", len)
        await eventually(remembered)
    missed = slack.message("while you were away", latest_reply="soon")  # a Slack that lies stops nothing
    for text in ("two", "three"):
        slack.message(text)
        slack.message(text, channel=GENERAL, thread_ts=root["ts"], parent_user_id=ADA)
    slack.message("our own", bot_id="B0BOT", user=BOT_USER)
    slack.fail("busy", "conversations.replies", times=1)
    asked = len(slack.called("users.conversations"))

    async def late() -> None:
        await asyncio.sleep(0.3)  # a fill that does not wait has read the direct messages by then
        slack.message("just before the hello")

    slack.before_hello = late
    async with app(socket=True) as desk:
        thread = await desk.until(f"{GENERAL}/{root['ts']}", lambda found: len(found) == 3)
        assert len(slack.called("users.conversations")) == asked + 1  # having waited, it has not begun anew
        assert await slack.push(slack.event(missed, channel=DIRECT), retry=1)
        await said(slack, "and now")
        await desk.until(DIRECT, lambda found: "and now" in texts(found))
        direct = await desk.messages(before["conversation_id"])

    assert texts(thread) == ["a thread", "two", "three"]
    assert texts(direct) == [
        "before",
        "@ada has joined",
        "our own, of which Slack has not told",
        "while you were away",
        "two",
        "three",
        "just before the hello",
        "and now",
    ]


async def test_what_slack_has_dropped_is_read_and_nothing_from_before_an_invitation(
    desk: Switchboard, slack: SlackServer
) -> None:
    slack.message("among themselves", channel=GENERAL)
    slack.message("<@U0BOT> has joined", channel=GENERAL, user=BOT_USER, subtype="channel_join")
    dropped = slack.message("dropped", channel=GENERAL)
    assert await slack.push({"type": "app_rate_limited", "team_id": TEAM, "minute_rate_limited": 1518467820})
    await desk.until(f"{GENERAL}/{dropped['ts']}", len)

    assert texts(await desk.stored()) == ["dropped"]


async def test_a_gap_that_slack_does_not_let_us_read_stays_open(desk: Switchboard, slack: SlackServer) -> None:
    dropped = {"type": "app_rate_limited", "team_id": TEAM, "minute_rate_limited": 1518467820}
    missed = slack.message("missed", channel=GENERAL)
    slack.refuses_with = "missing_scope"
    slack.fail("refuse", "conversations.history")
    assert await slack.push(dropped)

    async def asked() -> bool:
        return any(call.arguments["channel"] == GENERAL for call in slack.called("conversations.history"))

    await eventually(asked)
    slack.fail(None, "conversations.history")
    slack.messages[GENERAL][missed["ts"]]["text"] = "read after all"
    assert await slack.push({**dropped, "minute_rate_limited": 1518467880})
    (message,) = await desk.until(f"{GENERAL}/{missed['ts']}", len)
    assert message["text"] == "read after all"


async def test_a_socket_that_is_refused_is_not_tried_without_a_pause(app: Any, slack: SlackServer) -> None:
    async with app(socket=True) as desk:
        opened = len(slack.called("apps.connections.open"))
        slack.refused_sockets = "too_many_websockets"
        slack.cut()

        async def told() -> bool:
            state = await desk.channel("slack", "backing_off")
            return "too_many_websockets" in state["reason"]

        await eventually(told)
        assert len(slack.called("apps.connections.open")) - opened < 5
        slack.refused_sockets = ""
        await desk.channel("slack", "running")
