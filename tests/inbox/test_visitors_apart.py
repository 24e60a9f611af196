"""No frame and no request of a visitor gets at anything of another's, whatever ids they know."""

from __future__ import annotations

import asyncio
import json
from typing import Any, get_args

import aiohttp
from harness import PATIENCE, Visitor, eventually

from connectors.webchat.protocol import ClientFrame

SECRET = "only-between-us"


async def heard(socket: Any) -> list[dict[str, Any]]:
    """What comes until the answer to a last frame."""
    frames: list[dict[str, Any]] = []
    await socket.send_json({"type": "message", "client_id": "last", "text": "x", "attachments": []})
    async with asyncio.timeout(PATIENCE):
        while not frames or frames[-1].get("client_id") != "last":
            frames.append(await socket.receive_json())
    return frames


async def test_no_frame_gets_at_another_visitor(santral: Any) -> None:
    one = await santral(more=[{"id": "shop", "connector": "webchat"}])
    victim, thief = Visitor(one.url), Visitor(one.url)
    async with (
        victim.connected() as theirs,
        thief.connected() as mine,
        one.desk() as desk,
        aiohttp.ClientSession(one.url) as http,
    ):
        bearer = {"Authorization": f"Bearer {victim.token}", "X-Filename": f"{SECRET}.txt"}
        async with http.post("/chat/site/attachments", data=SECRET.encode(), headers=bearer) as answer:
            file = (await answer.json())["id"]
        ack = {"type": "message", "client_id": "c-1", "text": SECRET, "attachments": [file]}
        await theirs.send_json(ack)
        (conversation,) = await eventually(desk.conversations)
        path = f"/api/v1/conversations/{conversation['id']}/messages"
        reply = await desk.post(path, {"text": f"{SECRET}, said the agent"})
        message, cursor = await _shown(theirs, reply["id"])
        await eventually(lambda: _delivered(desk, conversation["id"]))
        before = await desk.messages(conversation["id"])

        known: dict[str, dict[str, Any]] = {
            "hello": {"token": thief.token, "cursor": cursor},
            "message": {"client_id": "c-1", "text": "mine", "attachments": [file]},
            "identify": {"token": victim.token},
            "choose": {"message_id": reply["id"], "value": "yes"},
            "rate": {"score": 0, "comment": "thief", "client_id": "c-1"},
            "call_back": {"phone": "1", "client_id": "c-1"},
            "typing": {},
            "read": {"message_id": reply["id"]},
            "logout": {},
        }
        assert set(known) == {frame.__struct_config__.tag for frame in get_args(ClientFrame)}  # all there are
        frames: list[dict[str, Any]] = []
        for kind, fields in known.items():
            await mine.send_json(
                {"type": kind, **fields, "visitor": victim.token, "conversation_id": conversation["id"]}
            )
            frames += await heard(mine)  # the last of them is refused: they have logged out
        for token in (thief.token, victim.token):  # neither is good after the logout, or on another channel
            channel = "site" if token == thief.token else "shop"
            headers = {"Authorization": f"Bearer {token}"}
            for request in (f"attachments/{file}", f"poll?wait=0&cursor={cursor}"):
                async with http.get(f"/chat/{channel}/{request}", headers=headers) as answer:
                    assert answer.status == 401
        told = json.dumps(frames)
        for secret in (SECRET, file, reply["id"], message["id"], conversation["id"], victim.token):
            assert secret not in told
        assert await desk.messages(conversation["id"]) == before


async def test_what_is_asked_for_by_request_is_ones_own_too(santral: Any) -> None:
    one = await santral()
    victim, thief = Visitor(one.url), Visitor(one.url)
    async with victim.connected() as theirs, thief.connected(), aiohttp.ClientSession(one.url) as http:
        bearer = {"Authorization": f"Bearer {victim.token}", "X-Filename": "secret.txt"}
        async with http.post("/chat/site/attachments", data=b"secret", headers=bearer) as answer:
            file = (await answer.json())["id"]
        await theirs.send_json({"type": "message", "client_id": "c-1", "text": SECRET, "attachments": [file]})
        message, _ = await _shown(theirs, None)
        headers = {"Authorization": f"Bearer {thief.token}"}
        async with http.get(f"/chat/site/attachments/{file}", headers=headers) as answer:
            assert answer.status == 404
        async with http.get("/chat/site/poll", params={"wait": "0", "cursor": "MTow"}, headers=headers) as answer:
            assert SECRET not in await answer.text()
        frame = {"type": "message", "client_id": "t-1", "text": "x", "attachments": [file]}
        async with http.post("/chat/site/poll", json=frame, headers=headers) as answer:
            assert answer.status == 400
        assert message["text"] == SECRET


async def _shown(socket: Any, message_id: str | None) -> tuple[dict[str, Any], str]:
    async with asyncio.timeout(PATIENCE):
        while True:
            frame = await socket.receive_json()
            if frame["type"] == "message" and message_id in (None, frame["message"]["id"]):
                return frame["message"], frame["cursor"]


async def _delivered(desk: Any, conversation_id: str) -> bool:
    return any((one["delivery"] or {}).get("state") == "delivered" for one in await desk.messages(conversation_id))
