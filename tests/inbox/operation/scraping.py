"""Reading `/metrics` as Prometheus does."""

from __future__ import annotations

import aiohttp
from harness import Santral, eventually
from prometheus_client import parser

Numbers = dict[tuple[str, tuple[tuple[str, str], ...]], float]


async def scrape(santral: Santral) -> str:
    async with aiohttp.ClientSession(santral.url) as http, http.get("/metrics") as answer:
        assert answer.status == 200
        assert answer.content_type == "text/plain"
        return await answer.text()


def numbers(text: str) -> Numbers:
    return {
        (sample.name, tuple(sorted(sample.labels.items()))): sample.value
        for family in parser.text_string_to_metric_families(text)
        for sample in family.samples
    }


async def number(santral: Santral, name: str, **labels: str) -> float | None:
    return numbers(await scrape(santral)).get((name, tuple(sorted(labels.items()))))


async def reaches(santral: Santral, value: float, name: str, **labels: str) -> None:
    """Waits until the metric has that value; meanwhile it may have counted on, as what is tried again does."""

    async def probe() -> bool:
        return (await number(santral, name, **labels) or 0) >= value

    await eventually(probe)


async def shows(santral: Santral, value: float, name: str, **labels: str) -> None:
    """Waits until the metric has exactly that value."""

    async def probe() -> bool:
        return await number(santral, name, **labels) == value

    await eventually(probe)
