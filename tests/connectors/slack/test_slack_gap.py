"""Sockets that come and go, and what was said while nobody listened."""

from __future__ import annotations

from typing import Any

from harness import eventually
from slack_says import said, texts

from connectors.testing.slack_server import ADA, BOT_USER, DIRECT, GENERAL, SlackServer


async def test_sockets_are_renewed_cut_and_heard_again(app: Any, slack: SlackServer) -> None:
    async with app(socket=True) as desk:
        await slack.connected()
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


async def test_the_gap_is_filled_from_history_in_order_and_without_doubles(app: Any, slack: SlackServer) -> None:
    async with app(socket=True, agent_names=True) as desk:
        await said(slack, "before")
        await said(slack, "<@U0ADA> has joined", subtype="channel_join")
        root = await said(slack, "a thread", channel=GENERAL)
        (before, _) = await desk.until(DIRECT, lambda found: len(found) == 2)
        await desk.fate(await desk.reply(before, "our own, of which Slack has not told"), "sent")
        await desk.until(f"{GENERAL}/{root['ts']}", len)
    missed = slack.message("while you were away", latest_reply="soon")  # a Slack that lies stops nothing
    for text in ("two", "three"):
        slack.message(text)
        slack.message(text, channel=GENERAL, thread_ts=root["ts"], parent_user_id=ADA)
    slack.message("our own", bot_id="B0BOT", user=BOT_USER)
    slack.fail("busy", "conversations.history", times=1)
    asked = len(slack.called("users.conversations"))
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
        "and now",
    ]
