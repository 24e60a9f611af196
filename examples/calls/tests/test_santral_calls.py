"""The connector keeps its contract, and lets nobody in who cannot sign."""

import asyncio
import json
from importlib import resources

import aiohttp
import pytest
from santral_calls.connector import CallsConnector, CallsOptions
from santral_calls.proof import FORMER, SECRET, CallsProof, recorded, signed

from connectors import Channel
from connectors.testing import MemoryContext, prove, serving_site
from normalizer.outcomes import Draft

CHANNEL = Channel(id="phones", public_url="http://127.0.0.1")
CONNECTOR = CallsConnector(CallsOptions.model_validate(CallsProof.options), CHANNEL)
BODY = recorded("call-back").body


def test_it_keeps_the_contract() -> None:
    asyncio.run(prove(CallsProof()))


@pytest.mark.parametrize("name", ["call", "call-back"])
def test_what_was_recorded_means_what_it_must(name: str) -> None:
    (outcome,) = CONNECTOR.normalize(recorded(name))
    part = outcome.message.parts[0] if isinstance(outcome, Draft) else outcome.part
    found = {
        "outcome": type(outcome).__name__,
        "text": part.text,
        "part": part.type,
        "customer": outcome.customer.value,
    }
    expected = resources.files("santral_calls") / "fixtures" / f"{name}.expected.json"
    assert found == json.loads(expected.read_text("utf-8"))


HEADERS = {
    "a good signature": (signed(BODY), 202),
    "the former secret": (signed(BODY, FORMER), 202),
    "another secret": (signed(BODY, SECRET[::-1]), 401),
    "another body's signature": (signed(BODY + b" "), 401),
    "an hour ago": (signed(BODY, at=recorded("call").received_at.timestamp()), 401),
    "no signature": ({}, 401),
    "letters beyond ASCII": ({**signed(BODY), "X-Signature": "ğ"}, 401),
    "a time that is none": ({**signed(BODY), "X-Timestamp": "9" * 5000}, 401),
}


@pytest.mark.parametrize("what", HEADERS)
def test_only_what_is_signed_and_fresh_changes_anything(what: str) -> None:
    headers, status = HEADERS[what]

    async def hook() -> None:
        async with serving_site() as site, aiohttp.ClientSession() as http:
            context = MemoryContext(CHANNEL, site=site)
            running = asyncio.create_task(CONNECTOR.start(context))
            while not context.is_ready:
                await asyncio.sleep(0)
            async with http.post(f"{site.url}/hooks/phones", data=BODY, headers=headers) as answer:
                assert answer.status == status
            assert len(context.journal) == (status == 202)
            running.cancel()
            await asyncio.wait((running,))

    asyncio.run(hook())
