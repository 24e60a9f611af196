"""Webhooks, as a subscriber sees them: signed, once or again, never to where they may not lead."""

from __future__ import annotations

import asyncio
import re
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from api_desk import Desk
from receiver import Receiver, listening
from standardwebhooks.webhooks import Webhook as Verifier

from inbox import webhooks
from inbox.public_only import ForbiddenAddressError, PublicOnly

WEBHOOKS = "/api/v1/webhooks"
GUIDE = Path(__file__).parents[3] / "docs" / "webhooks.md"


@pytest.fixture
async def receiver() -> AsyncIterator[Receiver]:
    """In the network that the configuration allows."""
    async with listening("127.77.0.1") as one:
        yield one


async def subscribe(desk: Desk, url: str, **fields: Any) -> dict[str, Any]:
    made: dict[str, Any] = await desk.send("POST", WEBHOOKS, {"url": url, **fields}, status=201)
    return made


async def deliveries(desk: Desk, id_: str, state: str) -> list[dict[str, Any]]:
    items = (await desk.get(f"{WEBHOOKS}/{id_}/deliveries", limit=200))["items"]
    return [item for item in items if item["state"] == state]


async def test_what_happens_is_told_signed(desk: Desk, receiver: Receiver) -> None:
    webhook = await subscribe(desk, receiver.url, events=["message.created"])
    message = await desk.letter("tell them")

    async def come() -> list[tuple[dict[str, str], bytes]]:
        return receiver.of(message["id"])

    ((headers, body),) = await desk.eventually(come)
    told: Any = Verifier(webhook["secret"]).verify(body, headers)
    assert (told["type"], told["message_id"], told["data"]["message"]) == ("message.created", message["id"], message)
    assert headers["webhook-id"] == f"evt_{told['id']}"
    for headers, body in receiver.calls:
        of_type: Any = Verifier(webhook["secret"]).verify(body, headers)
        assert of_type["type"] == "message.created"
    snippet = re.search(r"<!-- example: verify -->\n```python\n(.*?)```", GUIDE.read_text("utf-8"), re.DOTALL)
    assert snippet is not None
    guide: dict[str, Any] = {}
    exec(snippet[1], guide)
    assert guide["is_santrals"](webhook["secret"], headers, body)
    assert not guide["is_santrals"](webhook["secret"], headers, body + b" ")
    await desk.eventually(lambda: deliveries(desk, webhook["id"], "delivered"))
    assert "secret" not in str(await desk.get(f"{WEBHOOKS}/{webhook['id']}"))


async def test_who_was_away_is_told_later_under_the_same_id(
    opened: Callable[..., Awaitable[Desk]], documents: Any, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(webhooks, "PAUSES", (timedelta(hours=1),))  # it is over when we say so
    desk = await opened()
    receiver.answer = lambda: web.Response(status=503, text="be right back")
    webhook = await subscribe(desk, receiver.url, events=["message.created"])
    message = await desk.letter("again")

    (pending,) = await desk.eventually(lambda: told(desk, webhook["id"]))
    assert (pending["status"], pending["error"], pending["attempts"]) == (503, "be right back", 1)
    assert (await desk.get(f"{WEBHOOKS}/{webhook['id']}"))["failing_since"] is not None
    receiver.answer = web.Response
    await documents["webhook_deliveries"].update_one({"_id": pending["id"]}, {"$set": {"due_at": datetime.now(UTC)}})
    (delivered,) = await desk.eventually(lambda: deliveries(desk, webhook["id"], "delivered"))
    assert delivered["attempts"] == 2
    assert len({headers["webhook-id"] for headers, _ in receiver.of(message["id"])}) == 1
    assert (await desk.get(f"{WEBHOOKS}/{webhook['id']}"))["failing_since"] is None

    body = {"delivery_id": delivered["id"]}
    await desk.send("POST", f"{WEBHOOKS}/{webhook['id']}/retry", body)

    async def thrice() -> bool:
        return len(receiver.of(message["id"])) == 3

    await desk.eventually(thrice)


async def told(desk: Desk, id_: str) -> list[dict[str, Any]]:
    return [item for item in await deliveries(desk, id_, "pending") if item["error"]]


async def test_who_wants_no_more_is_switched_off_and_goes_on_from_there(desk: Desk, receiver: Receiver) -> None:
    receiver.answer = lambda: web.Response(status=410)
    webhook = await subscribe(desk, receiver.url, events=["message.created"])
    await desk.letter("the last straw")

    async def off() -> bool:
        return not (await desk.get(f"{WEBHOOKS}/{webhook['id']}"))["active"]

    await desk.eventually(off)
    assert "410" in (await desk.get(f"{WEBHOOKS}/{webhook['id']}"))["reason"]
    missed = await desk.letter("missed meanwhile")
    receiver.answer = web.Response
    again = await desk.send("PATCH", f"{WEBHOOKS}/{webhook['id']}", {"active": True})
    assert (again["active"], again["reason"]) == (True, None)

    async def come() -> bool:
        return bool(receiver.of(missed["id"]))

    await desk.eventually(come)


async def test_everything_after_a_cursor_is_told_once_more(desk: Desk, receiver: Receiver) -> None:
    cursor = (await desk.get("/api/v1/events"))["next"]
    before = await desk.letter("before there was anybody")
    webhook = await subscribe(desk, receiver.url, events=["message.created"])
    await desk.send("POST", f"{WEBHOOKS}/{webhook['id']}/replay", {"after": cursor})

    async def come(times: int) -> bool:
        return len(receiver.of(before["id"])) == times

    await desk.eventually(lambda: come(1))
    await desk.eventually(lambda: deliveries(desk, webhook["id"], "delivered"))
    await desk.send("POST", f"{WEBHOOKS}/{webhook['id']}/replay", {"after": cursor})
    await desk.eventually(lambda: come(2))
    problem = await desk.problem("POST", f"{WEBHOOKS}/{webhook['id']}/replay", json={"after": "MTo1"})
    assert (problem["status"], problem["type"]) == (410, "cursor-expired")
    assert (await desk.problem("POST", WEBHOOKS, json={"url": receiver.url, "after": "x"}))["status"] == 400


async def test_both_secrets_sign_while_they_change(desk: Desk, receiver: Receiver) -> None:
    webhook = await subscribe(desk, receiver.url)
    new = (await desk.send("POST", f"{WEBHOOKS}/{webhook['id']}/secret", None))["secret"]
    tested = await desk.send("POST", f"{WEBHOOKS}/{webhook['id']}/test", None)
    assert (tested["status"], tested["error"]) == (200, None)
    headers, body = next(call for call in receiver.calls if call[0]["webhook-id"].startswith("ping_"))
    for secret in (webhook["secret"], new):
        assert Verifier(secret).verify(body, headers)["type"] == "ping"  # type: ignore[index]


async def test_a_slow_one_holds_up_nobody_else(desk: Desk, receiver: Receiver) -> None:
    async with listening("127.77.0.2") as slow:
        stuck = asyncio.Event()

        async def wait(_: web.Request) -> web.Response:
            await stuck.wait()
            return web.Response()

        slow.handle = wait  # type: ignore[method-assign]
        await subscribe(desk, slow.url)
        await subscribe(desk, receiver.url, events=["message.created"])
        for number in range(12):
            message = await desk.letter(f"number {number}")

        async def come() -> bool:
            return bool(receiver.of(message["id"]))

        await desk.eventually(come)
        stuck.set()


async def test_a_redirect_is_a_failure(desk: Desk, receiver: Receiver) -> None:
    async with listening("127.0.0.1") as inside:
        receiver.answer = lambda: web.Response(status=307, headers={"Location": inside.url})
        webhook = await subscribe(desk, receiver.url)
        tested = await desk.send("POST", f"{WEBHOOKS}/{webhook['id']}/test", None)
        assert (tested["status"], inside.calls) == (307, [])


@pytest.mark.parametrize(
    "url",
    [
        "http://127.0.0.1:8080/",
        "https://127.0.0.1/",
        "https://[::1]/",
        "https://[::ffff:127.0.0.1]/",
        "https://[::ffff:7f00:1]/",
        "https://[64:ff9b::7f00:1]/",
        "https://[2002:7f00:1::]/",
        "https://169.254.169.254/latest/meta-data",
        "https://10.0.0.1/",
        "https://0.0.0.0/",
        "https://127.1/",
        "https://2130706433/",
        "https://0x7f000001/",
        "https://017700000001/",
        "https://[fd00::1]/",
        "https://224.0.0.1/",
        "http://93.184.216.34/",  # public, and not encrypted
        "https://user:password@example.com/",
        "ftp://example.com/",
        "https://",
        "file:///etc/passwd",
        "https://exa mple.com:99999999/",
    ],
)
async def test_where_no_webhook_may_lead(desk: Desk, url: str) -> None:
    problem = await desk.problem("POST", WEBHOOKS, json={"url": url})
    assert (problem["status"], problem["errors"][0]["field"]) == (422, "url")


async def test_a_name_that_leads_inside_is_not_called(desk: Desk) -> None:
    async with listening("127.0.0.1") as inside:
        port = inside.url.rpartition(":")[2].partition("/")[0]
        webhook = await subscribe(desk, f"https://localhost:{port}/")
        tested = await desk.send("POST", f"{WEBHOOKS}/{webhook['id']}/test", None)
        assert tested["status"] is None
        assert tested["error"].startswith("ForbiddenAddressError")
        assert inside.calls == []


async def test_a_name_that_changes_its_mind_gains_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """The system's resolver, as the owner of a name makes it answer: public at the first look, inside at the second."""
    answers = iter(["93.184.216.34", "127.0.0.1", "127.0.0.1"])
    looked_up = []

    def getaddrinfo(host: str, port: Any, *_: Any, **__: Any) -> Any:
        looked_up.append(host)
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (next(answers), port))]

    monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)
    allowed = PublicOnly([])
    allowed.check("https://rebinding.example.com/")
    async with allowed.client(encrypted=True) as client:
        connector = client.connector
        assert connector is not None
        first = await connector._resolver.resolve("rebinding.example.com", 443)  # type: ignore[attr-defined]
        assert [one["host"] for one in first] == ["93.184.216.34"]  # these very addresses are connected to
        with pytest.raises(ForbiddenAddressError):
            await connector._resolver.resolve("rebinding.example.com", 443)  # type: ignore[attr-defined]
    assert len(looked_up) == 2


async def test_what_is_no_webhook_is_named(desk: Desk, receiver: Receiver) -> None:
    for body, field in (
        ({"url": receiver.url, "events": ["message.sung"]}, "events"),
        ({"url": receiver.url, "secret": "mine"}, "secret"),
        ({"url": 5}, "url"),
        ({}, "url"),
    ):
        problem = await desk.problem("POST", WEBHOOKS, json=body)
        assert problem["status"] == 422
        assert problem["errors"][0]["field"].startswith(field)
    webhook = await subscribe(desk, receiver.url)
    async with desk.http.delete(f"{WEBHOOKS}/{webhook['id']}") as answer:
        assert answer.status == 204
    for method, path in (("GET", ""), ("DELETE", ""), ("GET", "/deliveries"), ("POST", "/test"), ("POST", "/secret")):
        assert (await desk.problem(method, f"{WEBHOOKS}/{webhook['id']}{path}"))["status"] == 404
