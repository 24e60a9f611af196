"""Reports: their numbers after what happened, in the inbox's days, once whatever is repeated, as JSON and as CSV."""

from __future__ import annotations

import asyncio
import csv
import io
import uuid
from collections.abc import Awaitable, Callable
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from api_desk import Desk
from yarl import URL

CONVERSATIONS = "/api/v1/conversations"
REPORTS = ("volume", "times", "backlog", "hours")
DAY = timedelta(days=1)

Opened = Callable[..., Awaitable[Desk]]


def about_today(**more: str) -> dict[str, str]:
    """A span with today in it, also when that ends meanwhile."""
    today = datetime.now(UTC).date()
    return {"from": str(today - DAY), "to": str(today + DAY), **more}


async def report(desk: Desk, name: str, **query: str) -> list[dict[str, Any]]:
    items: list[dict[str, Any]] = (await desk.get(f"/api/v1/reports/{name}", **(query or about_today())))["items"]
    return items


async def flows(desk: Desk, **filters: str) -> dict[str, tuple[int, int, int]]:
    rows = await report(desk, "volume", **about_today(bucket="span", **filters))
    return {row["channel"]: (row["inbound"], row["outbound"], row["conversations"]) for row in rows}


async def times(desk: Desk, **filters: str) -> dict[str, Any]:
    rows = await report(desk, "times", **about_today(bucket="span", **filters))
    return rows[0] if rows else {"first_responses": 0, "resolutions": 0}


async def standing(desk: Desk, **filters: str) -> tuple[int, int]:
    """How many are open, and wait, now."""
    row = (await report(desk, "backlog", **about_today(**filters)))[-1]
    return row["open"], row["waiting"]


async def conversation(desk: Desk, **fields: Any) -> str:
    """One that a new customer begins."""
    message = await desk.letter("where is it?", **{"from": str(uuid.uuid4()), **fields})
    return f"{CONVERSATIONS}/{message['conversation_id']}"


async def reply(desk: Desk, path: str, **fields: Any) -> Any:
    return await desk.send("POST", f"{path}/messages", {"text": "on its way", **fields}, status=201)


async def earlier(documents: Any, path: str, **times: timedelta) -> None:
    """As if those times of a conversation were so long ago."""
    past = {name: datetime.now(UTC) - ago for name, ago in times.items()}
    await documents["conversations"].update_one({"_id": path.rpartition("/")[2]}, {"$set": past})


async def test_what_comes_and_goes_is_counted_by_channel(opened: Opened) -> None:
    desk = await opened()
    team = (await desk.send("POST", "/api/v1/teams", {"name": "billing"}, status=201))["id"]
    me = (await desk.get("/api/v1/me"))["id"]
    path = await conversation(desk, thread="t")
    await desk.letter("hello?", **{"from": "ada"}, thread="t")
    await conversation(desk, channel="second")
    await reply(desk, path)
    await reply(desk, path, text="between us", direction="note")
    assert await flows(desk) == {"letters": (2, 1, 1), "second": (1, 0, 1)}
    assert await flows(desk, channel="second") == {"second": (1, 0, 1)}
    assert await flows(desk, agent=me) == {"letters": (0, 1, 0)}

    await desk.send("PATCH", path, {"team": team, "assignee": me})
    await desk.letter("thanks", **{"from": "ada"}, thread="t")
    assert await flows(desk, team=team) == {"letters": (1, 0, 0)}
    assert await flows(desk, agent=me, channel="letters") == {"letters": (1, 1, 0)}
    assert await flows(desk, team="nobody's") == {}

    (begun,) = (await desk.get(CONVERSATIONS, channel="second"))["items"]
    await desk.send("POST", f"{CONVERSATIONS}/{begun['id']}/merge", {"into": path.rpartition("/")[2]})
    assert await flows(desk) == {"letters": (3, 1, 1), "second": (1, 0, 1)}


async def test_times_are_from_the_first_question_to_the_answer_and_to_the_end(opened: Opened, documents: Any) -> None:
    desk = await opened()
    me = (await desk.get("/api/v1/me"))["id"]
    path = await conversation(desk, thread="t")
    await earlier(documents, path, waiting_since=timedelta(hours=1), created_at=timedelta(days=2))
    await desk.letter("hello?", **{"from": "ada"}, thread="t")
    await reply(desk, path, text="between us", direction="note")
    assert (await times(desk))["first_responses"] == 0

    await reply(desk, path)
    await desk.letter("and now?", **{"from": "ada"}, thread="t")
    await reply(desk, path)  # is no first one
    await desk.send("PATCH", path, {"status": "resolved"})
    found = await times(desk)
    assert (found["first_responses"], found["resolutions"]) == (1, 1)
    assert found["first_response_median"] == found["first_response_p90"] == pytest.approx(3600, rel=0.05)
    assert found["resolution_median"] == pytest.approx(2 * 24 * 3600, rel=0.05)
    assert (await times(desk, agent=me))["first_responses"] == 1
    assert (await times(desk, agent="nobody")) == {"first_responses": 0, "resolutions": 0}

    # What is opened again is answered and resolved once more, from then on.
    await desk.letter("it is broken", **{"from": "ada"}, thread="t")
    await earlier(documents, path, waiting_since=timedelta(minutes=10), opened_at=timedelta(minutes=20))
    await reply(desk, path)
    await desk.send("PATCH", path, {"status": "resolved"})
    await desk.send("PATCH", path, {"status": "resolved", "tags": ["again"]})
    found = await times(desk)
    assert (found["first_responses"], found["resolutions"]) == (2, 2)
    assert found["first_response_median"] == pytest.approx(600, rel=0.05)
    assert found["first_response_p90"] == pytest.approx(3600, rel=0.05)
    assert found["resolution_median"] == pytest.approx(1200, rel=0.05)


async def test_nobody_waits_for_what_the_company_begins(opened: Opened) -> None:
    desk = await opened()
    body = {"channel": "letters", "text": "dear customer", "identity": {"kind": "letter", "value": "bob"}}
    begun = await desk.send("POST", CONVERSATIONS, body, status=201)
    assert await flows(desk) == {"letters": (0, 1, 1)}
    assert (await times(desk))["first_responses"] == 0
    assert begun["answered_at"] == begun["created_at"]


async def test_what_was_left_to_do_is_told_of_each_day(opened: Opened, documents: Any) -> None:
    desk = await opened()
    first, second = await conversation(desk), await conversation(desk, channel="second")
    await conversation(desk)
    await reply(desk, first)
    assert await standing(desk) == (3, 2)

    today = datetime.now(UTC).date()
    await _move(documents, days=2)
    await desk.send("PATCH", second, {"status": "resolved"})
    await desk.send("PATCH", first, {"status": "snoozed"})
    rows = await report(desk, "backlog", **{"from": str(today - 9 * DAY), "to": str(today + 9 * DAY)})
    told = {row["day"]: (row["open"], row["waiting"]) for row in rows}
    assert [told[str(today - days * DAY)] for days in (2, 1, 0)] == [(3, 2), (3, 2), (1, 1)]
    assert str(today - 3 * DAY) not in told
    rows = await report(desk, "backlog", **{"from": str(today - 2 * DAY), "to": str(today - DAY), "channel": "second"})
    assert [(row["open"], row["waiting"]) for row in rows] == [(1, 1), (1, 1)]
    assert await standing(desk, channel="second") == (0, 0)
    assert await standing(desk, team="nobody's") == (0, 0)


async def _move(documents: Any, *, days: int) -> None:
    """As if all that was counted had been counted so many days ago."""
    async for tally in documents["reports"].find():
        await documents["reports"].delete_one({"_id": tally["_id"]})
        day = str(date.fromisoformat(tally["day"]) - days * DAY)
        moved = {"_id": tally["_id"].replace(tally["day"], day), "day": day}
        await documents["reports"].insert_one({**tally, **moved})
    began = datetime.now(UTC) - days * DAY
    await documents["meta"].update_one({"_id": "reports"}, {"$set": {"since": began}})


async def test_joined_and_erased_conversations_are_not_left_to_do(opened: Opened) -> None:
    desk = await opened()
    message = await desk.letter("the lamp", **{"from": "eve"})
    path = f"{CONVERSATIONS}/{message['conversation_id']}"
    emptied = await conversation(desk, channel="second")
    assert await standing(desk) == (2, 2)
    await desk.send("POST", f"{emptied}/merge", {"into": message["conversation_id"]})
    assert (await standing(desk), await standing(desk, channel="second")) == ((1, 1), (1, 1))
    assert (await times(desk))["resolutions"] == 0
    before = await flows(desk)

    await reply(desk, path)
    await desk.send("POST", f"/api/v1/customers/{message['customer_id']}/erase", None)
    assert await standing(desk) == (0, 0)
    assert await flows(desk) == {**before, "letters": (1, 1, 1)}


async def test_days_and_hours_are_those_of_the_inbox(opened: Opened) -> None:
    """In Berlin the clocks went from 3 to 2 on 25 October 2026, and from 2 to 3 on 29 March."""
    desk = await opened(timezone="Europe/Berlin")
    for at in (
        "2026-10-24T21:59:00Z",  # Saturday 23:59
        "2026-10-24T22:00:00Z",  # Sunday 0:00, of a day with 25 hours
        "2026-10-25T00:30:00Z",  # 2:30
        "2026-10-25T01:30:00Z",  # 2:30 once more
        "2026-10-25T22:59:00Z",  # 23:59
        "2026-10-25T23:00:00Z",  # Monday 0:00
        "2026-03-29T00:59:00Z",  # Sunday 1:59
        "2026-03-29T01:00:00Z",  # 3:00
    ):
        await desk.letter("what time is it?", at=at)

    autumn = {"from": "2026-10-24", "to": "2026-10-26"}
    rows = await report(desk, "volume", **autumn)
    assert [(row["begins"], row["inbound"]) for row in rows] == [
        ("2026-10-24", 1),
        ("2026-10-25", 4),
        ("2026-10-26", 1),
    ]
    rows = await report(desk, "volume", **autumn, bucket="week")
    assert [(row["begins"], row["inbound"]) for row in rows] == [("2026-10-19", 5), ("2026-10-26", 1)]
    assert await _hours(desk, **autumn) == {(6, 23): 1, (7, 0): 1, (7, 2): 2, (7, 23): 1, (1, 0): 1}
    spring = {"from": "2026-03-29", "to": "2026-03-29"}
    assert await _hours(desk, **spring) == {(7, 1): 1, (7, 3): 1}
    assert await _hours(desk, **spring, channel="second") == {}
    assert (await desk.get("/api/v1/reports/hours", **spring))["timezone"] == "Europe/Berlin"


async def _hours(desk: Desk, **query: str) -> dict[tuple[int, int], int]:
    rows = await report(desk, "hours", **query)
    assert [(row["weekday"], row["hour"]) for row in rows] == [(day, hour) for day in range(1, 8) for hour in range(24)]
    return {(row["weekday"], row["hour"]): row["inbound"] for row in rows if row["inbound"]}


async def test_two_processes_count_into_the_same(opened: Opened) -> None:
    desks = [await opened(), await opened()]
    paths = await asyncio.gather(*[conversation(desks[number % 2]) for number in range(20)])
    await asyncio.gather(*[reply(desks[number % 2], path) for number, path in enumerate(paths, start=1)])
    await asyncio.gather(
        *[desk.send("PATCH", path, {"status": "resolved"}) for desk, path in zip(desks, paths, strict=False)]
    )
    for desk in desks:
        assert await flows(desk) == {"letters": (20, 20, 20)}
        assert await standing(desk) == (18, 0)
        found = await times(desk)
        assert (found["first_responses"], found["resolutions"]) == (20, 2)


async def test_what_comes_again_is_counted_once(opened: Opened) -> None:
    desk = await opened()
    letter = {"id": "once", "thread": "once", "from": "ada"}
    message = await desk.letter("hello", **letter)
    assert await desk.drop("hello", **letter) == message["id"]
    path = f"{CONVERSATIONS}/{message['conversation_id']}"
    for _ in range(2):
        await reply(desk, path, client_id="once")
    await desk.letter("another", thread="another")
    assert await flows(desk) == {"letters": (2, 1, 2)}
    assert (await times(desk))["first_responses"] == 1


async def test_what_could_not_be_read_is_counted_once_it_is(opened: Opened, tmp_path: Path) -> None:
    desk, seal = await opened(), tmp_path / "seal"
    seal.touch()
    await desk.drop("hello", seal=str(seal))

    async def failed() -> list[dict[str, Any]]:
        items: list[dict[str, Any]] = (await desk.get("/api/v1/ingest/failed"))["items"]
        return items

    (entry,) = await desk.eventually(failed)
    assert await flows(desk) == {}
    seal.unlink()
    replay = URL(f"/api/v1/ingest/{entry['id'].replace('|', '%7C')}/replay", encoded=True)
    async with desk.http.post(replay) as answer:
        assert answer.status == 202

    async def counted() -> bool:
        return await flows(desk) != {}

    await desk.eventually(counted)
    assert (await desk.problem("POST", replay))["type"] == "not-found"
    await desk.letter("another", thread="another")
    assert await flows(desk) == {"letters": (2, 0, 2)}


@pytest.mark.parametrize("name", REPORTS)
async def test_each_is_a_sheet_too(desk: Desk, name: str) -> None:
    await desk.letter("hello", **{"from": str(uuid.uuid4())})
    query = about_today()
    async with desk.http.get(f"/api/v1/reports/{name}", params={**query, "format": "csv"}) as answer:
        assert answer.status == 200
        assert answer.headers["Content-Type"] == "text/csv; charset=utf-8; header=present"
        assert answer.headers["Content-Disposition"].startswith(f'attachment; filename="{name}_{query["from"]}_')
        assert answer.headers["Cache-Control"] == "no-store"
        text = (await answer.read()).decode()
    assert text.endswith("\r\n")
    assert "\n" not in text.replace("\r\n", "")
    rows = list(csv.DictReader(io.StringIO(text)))
    told = await report(desk, name, **query)
    assert rows == [{key: "" if value is None else str(value) for key, value in row.items()} for row in told]


async def test_a_cell_is_no_formula(opened: Opened) -> None:
    desk = await opened(channels=[{"id": "-1", "connector": "letterbox"}])
    await desk.letter("hello", channel="-1")
    async with desk.http.get("/api/v1/reports/volume", params=about_today(format="csv")) as answer:
        rows = list(csv.DictReader(io.StringIO(await answer.text())))
    assert [(row["channel"], row["inbound"]) for row in rows] == [("'-1", "1")]


async def test_a_link_of_a_page_is_enough_for_a_sheet(desk: Desk) -> None:
    boss = {"email": "boss@example.com", "password": "correct horse", "name": "Boss", "role": "supervisor"}
    await desk.send("POST", "/api/v1/agents", boss, status=201)
    who = {key: boss[key] for key in ("email", "password")}
    async with desk.http.post("/api/v1/session", json=who, headers={"Authorization": ""}) as answer:
        cookie = "; ".join(f"{name}={morsel.value}" for name, morsel in answer.cookies.items())
    headers = {"Authorization": "", "Cookie": cookie, "Accept": "text/html,*/*;q=0.8"}
    async with desk.http.get("/api/v1/reports/hours", params=about_today(format="csv"), headers=headers) as answer:
        assert (answer.status, answer.content_type) == (200, "text/csv")


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("", "from"),
        ("from=2026-01-01", "to"),
        ("from=2026-01-02&to=2026-01-01", "to"),
        ("from=2026-01-01&to=2027-01-02", "to"),
        ("from=0001-01-01&to=9999-12-31", "to"),
        ("from=yesterday&to=2026-01-01", "from"),
        ("from=null&to=2026-01-01", "from"),
        ("from=2026-02-30&to=2026-03-01", "from"),
        ("from=2026-01-01T00:00:00Z&to=2026-01-01", "from"),
        ("from=2026-01-01&to=2026-01-01&to=2026-01-02", "to"),
        ("from=2026-01-01&to=2026-01-02&format=xlsx", "format"),
        ("from=2026-01-01&to=2026-01-02&channel[$ne]=x", "channel[$ne]"),
        ("from_=2026-01-01&to=2026-01-02", "from_"),
    ],
)
@pytest.mark.parametrize("name", REPORTS)
async def test_a_bad_span_is_400_and_names_the_field(desk: Desk, name: str, query: str, field: str) -> None:
    problem = await desk.problem("GET", f"/api/v1/reports/{name}?{query}")
    assert (problem["status"], problem["type"]) == (400, "invalid-query")
    assert problem["errors"][0]["field"] == field


@pytest.mark.parametrize("span", [("2026-01-01", "2027-01-01"), ("0001-01-01", "0001-01-01"), ("9999-12-31",) * 2])
@pytest.mark.parametrize("name", REPORTS)
async def test_any_year_can_be_asked_for(desk: Desk, name: str, span: tuple[str, str]) -> None:
    found = await desk.get(f"/api/v1/reports/{name}", **{"from": span[0], "to": span[1]})
    assert found["timezone"] == "UTC"
    assert found["since"].endswith("Z")


@pytest.mark.parametrize("query", ["bucket=month", "bucket="])
async def test_a_bucket_is_one_of_those_there_are(desk: Desk, query: str) -> None:
    for name in REPORTS:
        problem = await desk.problem("GET", f"/api/v1/reports/{name}?from=2026-01-01&to=2026-01-01&{query}")
        assert problem["errors"][0]["field"] == "bucket"
