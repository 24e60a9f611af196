"""What agents change of what they sent, as Slack shows it."""

from __future__ import annotations

from typing import Any

import pytest
from switchboard import Switchboard

from connectors.testing.slack_server import DIRECT, SlackServer


@pytest.fixture
async def said(desk: Switchboard, slack: SlackServer) -> dict[str, Any]:
    """What a customer has said."""
    assert await slack.push(slack.event(slack.message("hello"), channel=DIRECT))
    (message,) = await desk.until(DIRECT, len)
    return message


async def test_a_reply_gets_another_text(desk: Switchboard, slack: SlackServer, said: Any) -> None:
    reply = await desk.fate(await desk.reply(said, "It left today", html="<b>It</b> left today"), "sent")
    await desk.call("PATCH", f"/api/v1/messages/{reply['id']}", {"text": "It *left* & went"})

    (sent,) = slack.written()
    typed = {"type": "rich_text_section", "elements": [{"type": "text", "text": "It *left* & went"}]}
    assert (sent["text"], sent["blocks"]) == (
        "It *left* &amp; went",
        [{"type": "rich_text", "elements": [typed]}],
    )

    slack.refuses_with = "edit_window_closed"
    slack.fail("refuse", "chat.update", times=1)
    refused = await desk.call("PATCH", f"/api/v1/messages/{reply['id']}", {"text": "It left today"}, status=422)
    assert "it is too old" in refused["detail"]


async def test_an_edit_of_a_long_reply_loses_nothing(desk: Switchboard, slack: SlackServer, said: Any) -> None:
    line = "if (a < b && c > d) { şişe }\n"
    reply = await desk.fate(await desk.reply(said, line * 180), "sent")
    before = [(one["ts"], one["text"]) for one in slack.written()]
    assert len(before) == 2
    slack.refuses_with = "edit_window_closed"
    slack.fail("refuse", "chat.update", times=1)
    await desk.call("PATCH", f"/api/v1/messages/{reply['id']}", {"text": line * 110}, status=422)
    assert [(one["ts"], one["text"]) for one in slack.written()] == before

    await desk.call("PATCH", f"/api/v1/messages/{reply['id']}", {"text": line * 110})
    (sent,) = slack.written()
    assert sent["blocks"][0]["elements"][0]["elements"][0]["text"] == (line * 110).strip()


async def test_a_reply_is_taken_back_with_its_files(desk: Switchboard, slack: SlackServer, said: Any) -> None:
    paper = await desk.upload(b"paper", "paper.txt", "text/plain")
    reply = await desk.fate(await desk.reply(said, "A paper", attachments=[paper]), "sent")
    assert len(slack.written()) == 2
    await desk.call("DELETE", f"/api/v1/messages/{reply['id']}")

    assert slack.written() == []


async def test_an_agents_reaction_stands_there_and_here(desk: Switchboard, slack: SlackServer, said: Any) -> None:
    path = f"/api/v1/messages/{said['id']}/reactions"
    for _ in range(2):
        reacted = await desk.post(path, {"emoji": "🎉"}, status=200)
    ts = said["external"]["id"].partition("/")[2]

    assert [one["emoji"] for one in reacted["reactions"]] == ["🎉"]
    assert slack.messages[DIRECT][ts]["our_reactions"] == ["tada"]
    for _ in range(2):
        gone = await desk.post(path, {"emoji": "🎉", "on": False}, status=200)
    assert (gone["reactions"], slack.messages[DIRECT][ts]["our_reactions"]) == ([], [])


async def test_an_emoji_of_two_agents_stands_until_both_have_taken_it_back(
    desk: Switchboard, slack: SlackServer, said: Any
) -> None:
    path = f"/api/v1/messages/{said['id']}/reactions"
    ts = said["external"]["id"].partition("/")[2]
    token = (await desk.post("/api/v1/tokens", {"name": "Bea", "role": "agent"}))["token"]
    hers = {"Authorization": f"Bearer {token}"}
    await desk.post(path, {"emoji": "👍"}, status=200)
    async with desk.http.post(path, json={"emoji": "👍🏽"}, headers=hers) as answer:
        assert answer.status == 200
    for _ in range(2):  # the second time it is only Bea's
        await desk.post(path, {"emoji": "👍", "on": False}, status=200)
        assert slack.messages[DIRECT][ts]["our_reactions"] == ["+1"]
    async with desk.http.post(path, json={"emoji": "👍🏽", "on": False}, headers=hers) as answer:
        assert answer.status == 200
    assert slack.messages[DIRECT][ts]["our_reactions"] == []
