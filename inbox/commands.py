"""What the command line does in the database of a Santral that may run meanwhile."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click

from config import Config
from connectors.base import Connector
from connectors.errors import ConnectorError
from connectors.registry import Registry
from connectors.testing import check_installed
from inbox.audit import entry
from inbox.channels import build
from inbox.errors import NotFoundError
from inbox.model import new_id
from inbox.passwords import Passwords
from inbox.privacy import Erased, Privacy
from inbox.staff import Agent, Principal, Role
from inbox.store import Store, embedded
from inbox.store.staff import EmailTakenError

ATTACH_SECONDS = 30.0
EXAMINE_SECONDS = 60.0
EXAMINED_AT_ONCE = 16
ATTACH_PAUSE_SECONDS = 0.1
COMMAND_LINE = Principal(id="santral", name="the command line", role="admin")


@contextlib.asynccontextmanager
async def database(config: Config, *, migrate: bool = False) -> AsyncIterator[Store]:
    """The database of a Santral that may run meanwhile; the embedded one is started where none runs."""
    async with contextlib.AsyncExitStack() as stack:
        if config.storage.url is not None:
            url = config.storage.url.get_secret_value()
        else:
            url = await _embedded(config.storage.data_dir, stack)
        store = await Store.open(url, migrate=migrate, zone=config.inbox.zone)
        stack.push_async_callback(store.close)
        yield store


async def _embedded(data_dir: Path, stack: contextlib.AsyncExitStack) -> str:
    """Attaches to the database of a Santral that runs, waits for one that is starting, else starts it."""
    deadline = asyncio.get_running_loop().time() + ATTACH_SECONDS
    while True:
        with contextlib.suppress(embedded.NotRunningError):
            return embedded.attach(data_dir)
        try:
            owned = await embedded.start(data_dir)
        except embedded.AlreadyRunningError:
            if asyncio.get_running_loop().time() > deadline:
                raise
            await asyncio.sleep(ATTACH_PAUSE_SECONDS)
        else:
            stack.push_async_callback(owned.stop)
            return owned.url


async def new_token(config: Config, name: str, role: Role) -> str:
    """Makes an API token."""
    async with database(config) as store:
        return await store.staff.new_token(name, role, datetime.now(UTC))


async def add_agent(config: Config, made: Agent, password: str) -> bool:
    """Whether it was made: not where somebody signs in with that address."""
    async with database(config) as store:
        try:
            await store.staff.add_agent(made, await Passwords().hash(password))
        except EmailTakenError:
            return False
        return True


async def set_password(config: Config, email: str, password: str) -> bool:
    """Whether somebody signs in with that address, and has the password from now on."""
    async with database(config) as store:
        return await store.staff.set_password(email, await Passwords().hash(password))


async def replay(config: Config, ids: tuple[str, ...]) -> int:
    """Gives the entries to an owner that does not live: whoever runs takes them over."""
    async with database(config) as store:
        return await store.journal.replay(new_id(), ids or None)


async def export(config: Config, customer: str, target: Path) -> bool:
    """Whether there is such a customer."""
    async with database(config) as store:
        if not await store.people.family(customer):
            return False
        with target.open("xb") as out:
            await Privacy(store).export(customer, out)
        await store.audit.add([entry(COMMAND_LINE, "santral export", subject_id=customer, customer_id=customer)])
        return True


async def erase(config: Config, customer: str) -> Erased | None:
    """What was erased; None where there is no such customer."""
    async with database(config) as store:
        try:
            erased = await Privacy(store).erase(customer)
        except NotFoundError:
            return None
        await store.audit.add([entry(COMMAND_LINE, "santral erase", subject_id=customer, customer_id=customer)])
        return erased


async def prove(registry: Registry) -> bool:
    """Says what each check of each connector found; whether one failed."""
    failed = False
    async for finding in check_installed(registry):
        click.echo(str(finding))
        failed = failed or finding.outcome == "failed"
    return failed


async def examine(config: Config, registry: Registry) -> bool:
    """Says what the channels' platforms miss, in the configuration's order; whether they miss anything."""
    turns = asyncio.Semaphore(EXAMINED_AT_ONCE)

    async def in_turn(connector: Connector[Any]) -> Sequence[str]:
        async with turns:
            return await _examined(connector)

    missing = False
    connectors = build(config, registry).connectors
    async with asyncio.TaskGroup() as tasks:
        asked = [(channel, tasks.create_task(in_turn(connector))) for channel, connector in connectors.items()]
        for channel, examined in asked:
            told = await examined
            for sentence in told or ["its platform misses nothing"]:
                click.echo(f"{channel}: {sentence}")
            missing = missing or bool(told)
    return missing


async def _examined(connector: Connector[Any]) -> Sequence[str]:
    """What one channel's platform misses, or why it cannot be asked."""
    try:
        async with asyncio.timeout(EXAMINE_SECONDS):
            return await connector.examine()
    except ConnectorError as error:
        return [f"its platform cannot be asked: {error.reason}"]
    except TimeoutError:
        return ["its platform does not answer"]
    finally:
        await connector.close()


async def migrate(config: Config) -> None:
    """Brings the database to this version's schema."""
    async with database(config, migrate=True):
        pass
