"""The chats of businesses that the bot is connected to, as agents see them."""

from __future__ import annotations

from typing import Any

from switchboard import Switchboard

from connectors.testing.bot_api import CUSTOMER, BotApiServer


async def pushed(bot_api: BotApiServer, kind: str, content: dict[str, Any]) -> None:
    assert await bot_api.push(bot_api.update(kind, content)) == [200]


async def test_the_owner_of_a_connected_business_writes_as_an_agent(desk: Switchboard, bot_api: BotApiServer) -> None:
    connection = {"business_connection_id": "b-1"}
    asked = bot_api.message("Are you open?", **connection)
    grace = {"id": 55, "is_bot": False, "first_name": "Grace"}
    greeted = {**bot_api.message("We read this soon.", is_from_offline=True, **connection), "from": grace}
    answered = {**bot_api.message("Until six.", **connection), "from": grace}
    await pushed(bot_api, "business_message", asked)
    await pushed(bot_api, "business_message", greeted)
    first, _ = await desk.until(f"{CUSTOMER}@b-1", lambda found: len(found) == 2)
    conversation = f"/api/v1/conversations/{first['conversation_id']}"
    assert (await desk.get(conversation))["waiting_since"]
    await pushed(bot_api, "business_message", answered)
    *_, second = await desk.until(f"{CUSTOMER}@b-1", lambda found: len(found) == 3)
    assert (await desk.get(conversation))["waiting_since"] is None

    assert (first["direction"], second["direction"]) == ("inbound", "outbound")
    assert second["author"] == {"type": "agent", "id": None, "name": "Grace", "identity_id": None}
    await desk.fate(await desk.reply(first, "And on Sundays never."), "sent")
    assert [one["business_connection_id"] for one in bot_api.written()] == ["b-1"]
    reaction = {"emoji": "👍"}
    problem = await desk.post(f"/api/v1/messages/{first['id']}/reactions", reaction, status=422)
    assert (problem["type"], "connected business" in problem["detail"]) == ("refused-there", True)
    ids = [asked["message_id"]]
    await pushed(bot_api, "deleted_business_messages", {**connection, "chat": asked["chat"], "message_ids": ids})
    await desk.until(f"{CUSTOMER}@b-1", lambda found: found[0]["deleted_at"])


async def test_each_account_numbers_a_customers_messages_by_itself(desk: Switchboard, bot_api: BotApiServer) -> None:
    await pushed(bot_api, "message", bot_api.message("to the bot", message_id=7))
    said = {}
    for connection in ("b-1", "b-2"):
        place = {"business_connection_id": connection}
        said[connection] = bot_api.message(f"to {connection}", message_id=7, **place)
        await pushed(bot_api, "business_message", said[connection])
    edited = {**said["b-2"], "text": "to b-2, please", "edit_date": said["b-2"]["date"] + 5}
    await pushed(bot_api, "edited_business_message", edited)
    told = {"business_connection_id": "b-1", "chat": said["b-1"]["chat"], "message_ids": [7]}
    await pushed(bot_api, "deleted_business_messages", told)
    (second,) = await desk.until(f"{CUSTOMER}@b-2", lambda found: found[0]["revisions"])
    (first,) = await desk.until(f"{CUSTOMER}@b-1", lambda found: found[0]["deleted_at"])
    (alone,) = await desk.thread(str(CUSTOMER))

    assert [one["text"] for one in (alone, first, second)] == ["to the bot", "to b-1", "to b-2, please"]
    assert (alone["deleted_at"], second["deleted_at"], alone["revisions"]) == (None, None, [])
    reply = await desk.fate(await desk.reply(second, "Gladly", reply_to=second["id"]), "sent")
    (sent,) = bot_api.written()
    assert sent["reply_parameters"]["message_id"] == 7
    assert reply["external"]["ids"] == [f"{CUSTOMER}@b-2/{sent['message_id']}"]
    await desk.call("PATCH", f"/api/v1/messages/{reply['id']}", {"text": "With pleasure"})
    assert [one["text"] for one in bot_api.written()] == ["With pleasure"]
