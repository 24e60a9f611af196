from __future__ import annotations

from typing import Any
from urllib.parse import quote

import pytest
from api_desk import Desk
from yarl import URL


async def _failures(desk: Desk, *dropped: str) -> list[dict[str, Any]]:
    """Every event that failed, once those `dropped` are among them: those of other tests may be there too."""

    async def all_failed() -> list[dict[str, Any]] | None:
        items: list[dict[str, Any]] = (await desk.get("/api/v1/ingest/failed"))["items"]
        return items if {item["message_id"] for item in items} >= set(dropped) else None

    return await desk.eventually(all_failed)


async def _failure(desk: Desk, dropped: str) -> dict[str, Any]:
    return next(item for item in await _failures(desk, dropped) if item["message_id"] == dropped)


async def test_what_cannot_be_read_is_listed_and_replayed(desk: Desk) -> None:
    dropped = await desk.drop("unreadable")

    entry = await _failure(desk, dropped)
    assert (entry["channel"], entry["connector"]) == ("letters", "letterbox")
    assert "nobody can read this" in entry["error"]

    async with desk.http.post(f"{desk.url}/api/v1/ingest/{entry['id'].replace('|', '%7C')}/replay") as answer:
        assert (answer.status, await answer.json()) == (202, {"replayed": 1})
    await _failure(desk, dropped)


async def test_the_original_of_a_failed_event_is_an_admins_to_save(desk: Desk) -> None:
    entry = await _failure(desk, await desk.drop("unreadable"))
    path = URL(f"/api/v1/ingest/{quote(entry['id'], safe='')}/original", encoded=True)
    async with desk.http.get(path) as answer:
        assert answer.status == 200
        assert answer.headers["Content-Disposition"] == "attachment"
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        assert "sandbox" in answer.headers["Content-Security-Policy"]
        body = await answer.read()
    assert len(body) == int(entry["size"])
    assert b"unreadable" in body

    understood = await desk.letter("plain words")
    original = quote(understood["external"]["original_id"], safe="")
    problem = await desk.problem("GET", URL(f"/api/v1/ingest/{original}/original", encoded=True))
    assert (problem["status"], problem["type"]) == (404, "not-found")


async def test_failed_ones_page(desk: Desk) -> None:
    dropped = [await desk.drop("unreadable") for _ in range(3)]

    everything = [item["id"] for item in await _failures(desk, *dropped)]
    paged: list[str] = []
    page = await desk.get("/api/v1/ingest/failed", limit=1)
    while True:
        paged += [item["id"] for item in page["items"]]
        if page["next"] is None:
            break
        page = await desk.get("/api/v1/ingest/failed", limit=1, cursor=page["next"])

    assert paged == everything


async def test_the_channels_say_how_they_do(desk: Desk) -> None:
    await desk.letter("hello")

    page = await desk.get("/api/v1/channels")

    assert page["next"] is None
    assert {item["id"] for item in page["items"]} == {"letters", "second"}
    assert {item["state"] for item in page["items"]} == {"running"}
    assert all(item.keys() >= {"id", "connector", "state", "reason", "last_in", "last_out"} for item in page["items"])
    assert next(item["last_in"] for item in page["items"] if item["id"] == "letters").endswith("Z")


@pytest.mark.parametrize("path", ["/hooks/nothing", "/chat/nothing/ws", "/chat/letters/ws", "/hooks/%2e%2e/nothing"])
async def test_what_no_channel_serves_is_404(desk: Desk, path: str) -> None:
    assert (await desk.problem("POST", path, data=b"{}"))["status"] == 404


async def test_health_needs_no_token(desk: Desk) -> None:
    for path in ("/healthz", "/readyz"):
        async with desk.http.get(path, headers={"Authorization": ""}) as answer:
            assert answer.status == 200
            assert (await answer.json())["status"] in ("ok", "ready")
        async with desk.http.head(path) as answer:
            assert answer.status == 200


async def test_the_channels_come_in_pages_too(desk: Desk) -> None:
    whole = (await desk.get("/api/v1/channels"))["items"]
    paged = []
    page = await desk.get("/api/v1/channels", limit=1)
    while True:
        paged += page["items"]
        if page["next"] is None:
            break
        page = await desk.get("/api/v1/channels", limit=1, cursor=page["next"])
    assert [one["id"] for one in paged] == [one["id"] for one in whole]
