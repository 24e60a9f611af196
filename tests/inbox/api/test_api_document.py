"""The API's own document: valid, complete, true of a running Santral, and a page that shows it."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from api_desk import Desk
from browser import browsing
from jsonschema import Draft202012Validator
from openapi_spec_validator import OpenAPIV31SpecValidator
from playwright.async_api import expect

from inbox.api import ROUTES


@pytest.fixture(scope="module")
async def document(desk: Desk) -> dict[str, Any]:
    async with desk.http.get("/api/v1/openapi.json", headers={"Authorization": ""}) as answer:
        assert (answer.status, answer.content_type) == (200, "application/json")
        found: dict[str, Any] = await answer.json()
    return found


def operations(document: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            yield f"{method.upper()} {path}", operation


def test_it_is_valid(document: dict[str, Any]) -> None:
    OpenAPIV31SpecValidator(document).validate()
    assert document["openapi"].startswith("3.1")


def test_it_tells_of_every_call(document: dict[str, Any]) -> None:
    told = dict(operations(document))
    assert set(told) == {f"{route.method} {route.path}" for route in ROUTES}
    assert len({operation["operationId"] for operation in told.values()}) == len(told)
    for call, operation in told.items():
        assert operation["summary"], call
        assert all(parameter["name"] == "id" or parameter["description"] for parameter in operation["parameters"]), call
        assert {"500", "503"} <= set(operation["responses"]), call
        known = bool(operation["security"]) or call == "POST /api/v1/session"
        assert ("401" in operation["responses"]) == known, call


def test_every_body_and_answer_has_an_example_that_is_one(document: dict[str, Any]) -> None:
    schemas = document["components"]["schemas"]
    shown = set()
    for _, operation in operations(document):
        answers = [operation["responses"].get(code, {}) for code in ("200", "201", "202")]
        for body in [operation.get("requestBody", {}), *answers]:
            schema = body.get("content", {}).get("application/json", {}).get("schema", {})
            if "$ref" in schema:
                shown.add(schema["$ref"].rpartition("/")[2])
    assert shown
    for name in shown:
        (example,) = schemas[name]["examples"]
        schema = {"$ref": f"#/components/schemas/{name}", "components": document["components"]}
        Draft202012Validator(schema).validate(example)


async def test_the_page_shows_it(desk: Desk) -> None:
    complaints: list[str] = []
    async with browsing() as page:
        page.on("console", lambda message: complaints.append(message.text) if message.type == "error" else None)
        page.on("pageerror", lambda error: complaints.append(str(error)))
        answer = await page.goto(f"{desk.url}/api/docs")
        assert answer is not None
        assert "script-src 'self'" in answer.headers["content-security-policy"]
        await expect(page.get_by_role("heading", name="Santral")).to_be_visible()
        call = page.locator("#operations-conversations-list_conversations")
        await call.click()
        await expect(call.get_by_text("Where is my order?").first).to_be_visible()
    assert complaints == []


async def test_the_page_has_no_other_files(desk: Desk) -> None:
    for path in ("/api/docs/nothing", "/api/docs/..%2Freference.py", "/api/docs/LICENSE"):
        assert (await desk.problem("GET", path))["status"] == 404


@pytest.mark.timeout(300)  # it tries each call there is
async def test_a_fuzzer_finds_nothing_that_the_document_does_not_tell(desk: Desk, tmp_path: Path) -> None:
    """Schemathesis: examples, edge cases, random ones, right and wrong, and calls that follow from each other.

    Streams are no HTTP, and the token that it comes in by must live.
    """
    message = await desk.letter("what a fuzzer finds", files={"a.txt": {"type": "text/plain", "data": "YQ=="}})
    assert message["attachments"]
    fuzzer = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "schemathesis.cli", "--config-file", Path(__file__).with_name("schemathesis.toml")),
        *("run", f"{desk.url}/api/v1/openapi.json", "--header", f"Authorization: Bearer {desk.token}", "--seed", "1"),
        *("--exclude-operation-id", "stream", "--exclude-operation-id", "drop_token", "--continue-on-failure"),
        "--no-color",
        cwd=tmp_path,
        stdout=asyncio.subprocess.PIPE,
    )
    told, _ = await fuzzer.communicate()
    assert fuzzer.returncode == 0, told.decode()
