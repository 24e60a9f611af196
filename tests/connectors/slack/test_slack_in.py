"""What people do on Slack, as agents see it."""

from __future__ import annotations

import asyncio
import io
import json
from typing import Any

import aiohttp
import pytest
from harness import eventually
from slack_says import said, texts
from switchboard import Switchboard

from connectors.testing.slack_server import ADA, BOT_USER, DIRECT, GENERAL, SlackServer


async def test_a_direct_message_is_one_conversation(desk: Switchboard, slack: SlackServer) -> None:
    first = await said(slack, "Do you deliver to İzmir? &amp; when?")
    await said(slack, "Hello?")
    messages = await desk.until(DIRECT, lambda found: len(found) == 2)

    assert texts(messages) == ["Do you deliver to İzmir? & when?", "Hello?"]
    assert messages[0]["external"]["id"] == f"{DIRECT}/{first['ts']}"
    assert len({message["conversation_id"] for message in messages}) == 1


async def test_each_thread_of_a_channel_is_a_conversation(desk: Switchboard, slack: SlackServer) -> None:
    root = await said(slack, "one", channel=GENERAL)
    other = await said(slack, "another", channel=GENERAL)
    slack.users["U0BOB"] = slack.user("U0BOB", "Bob")
    answer = {"thread_ts": root["ts"], "parent_user_id": ADA, "user": "U0BOB"}
    await said(slack, "an answer", channel=GENERAL, **answer)
    await said(slack, "and to all", channel=GENERAL, subtype="thread_broadcast", **answer)
    thread = await desk.until(f"{GENERAL}/{root['ts']}", lambda found: len(found) == 3)
    (alone,) = await desk.until(f"{GENERAL}/{other['ts']}", len)

    assert texts(thread) == ["one", "an answer", "and to all"]
    assert thread[1]["relations"]["reply_to"] == thread[0]["id"]
    assert alone["conversation_id"] != thread[0]["conversation_id"]
    conversation = await desk.get(f"/api/v1/conversations/{thread[0]['conversation_id']}")
    assert conversation["customer"]["id"] == thread[0]["customer_id"] != thread[1]["customer_id"]


async def test_an_answer_before_its_root_waits_for_it(desk: Switchboard, slack: SlackServer) -> None:
    root = slack.message("the question", channel=GENERAL)
    await said(slack, "the answer", channel=GENERAL, thread_ts=root["ts"], parent_user_id=ADA)
    assert await slack.push(slack.event(root, channel=GENERAL))
    messages = await desk.until(f"{GENERAL}/{root['ts']}", lambda found: len(found) == 2)

    assert len({message["conversation_id"] for message in messages}) == 1


async def test_a_mention_and_its_message_are_one(desk: Switchboard, slack: SlackServer) -> None:
    message = slack.message(f"<@{BOT_USER}> help", channel=GENERAL)
    for told in ({**message, "type": "app_mention"}, message):
        assert await slack.push(slack.event(told, channel=GENERAL))
    await said(slack, "later", channel=GENERAL)
    await eventually(lambda: _count(desk, 2))

    assert texts(await desk.stored()) == ["@santral help", "later"]


async def test_a_mention_among_a_few_people_is_said_to_all_of_them(desk: Switchboard, slack: SlackServer) -> None:
    slack.channels["C0FEW"] = {"id": "C0FEW", "name": "mpdm-ada--bob--santral-1", "is_mpim": True}
    message = slack.message(f"<@{BOT_USER}> help", channel="C0FEW")
    for told in ({**message, "type": "app_mention"}, message, slack.message("please", channel="C0FEW")):
        assert await slack.push(slack.event(told, channel="C0FEW"))

    assert texts(await desk.until("C0FEW", lambda found: len(found) == 2)) == ["@santral help", "please"]


async def _count(desk: Switchboard, count: int) -> bool:
    return len(await desk.stored()) >= count


@pytest.mark.parametrize("order", [(0, 1, 2), (1, 0, 2), (2, 1, 0), (1, 2, 0)])
async def test_edits_and_deletions_come_in_any_order(desk: Switchboard, slack: SlackServer, order: Any) -> None:
    message = slack.message("one")
    edited = {**message, "text": "two", "edited": {"user": ADA, "ts": f"{int(message['ts'][:10]) + 5}.000000"}}
    change = {"type": "message", "ts": edited["edited"]["ts"], "previous_message": message}
    told = [
        message,
        {**change, "subtype": "message_changed", "message": edited},
        {**change, "subtype": "message_deleted", "deleted_ts": message["ts"], "ts": f"{int(message['ts'][:10]) + 9}.1"},
    ]
    for number in order:
        assert await slack.push(slack.event(told[number], channel=DIRECT))
    (stored,) = await desk.until(DIRECT, lambda found: found[0]["deleted_at"] and found[0]["revisions"])

    assert stored["text"] == "two"
    assert [revision["text"] for revision in stored["revisions"]] == ["one"]


async def test_a_preview_of_a_link_is_no_edit(desk: Switchboard, slack: SlackServer) -> None:
    message = await said(slack, "see https://example.com")
    preview = {**message, "attachments": [{"title": "Example"}]}
    event = {"type": "message", "subtype": "message_changed", "message": preview, "previous_message": message}
    assert await slack.push(slack.event(event, channel=DIRECT))
    await said(slack, "seen?")
    messages = await desk.until(DIRECT, lambda found: len(found) == 2)

    assert messages[0]["revisions"] == []


async def test_markup_and_blocks_become_text_and_html(desk: Switchboard, slack: SlackServer) -> None:
    slack.channels["C0HELP"] = {"id": "C0HELP", "name": "help"}
    await said(slack, f"*bold* _it_ ~no~ `x &lt; y` <https://example.com|here> <@{ADA}> <#C0HELP> :tada: <!here> 2*3*4")
    elements = [
        {"type": "text", "text": "one", "style": {"bold": True}},
        {"type": "text", "text": " two "},
        {"type": "emoji", "name": "wave", "unicode": "1f44b-1f3fd"},
        {"type": "link", "url": "javascript:alert(1)", "text": "no"},
    ]
    blocks = [
        {
            "type": "rich_text",
            "elements": [
                {"type": "rich_text_section", "elements": elements},
                {
                    "type": "rich_text_list",
                    "style": "ordered",
                    "elements": [
                        {"type": "rich_text_section", "elements": [{"type": "text", "text": item}]} for item in "ab"
                    ],
                },
                {"type": "rich_text_preformatted", "elements": [{"type": "text", "text": "if <a>"}]},
            ],
        }
    ]
    await said(slack, "*one* two :wave:", blocks=blocks)
    first, second = await desk.until(DIRECT, lambda found: len(found) == 2)

    assert first["text"] == "bold it no x < y here @ada #help 🎉 @here 2*3*4"
    assert first["html"].startswith("<b>bold</b> <i>it</i> <s>no</s> <code>x &lt; y</code> <a href=")
    assert second["text"] == "one two 👋🏽no\n1. a\n2. b\nif <a>"
    assert second["html"] == "<b>one</b> two 👋🏽no<br>1. a<br>2. b<br><pre>if &lt;a&gt;</pre>"


async def test_files_are_fetched_with_the_token_and_never_linked(desk: Switchboard, slack: SlackServer) -> None:
    bill = slack.file(b"a bill", "bill.pdf", "application/pdf")
    foreign = {"id": bill["id"], "file_access": "check_file_info", "name": "again.pdf"}
    drive = {"id": "F9", "is_external": True, "title": "Plan", "url_private": "https://drive.example.com/plan"}
    gone = {"id": "F404", "mode": "tombstone"}
    thief = {"id": "F666", "name": "x", "url_private": "https://evil.example.com/x"}
    await said(slack, "", subtype="file_share", files=[bill, foreign, drive, gone, thief])
    (message,) = await desk.until(
        DIRECT, lambda found: all(one["state"] != "pending" for one in found[0]["attachments"])
    )

    assert [one["state"] for one in message["attachments"]] == ["ready", "ready", "expired", "expired"]
    assert await desk.download(message["attachments"][1]) == b"a bill"
    assert message["parts"][0]["text"] == "Plan: https://drive.example.com/plan"
    assert bill["url_private"] not in json.dumps(message)


async def test_reactions_bots_and_joins(desk: Switchboard, slack: SlackServer) -> None:
    message = await said(slack, "Done?")
    item = {"type": "message", "channel": DIRECT, "ts": message["ts"]}
    reaction = {"user": ADA, "item": item, "event_ts": "1995428001.000100"}
    assert await slack.push(slack.event({"type": "reaction_added", "reaction": "+1::skin-tone-3", **reaction}))
    bot = {"subtype": "bot_message", "bot_id": "B9", "username": "Deploy", "user": None}
    await said(slack, "Shipped", **bot)
    await said(slack, "<@U0ADA> has joined", subtype="channel_join")
    ours = {"bot_id": "B0BOT", "app_id": "A0SANTRAL", "user": BOT_USER}
    await said(slack, "our own echo", **ours)
    await said(slack, "over")
    messages = await desk.until(DIRECT, lambda found: len(found) == 4 and found[0]["reactions"])

    assert texts(messages) == ["Done?", "Shipped", "@ada has joined", "over"]
    assert [one["emoji"] for one in messages[0]["reactions"]] == ["👍🏼"]
    assert [one["author"]["type"] for one in messages] == ["customer", "bot", "system", "customer"]
    assert messages[2]["kind"] == "event"


async def test_our_own_buttons_are_choices(desk: Switchboard, slack: SlackServer) -> None:
    await said(slack, "hello")
    (stored,) = await desk.until(DIRECT, len)
    reply = await desk.fate(await desk.reply(stored, "Shall we?"), "sent")
    (sent,) = slack.written()
    pressed = {
        "type": "block_actions",
        "user": {"id": ADA, "name": "ada"},
        "trigger_id": "1.2.3",
        "container": {"type": "message", "channel_id": DIRECT, "message_ts": sent["ts"]},
        "channel": {"id": DIRECT},
        "actions": [
            {"action_id": "santral:0", "type": "button", "value": "yes", "text": {"text": "Yes, please"}},
            {"action_id": "other", "type": "button", "value": "no"},
        ],
    }
    assert await slack.push(pressed, form=True)
    *_, choice = await desk.until(DIRECT, lambda found: len(found) == 3)

    assert (choice["text"], choice["parts"][0]["data"]) == ("Yes, please", {"value": "yes"})
    assert choice["relations"]["reply_to"] == reply["id"]


async def test_a_command_is_what_its_writer_says(desk: Switchboard, slack: SlackServer) -> None:
    await said(slack, "hello")
    command = {"command": "/help", "text": "with şişe", "user_id": ADA, "channel_id": DIRECT, "trigger_id": "9.9"}
    assert await slack.push(command, form=True)
    (message,) = await desk.until(ADA, len)

    assert message["text"] == "/help with şişe"
    assert len({one["conversation_id"] for one in await desk.stored()}) == 1


async def test_commands_in_the_direct_conversation_of_two_others_are_each_ones_own(
    desk: Switchboard, slack: SlackServer
) -> None:
    bob = "U0BOB"
    slack.users[bob] = slack.user(bob, "Bob")
    for user, trigger in ((ADA, "9.1"), (bob, "9.2")):
        command = {"command": "/help", "text": "me", "user_id": user, "channel_id": "D0ADABOB", "trigger_id": trigger}
        assert await slack.push(command, form=True)
    (hers,), (his,) = await desk.until(ADA, len), await desk.until(bob, len)
    await desk.fate(await desk.reply(hers, "Between you and me"), "sent")

    assert hers["conversation_id"] != his["conversation_id"]
    assert texts(slack.written(DIRECT)) == ["Between you and me"]


async def test_a_commands_writer_reads_a_notice_by_option(app: Any, slack: SlackServer) -> None:
    async with app(notice="We have it.") as desk:
        command = {"command": "/help", "text": "me", "user_id": ADA, "channel_id": "C0FOREIGN"}
        for trigger in (f"9.{number}" for number in range(25)):
            answer = {"trigger_id": trigger, "response_url": f"{slack.url}/commands/{trigger}"}
            assert await slack.push({**command, **answer}, form=True)

        async def told() -> bool:
            return len(slack.notices) == 25

        await eventually(told)  # none waits for another, which would take three seconds each
        assert slack.notices[0] == {"text": "We have it.", "response_type": "ephemeral"}
        message, *_ = await desk.until(ADA, lambda found: len(found) == 25)
        await desk.fate(await desk.reply(message, "Between you and me"), "sent")

        assert (texts(slack.written(DIRECT)), slack.written(GENERAL)) == (["Between you and me"], [])


async def test_a_new_name_is_read_from_then_on(desk: Switchboard, slack: SlackServer) -> None:
    await said(slack, f"<@{ADA}> in <#{GENERAL}>")
    await desk.until(DIRECT, len)
    slack.users[ADA] = slack.user(ADA, "Countess Lovelace")
    slack.channels[GENERAL]["name"] = "salon"
    assert await slack.push(slack.event({"type": "user_change", "user": slack.users[ADA]}))
    assert await slack.push(slack.event({"type": "group_rename", "channel": {"id": GENERAL, "name": "salon"}}))

    async def renamed() -> bool:
        await said(slack, f"<@{ADA}> in <#{GENERAL}>")
        return (await desk.stored())[-1]["text"] == "@countess in #salon"

    await eventually(renamed)
    assert (await desk.stored())[0]["text"] == "@ada in #general"


async def test_a_users_address_is_proved_in_our_workspace_alone(desk: Switchboard, slack: SlackServer) -> None:
    slack.users["U0FAR"] = slack.user("U0FAR", "Far Away", email="far@example.org", team="T0FAR")
    await said(slack, "near")
    await said(slack, "far", channel=GENERAL, user="U0FAR")
    await eventually(lambda: _count(desk, 2))

    async def known() -> Any:
        customers = (await desk.get("/api/v1/customers"))["items"]
        found = {one["value"]: one["verified"] for each in customers for one in each["identities"]}
        return found if {"ada@example.com", "far@example.org"} <= found.keys() else None

    found = await eventually(known)
    assert (found["ada@example.com"], found["far@example.org"]) == (True, False)


async def test_retries_are_one_message(desk: Switchboard, slack: SlackServer) -> None:
    event = slack.event(slack.message("once"), channel=DIRECT)
    for retry in range(4):
        assert await slack.push(event, retry=retry)
    await said(slack, "twice")
    messages = await desk.until(DIRECT, lambda found: len(found) == 2)

    assert texts(messages) == ["once", "twice"]


async def test_silence_begins_a_new_conversation_by_option(app: Any, slack: SlackServer) -> None:
    async with app(silence_hours=0.0001) as desk:
        await said(slack, "one")
        await desk.until(DIRECT, len)
        await asyncio.sleep(0.5)
        await said(slack, "two")
        first, second = await desk.until(DIRECT, lambda found: len(found) == 2)

        assert first["conversation_id"] != second["conversation_id"]
        later = await desk.get(f"/api/v1/conversations/{second['conversation_id']}")
        assert later["previous_id"] == first["conversation_id"]


@pytest.mark.parametrize("event", ["app_uninstalled", "tokens_revoked"])
async def test_a_revoked_app_stops_with_a_reason(app: Any, slack: SlackServer, event: str) -> None:
    async with app() as desk:
        slack.fail("refuse", "auth.test")
        told = {"type": event, "tokens": {"oauth": [], "bot": [BOT_USER]}}
        assert await slack.push({**slack.event(told), "authorizations": [7]})  # which nobody understands
        assert await slack.push(slack.event(told))
        state = await desk.channel("slack", "failed")

        assert "install it again" in state["reason"]


async def test_a_revocation_that_was_told_to_another_process_stops_this_one_too(
    app: Any, slack: SlackServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("connectors.slack.lifecycle.ASK_SECONDS", 0.1)
    async with app() as desk:
        await said(slack, "one")
        await desk.until(DIRECT, len)
        slack.refuses_with = "token_revoked"
        slack.fail("refuse", "auth.test")
        state = await desk.channel("slack", "failed")

        assert "does not accept the app's token" in state["reason"]


async def test_a_revocation_that_slack_does_not_stand_by_stops_nothing(desk: Switchboard, slack: SlackServer) -> None:
    assert await slack.push(slack.event({"type": "tokens_revoked", "tokens": {"bot": [BOT_USER]}}))

    async def asked() -> Any:
        return slack.called("auth.test")

    await eventually(asked)
    await said(slack, "still here")
    await desk.until(DIRECT, len)


@pytest.mark.parametrize("code", ["org_login_required", "team_added_to_org"])
async def test_a_workspace_that_is_moved_comes_back(
    app: Any, slack: SlackServer, monkeypatch: pytest.MonkeyPatch, code: str
) -> None:
    monkeypatch.setattr("connectors.slack.lifecycle.ASK_SECONDS", 0.1)
    monkeypatch.setattr("connectors.slack.api.RETRY_SECONDS", 0.1)
    async with app() as desk:
        slack.refuses_with = code
        slack.fail("refuse", "auth.test")
        asked = len(slack.called("auth.test"))

        async def again() -> bool:
            return len(slack.called("auth.test")) > asked + 2

        await eventually(again)
        await said(slack, "still here")
        await desk.until(DIRECT, len)


async def test_it_hears_while_the_web_api_is_down(
    desk: Switchboard, slack: SlackServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("connectors.slack.names.KEPT_SECONDS", 0)  # a name is asked for each time
    await said(slack, f"<@{ADA}> is here")
    slack.fail("broken")
    await said(slack, f"<@{BOT_USER}> are you there? <@{ADA}>")
    _, message = await desk.until(DIRECT, lambda found: len(found) == 2)

    assert message["text"] == f"@{BOT_USER} are you there? @ada"


@pytest.mark.parametrize(
    "body",
    [
        b'{"type": "event_callback", "event": {"type": "mess',
        b"[]",
        b"[" * 100_000,
        b'{"type": "event_callback", "event_id": 7, "event": {"type": "message", "channel": {}, "ts": [], "user": 1}}',
        b'{"type": "event_callback", "event": {"type": "message", "channel": "C1", "ts": "now", "user": "U1"}}',
        b'{"type": "event_callback", "event": {"type": "message", "channel": "C1", "ts": "1e999", "user": "U1"}}',
        b'{"type": "event_callback", "event_id": "Ev7", "event": {"type": "something_new", "channel": "C1"}}',
        b'{"type": {"a": 1}, "event": []}',
    ],
)
async def test_what_is_no_event_is_taken_and_harms_nobody(desk: Switchboard, slack: SlackServer, body: bytes) -> None:
    assert await slack.post(body) == 200
    await said(slack, "still here")
    await desk.until(DIRECT, lambda found: texts(found) == ["still here"])

    assert (await desk.get("/api/v1/ingest/failed"))["items"] == []


@pytest.mark.parametrize(
    "headers",
    [
        {"X-Slack-Signature": "v0=" + "0" * 64},
        {"X-Slack-Signature": ""},
        {"X-Slack-Signature": "ğ"},
        {"X-Slack-Request-Timestamp": "1700000000"},
        {"X-Slack-Request-Timestamp": "soon"},
        {"X-Slack-Request-Timestamp": "9" * 400},
    ],
)
async def test_a_forged_request_changes_nothing(desk: Switchboard, slack: SlackServer, headers: dict[str, str]) -> None:
    forged = slack.event(slack.message("let me in"), channel=DIRECT)
    assert await slack.post(json.dumps(forged).encode(), **headers) == 401
    await said(slack, "me too")
    await desk.until(DIRECT, lambda found: texts(found) == ["me too"])
    async with desk.http.get("/metrics") as answer:
        assert 'santral_requests_turned_away_total{channel="slack",reason="signature"} 1.0' in await answer.text()


async def test_bytes_that_are_no_text_are_refused(desk: Switchboard, slack: SlackServer) -> None:
    assert await slack.post(b"\xff\x00") == 401


async def test_ten_megabytes_are_refused(desk: Switchboard, slack: SlackServer) -> None:
    async with (
        aiohttp.ClientSession() as http,
        http.post(f"{desk.url}/hooks/slack", data=io.BytesIO(b"x" * 10_000_000)) as answer,
    ):
        assert answer.status == 413
    async with desk.http.get("/metrics") as answer:
        assert 'santral_requests_turned_away_total{channel="slack",reason="size"} 1.0' in await answer.text()


async def test_the_hooks_address_is_proved(desk: Switchboard, slack: SlackServer) -> None:
    body = json.dumps({"type": "url_verification", "challenge": "3eZbrw1aB"}).encode()
    assert await slack.post(body) == 200
    assert await slack.post(body, **{"X-Slack-Signature": "v0=1"}) == 401


async def test_of_two_processes_with_a_hook_both_run(app: Any, slack: SlackServer) -> None:
    async with app() as first, app() as second:

        async def both_run() -> bool:
            (channel,) = (await first.get("/api/v1/channels"))["items"]
            return [one["state"] for one in channel["processes"]] == ["running", "running"]

        await eventually(both_run)
        assert slack.hook == f"{second.url}/hooks/slack"
        await said(slack, "to the second, which does not keep the history")
        await first.until(DIRECT, len)
