"""The files of the page as they are served: strict, small, and nothing beside them."""

from __future__ import annotations

import asyncio
import gzip
import re
from typing import Any
from urllib.parse import urljoin

import pytest
from harness import PATIENCE
from page_house import House

LIMIT = 150 * 1024  # bytes of scripts, compressed


async def fetched(house: House, path: str, **headers: str) -> tuple[int, Any, bytes]:
    """Status, headers and body as they come over the wire: without a token, not decompressed."""
    async with house.desk.http.get(
        path, headers={"Authorization": "", "Accept-Encoding": "identity", **headers}, auto_decompress=False
    ) as answer:
        return answer.status, answer.headers, await answer.read()


# Loaded when first needed: with a chart, an emoji in one's language, a table, a PDF.
ON_DEMAND = {f"/page/vendor/{name}.js" for name in ("uplot", "emoji.en", "emoji.tr", "papaparse", "pdf")}


async def linked(house: House) -> set[str]:
    """Every file that the page loads, from what the files themselves say."""
    _, _, body = await fetched(house, "/")
    waiting = {urljoin("/", found) for found in re.findall(r'(?:src|href)="([^"]+)"', body.decode())}
    known: set[str] = set()
    while waiting:
        path = waiting.pop()
        known.add(path)
        if path.endswith(".js"):
            _, _, script = await fetched(house, path)
            names = re.findall(r'(?:from|import)\s*\(?"(\.[^"]+\.js)"', script.decode())
            waiting |= {urljoin(path, name) for name in names} - known
    return known


async def test_the_policy_allows_nothing_but_these_files(house: House) -> None:
    for path in ("/", "/page/app/main.js", "/page/style/base.css", "/page/icon.svg"):
        status, headers, _ = await fetched(house, path)
        assert status == 200
        policy = dict(part.strip().split(" ", 1) for part in headers["Content-Security-Policy"].split(";"))
        assert policy["default-src"] == "'none'"
        assert policy["script-src"] == policy["style-src"] == policy["connect-src"] == "'self'"
        assert policy["base-uri"] == policy["form-action"] == policy["frame-ancestors"] == "'none'"
        assert "unsafe" not in headers["Content-Security-Policy"]
        assert headers["X-Content-Type-Options"] == "nosniff"
        assert headers["Referrer-Policy"] in ("no-referrer", "same-origin")
        assert headers["Cache-Control"] == "no-cache"
        assert headers["Vary"] == "Accept-Encoding"


async def test_nothing_in_the_page_is_inline(house: House) -> None:
    _, headers, body = await fetched(house, "/")
    page = body.decode()
    assert headers["Content-Type"] == "text/html; charset=utf-8"
    assert re.findall(r"<script(?![^>]*\ssrc=)", page) == []
    assert re.findall(r"<style|\sstyle=|\son\w+=|javascript:", page) == []
    assert re.findall(r"https?://", page) == []


async def test_a_file_that_is_known_is_not_sent_again(house: House) -> None:
    status, headers, body = await fetched(house, "/page/app/main.js")
    assert (status, headers["Content-Type"]) == (200, "text/javascript; charset=utf-8")
    etag = headers["ETag"]
    for known in (etag, f'"other", {etag}', f"W/{etag}"):
        status, headers, again = await fetched(house, "/page/app/main.js", **{"If-None-Match": known})
        assert (status, again, headers["ETag"]) == (304, b"", etag)
        assert "Content-Security-Policy" in headers
    status, _, again = await fetched(house, "/page/app/main.js", **{"If-None-Match": '"another"'})
    assert (status, again) == (200, body)


async def test_files_come_compressed_to_whoever_takes_that(house: House) -> None:
    _, headers, plain = await fetched(house, "/page/vendor/preact.js")
    assert "Content-Encoding" not in headers
    _, headers, packed = await fetched(house, "/page/vendor/preact.js", **{"Accept-Encoding": "gzip, br"})
    assert headers["Content-Encoding"] == "gzip"
    assert gzip.decompress(packed) == plain
    assert len(packed) < len(plain) / 2
    _, headers, refused = await fetched(house, "/page/vendor/preact.js", **{"Accept-Encoding": "gzip;q=0"})
    assert ("Content-Encoding" in headers, refused) == (False, plain)


async def test_the_scripts_are_small(house: House) -> None:
    scripts = [path for path in await linked(house) - ON_DEMAND if path.endswith(".js")]
    assert len(scripts) > 20
    sizes = [await fetched(house, path, **{"Accept-Encoding": "gzip"}) for path in scripts]
    assert sum(len(body) for _, _, body in sizes) < LIMIT


async def test_everything_that_the_page_names_is_there_and_all_that_a_browser_loads_is_found(
    house: House, screens: Any
) -> None:
    names = await linked(house)
    for path in names:
        status, _, _ = await fetched(house, path)
        assert status == 200, path
    screen = await screens(house.admin)
    loaded = {one.removeprefix(house.url) for one in screen.requests if "/page/" in one}
    assert {one for one in names if one.endswith((".js", ".css"))} <= loaded | ON_DEMAND


@pytest.mark.parametrize(
    "path",
    [
        "/page/nothing.js",
        "/page/",
        "/page/app",
        "/page/app/",
        "/page/../api/agent_page.py",
        "/page/app/../../api/agent_page.py",
        "/page/%2e%2e/api/agent_page.py",
        "/page/..%2fapi%2fagent_page.py",
        "/page/..%5capi%5cagent_page.py",
        "/page//etc/passwd",
        "/page/%2fetc%2fpasswd",
        "/page/app/main.js%00.css",
        "/page/app/main.js/",
        "/page/app/types.d.ts",
        "/page/APP/main.js",
        "/app/main.js",
        "/santral.yaml",
    ],
)
async def test_there_is_nothing_else(house: House, path: str) -> None:
    # As bytes: a client would tidy the path first.
    reader, writer = await asyncio.open_connection("127.0.0.1", house.santral.port)
    writer.write(f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1:{house.santral.port}\r\nConnection: close\r\n\r\n".encode())
    answer = await asyncio.wait_for(reader.read(), PATIENCE)
    writer.close()
    assert answer.startswith((b"HTTP/1.1 404", b"HTTP/1.1 400")), answer[:200]
    assert b"import" not in answer


async def test_other_methods_are_refused(house: House) -> None:
    for path in ("/", "/page/app/main.js"):
        async with house.desk.http.post(path) as answer:
            assert answer.status == 405
    async with house.desk.http.head("/") as answer:
        assert answer.status == 200


async def test_the_page_is_shown_in_nobodys_frame(house: House, screens: Any) -> None:
    screen = await screens()
    screen.expects("frame-ancestors", "ERR_BLOCKED_BY_RESPONSE", "ERR_BLOCKED_BY_CSP", "frame-src")
    await screen.page.evaluate(
        "() => { const frame = document.createElement('iframe'); frame.src = '/'; document.body.append(frame); }"
    )
    frame = await (await screen.page.wait_for_selector("iframe")).content_frame()
    assert frame is not None
    await frame.wait_for_load_state()
    assert await frame.locator(".sign-in").count() == 0
