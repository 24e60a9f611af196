"""What agents answer, as it arrives at Slack, and what Slack says to it."""

from __future__ import annotations

import base64
import contextlib
import time
from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import pytest
from switchboard import Switchboard, opened

from connectors.errors import TemporaryError
from connectors.slack.api import SlackApi
from connectors.slack.options import SlackOptions
from connectors.testing.slack_server import ADA, APP_TOKEN, BOT_TOKEN, DIRECT, GENERAL, SlackServer

PNG = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNkYPhfDwAChwGA60e6kgAAAABJRU5ErkJggg=="
)


@pytest.fixture
async def said(desk: Switchboard, slack: SlackServer) -> dict[str, Any]:
    """What a customer has said, in a thread of a channel."""
    root = slack.message("hello", channel=GENERAL)
    assert await slack.push(slack.event(root, channel=GENERAL))
    (message,) = await desk.until(f"{GENERAL}/{root['ts']}", len)
    return message


async def test_an_answer_stands_in_its_thread(desk: Switchboard, slack: SlackServer, said: Any) -> None:
    await desk.fate(await desk.reply(said, "5 < 6 & *not bold*"), "sent")

    (sent,) = slack.written(GENERAL)
    assert f"{GENERAL}/{sent['thread_ts']}" == said["external"]["thread_key"]
    assert sent["text"] == "5 &lt; 6 &amp; *not bold*"
    (call,) = slack.called("chat.postMessage")
    assert call.arguments["mrkdwn"] is False
    assert "username" not in call.arguments


async def test_who_began_the_thread_need_not_have_written_here(desk: Switchboard, slack: SlackServer) -> None:
    root = slack.message("before the app was invited", channel=GENERAL)
    bob = slack.message("and now?", channel=GENERAL, user="U0BOB", thread_ts=root["ts"], parent_user_id=ADA)
    assert await slack.push(slack.event(bob, channel=GENERAL))
    (message,) = await desk.until(f"{GENERAL}/{root['ts']}", len)

    await desk.fate(await desk.reply(message, "It is on its way."), "sent")

    assert slack.written(GENERAL)[-1]["thread_ts"] == root["ts"]


async def test_what_answers_a_message_in_a_thread_of_a_direct_conversation_stands_there(
    desk: Switchboard, slack: SlackServer
) -> None:
    root = slack.message("hello", channel=DIRECT)
    asked = slack.message("and this?", channel=DIRECT, thread_ts=root["ts"])
    assert await slack.push(slack.event(root, channel=DIRECT))
    assert await slack.push(slack.event(asked, channel=DIRECT))
    first, second = await desk.until(DIRECT, lambda found: len(found) == 2)
    await desk.fate(await desk.reply(second, "That too", reply_to=second["id"]), "sent")
    await desk.fate(await desk.reply(first, "Hello"), "sent")

    there, beside = slack.written(DIRECT)
    assert (there["thread_ts"], beside.get("thread_ts")) == (root["ts"], None)
    assert len({one["conversation_id"] for one in await desk.stored()}) == 1


async def test_html_becomes_blocks(desk: Switchboard, slack: SlackServer, said: Any) -> None:
    html = '<p>See <b>this <i>now</i></b>: <a href="https://example.com">here</a></p><pre>a\n b</pre>'
    await desk.fate(await desk.reply(said, "See this", html=html), "sent")

    (sent,) = slack.written(GENERAL)
    assert sent["text"] == "See this now: here\n\na\n b"
    section, code = sent["blocks"][0]["elements"]
    assert section["elements"] == [
        {"type": "text", "text": "See "},
        {"type": "text", "text": "this ", "style": {"bold": True}},
        {"type": "text", "text": "now", "style": {"bold": True, "italic": True}},
        {"type": "text", "text": ": "},
        {"type": "link", "url": "https://example.com", "text": "here"},
        {"type": "text", "text": "\n\n"},
    ]
    assert code == {"type": "rich_text_preformatted", "elements": [{"type": "text", "text": "a\n b"}]}


async def test_a_long_text_is_split(desk: Switchboard, slack: SlackServer, said: Any) -> None:
    text = " ".join(f"word{number}" for number in range(900))
    reply = await desk.fate(await desk.reply(said, text), "sent")

    pieces = [one["text"] for one in slack.written(GENERAL)]
    assert len(pieces) == 2
    assert "".join(pieces) == text
    assert len(reply["external"]["ids"]) == 2


async def test_files_are_uploaded_and_shared_at_once(desk: Switchboard, slack: SlackServer, said: Any) -> None:
    files = [await desk.upload(f"paper {number}".encode() * 999, f"{number}.txt", "text/plain") for number in range(3)]
    await desk.fate(await desk.reply(said, "Three papers", attachments=files), "sent")

    text, shared = slack.written(GENERAL)
    assert text["text"] == "Three papers"
    assert [slack.files[one["id"]] for one in shared["files"]] == [f"paper {n}".encode() * 999 for n in range(3)]
    assert shared["thread_ts"] == text["thread_ts"]
    assert len(slack.called("files.completeUploadExternal")) == 1


async def test_the_company_begins_and_the_answer_joins(desk: Switchboard, slack: SlackServer) -> None:
    slack.fail("lost", "conversations.open", times=1)  # nothing is said by that, so it is tried again
    person = {"kind": "slack", "value": ADA}
    begun = await desk.post(
        "/api/v1/conversations", {"identity": person, "channel": "slack", "text": "Your lamp is here"}
    )
    messages = await desk.messages(begun["id"])
    await desk.fate(messages[0], "sent")
    assert await slack.push(slack.event(slack.message("Thank you"), channel=DIRECT))
    (answer,) = await desk.until(DIRECT, lambda found: [one for one in found if one["direction"] == "inbound"])

    assert answer["conversation_id"] == begun["id"]


async def test_agents_bear_their_names_and_pictures_by_option(app: Any, slack: SlackServer) -> None:
    async with app(agent_names=True) as desk:
        assert await slack.push(slack.event(slack.message("hello"), channel=DIRECT))
        (message,) = await desk.until(DIRECT, len)
        await desk.fate(await desk.reply(message, "It is me"), "sent")
        async with signed_in(desk, "Grace") as grace:
            async with grace.http.put("/api/v1/me/picture", data=PNG) as answer:
                assert answer.status == 200
            await grace.fate(await grace.reply(message, "And me"), "sent")

        assert [one["username"] for one in slack.written()] == ["Ada", "Grace"]
        without, given = (call.arguments for call in slack.called("chat.postMessage"))
        assert "icon_url" not in without
        async with aiohttp.ClientSession() as slacks, slacks.get(given["icon_url"]) as answer:
            assert (answer.status, answer.content_type, await answer.read()) == (200, "image/png", PNG)
        async with aiohttp.ClientSession() as slacks, slacks.get(f"{desk.url}/pictures/{message['id']}") as answer:
            assert answer.status == 404


@contextlib.asynccontextmanager
async def signed_in(desk: Switchboard, name: str) -> AsyncIterator[Switchboard]:
    """An agent of that name, by her page's calls."""
    credentials = {"email": f"{name}@example.com", "password": "correct horse battery"}
    await desk.post("/api/v1/agents", {**credentials, "name": name}, status=201)
    async with desk.http.post("/api/v1/session", json=credentials, headers={"Authorization": ""}) as answer:
        csrf = (await answer.json())["csrf_token"]
        cookie = "; ".join(f"{name}={morsel.value}" for name, morsel in answer.cookies.items())
    async with aiohttp.ClientSession(desk.url, headers={"Cookie": cookie, "X-CSRF-Token": csrf}) as http:
        yield Switchboard(http, desk.url)


@pytest.mark.parametrize(
    ("how", "state", "code"),
    [
        ("refuse", "failed", "restricted_action"),
        ("refuse", "unknown", "internal_error"),
        ("lost", "unknown", None),
        ("garbage", "unknown", "200"),
    ],
)
async def test_what_slack_says_is_what_the_agent_reads(
    desk: Switchboard, slack: SlackServer, said: Any, how: Any, state: str, code: str | None
) -> None:
    slack.refuses_with = str(code)
    slack.fail(how, "chat.postMessage", times=1)
    reply = await desk.fate(await desk.reply(said, "hello"), state)

    assert reply["delivery"]["error"]["code"] == code
    told = reply["delivery"]["error"]["text"]
    assert "Slack" in told
    assert "_" not in told  # which its codes have, and no words
    assert len(slack.called("chat.postMessage")) == 1
    await desk.post(f"/api/v1/messages/{reply['id']}/retry", {}, status=200)
    await desk.fate(reply, "sent")


@pytest.mark.parametrize("how", ["busy", "broken"])
async def test_what_passes_is_tried_again(desk: Switchboard, slack: SlackServer, said: Any, how: Any) -> None:
    slack.fail(how, "chat.postMessage", times=1)
    begun = time.monotonic()
    reply = await desk.fate(await desk.reply(said, "hello"), "sent")

    assert reply["delivery"]["attempts"] == 2
    assert len(slack.written(GENERAL)) == 1
    assert how != "busy" or time.monotonic() - begun >= 1  # as Slack has asked


async def test_what_a_gateway_did_not_wait_for_may_have_left(desk: Switchboard, slack: SlackServer, said: Any) -> None:
    slack.fail("gateway", "chat.postMessage")
    await desk.fate(await desk.reply(said, "hello"), "unknown")

    assert [one["text"] for one in slack.written(GENERAL)] == ["hello"]


async def test_an_answer_in_plain_text_is_one_of_slacks_too(slack: SlackServer) -> None:
    api = SlackApi(SlackOptions(bot_token=BOT_TOKEN, app_token=APP_TOKEN, api_url=f"{slack.url}/api/"))
    slack.fail("broken")
    with pytest.raises(TemporaryError, match="Slack answered 500"):
        await api.call("auth.test")
    await api.close()


async def test_a_channel_that_is_gone_is_told_in_words(desk: Switchboard, slack: SlackServer, said: Any) -> None:
    del slack.channels[GENERAL]
    reply = await desk.fate(await desk.reply(said, "hello"), "failed")

    assert reply["delivery"]["error"]["text"] == "Slack: the channel is gone, or the app was never in it"


async def test_threads_of_a_channel_share_its_pace(desk: Switchboard, slack: SlackServer, said: Any) -> None:
    other = slack.message("hello too", channel=GENERAL)
    assert await slack.push(slack.event(other, channel=GENERAL))
    (second,) = await desk.until(f"{GENERAL}/{other['ts']}", len)
    begun = time.monotonic()
    for reply in [await desk.reply(one, "hello") for one in (said, second, said)]:
        await desk.fate(reply, "sent")

    assert time.monotonic() - begun >= 1.9


async def test_a_wrong_token_stops_the_channel_and_says_what_to_do(slack: SlackServer, mongod_url: str) -> None:
    wrong = {"bot_token": "xoxb-wrong", "app_token": "xapp-wrong", "api_url": f"{slack.url}/api/"}
    async with opened(mongod_url, {"id": "slack", "connector": "slack", **wrong}) as desk:
        state = await desk.channel("slack", "failed")

    assert "does not accept the app's token" in state["reason"]
    assert "xapp-wrong" not in state["reason"]
