"""The command line: `santral`."""

from __future__ import annotations

import asyncio
import gc
import json
import os
import resource
import signal
import sys
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any, NoReturn, TypeVar

import click
import uvloop

from config import Config, ConfigError, find_file, load
from connectors import scaffold
from connectors.registry import NoConnectorError, Registry
from inbox import commands, logs, welcome
from inbox.app import StartError, serving
from inbox.channels import ChannelChecker
from inbox.clock import utc_now
from inbox.model import new_id
from inbox.passwords import generated
from inbox.roster import PARTS, Part
from inbox.secrets import secrets_of
from inbox.shadows import shadows
from inbox.staff import ROLES, Agent, Role
from inbox.store import StoreUnavailableError, UnfitDatabaseError, embedded
from inbox.store.documents import DATABASE_VERSION
from normalizer.codec import json_schema

T = TypeVar("T")


EXIT_FOUND = 1  # a check has found something
EXIT_CONFIG = 2
EXIT_START = 3
EXIT_FAILED = 4

config_option = click.option(
    "-c",
    "--config",
    "path",
    type=click.Path(path_type=Path),
    help="The YAML file. Without it: santral.yaml in this folder, else the built-in default.",
)


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="santral")
def main() -> None:
    """Santral: every channel a company answers on, in one inbox."""


@main.command()
@config_option
@click.option(
    "--only",
    "parts",
    metavar="PARTS",
    callback=lambda _context, _option, value: _parts(value),
    help=f"Some of the parts, such as `channels,outbox`: {', '.join(PARTS)}. Needs storage.url, which processes share.",
)
def run(path: Path | None, parts: tuple[Part, ...]) -> None:
    """Runs the inbox until it is told to stop (SIGTERM, Ctrl-C)."""
    config = _load(path, strict=False)
    if parts != PARTS and config.storage.url is None:
        told = "--only needs storage.url: the embedded database belongs to the one process that runs everything"
        click.echo(told, err=True)
        sys.exit(EXIT_CONFIG)
    logs.configure(secrets_of(config, Registry()))
    sys.exit(_told(lambda: _run(config, parts, builtin=_file(path) is None)))


@main.command()
@config_option
@click.option("--online", is_flag=True, help="Also asks the channels' platforms what is missing.")
def check(path: Path | None, *, online: bool) -> None:
    """Checks the configuration, and says every mistake with its line."""
    config = _load(path, strict=True)
    for channel in config.channels:
        click.echo(f"{channel.id}: {channel.connector}")
    click.echo(f"{config.source.file}: no mistakes")
    if online and asyncio.run(commands.examine(config, Registry())):
        sys.exit(EXIT_FOUND)


@main.command()
@click.argument("name")
@click.option("--role", type=click.Choice(ROLES), default="agent", show_default=True)
@config_option
def token(name: str, role: Role, path: Path | None) -> None:
    """Makes an API token called NAME and prints it; it cannot be read again."""
    click.echo(_told(lambda: commands.new_token(_load(path, strict=False), name, role)))


@main.group()
def agent() -> None:
    """Agents, who sign in to the inbox."""


@agent.command("add")
@click.argument("email")
@click.option("--role", type=click.Choice(ROLES), default="agent", show_default=True)
@click.option("--name", help="What they are called; without it, the part of EMAIL before the @.")
@config_option
def agent_add(email: str, role: Role, name: str | None, path: Path | None) -> None:
    """Makes an agent who signs in with EMAIL, and prints a password for them to change."""
    password = generated()
    made = Agent(
        id=new_id(),
        email=email.strip().lower(),
        name=name or email.partition("@")[0],
        role=role,
        created_at=utc_now(),
    )
    if "@" not in email or not _told(lambda: commands.add_agent(_load(path, strict=False), made, password)):
        told = f"{email}: another agent signs in with it" if "@" in email else f"{email}: must be a mail address"
        click.echo(told, err=True)
        sys.exit(EXIT_CONFIG)
    click.echo(password)


@agent.command("password")
@click.argument("email")
@config_option
def agent_password(email: str, path: Path | None) -> None:
    """Gives the agent who signs in with EMAIL a new password, prints it, and signs them out everywhere."""
    password = generated()
    if not _told(lambda: commands.set_password(_load(path, strict=False), email.strip().lower(), password)):
        click.echo(f"{email}: nobody signs in with it", err=True)
        sys.exit(EXIT_CONFIG)
    click.echo(password)


@main.command()
@click.argument("ids", nargs=-1, metavar="[ID]...")
@config_option
def replay(ids: tuple[str, ...], path: Path | None) -> None:
    """Applies failed events again: those of IDs, or all."""
    count = _told(lambda: commands.replay(_load(path, strict=False), ids))
    click.echo(f"{count} events will be applied again")


@main.command("export")
@click.argument("customer")
@click.option(
    "--to", "target", type=click.Path(path_type=Path, dir_okay=False), help="The archive; without it, CUSTOMER.zip."
)
@config_option
def export_customer(customer: str, target: Path | None, path: Path | None) -> None:
    """Writes all that is kept of CUSTOMER, an id, as a ZIP archive."""
    target = target or Path(f"{customer}.zip")
    if not _told(lambda: commands.export(_load(path, strict=False), customer, target)):
        _no_customer(customer)
    click.echo(f"{target} is written")


@main.command("erase")
@click.argument("customer")
@click.option("--yes", is_flag=True, help="Do not ask.")
@config_option
def erase_customer(customer: str, *, yes: bool, path: Path | None) -> None:
    """Takes CUSTOMER, an id, out of the database with all that is theirs. It cannot be undone."""
    if not yes:
        click.confirm(f"Erase customer {customer} with all conversations, for good?", abort=True)
    erased = _told(lambda: commands.erase(_load(path, strict=False), customer))
    if erased is None:
        _no_customer(customer)
    click.echo(
        f"erased: {erased.conversations} conversations, {erased.messages} messages, {erased.files} files, "
        f"{erased.originals} originals; emptied elsewhere: {erased.emptied} messages"
    )


@main.command()
@config_option
def migrate(path: Path | None) -> None:
    """Brings the database to this version's schema."""
    _told(lambda: commands.migrate(_load(path, strict=False)))
    click.echo(f"the database has schema version {DATABASE_VERSION}")


@main.command()
@click.option("--check", "proved", is_flag=True, help="Proves each by the connector kit; ends with 1 where one fails.")
def connectors(*, proved: bool) -> None:
    """Lists the installed connectors."""
    registry = Registry()
    strangers = shadows()
    for line in strangers:
        click.echo(line, err=True)
    if proved:
        sys.exit(EXIT_FOUND if uvloop.run(commands.prove(registry)) or strangers else 0)
    for name in registry.names():
        try:
            kind = registry.load(name)
        except NoConnectorError as error:
            click.echo(f"{name}: {error}")
        else:
            click.echo(f"{name}: {(kind.__doc__ or '').strip().splitlines()[0]}")


@main.command()
@click.argument("name")
def new_connector(name: str) -> None:
    """Writes a connector called NAME to begin with, into a folder of its own."""
    try:
        folder = scaffold.write(name, Path(), Registry().names())
    except scaffold.RefusedError as error:
        click.echo(str(error), err=True)
        sys.exit(EXIT_CONFIG)
    click.echo(f"{folder}/ is written. What next: {folder}/README.md")


@main.command()
def schema() -> None:
    """Prints the message schema as JSON Schema."""
    click.echo(json.dumps(json_schema(), indent=2))


def _file(path: Path | None) -> Path | None:
    return path if path is not None else find_file(Path())


def _load(path: Path | None, *, strict: bool) -> Config:
    try:
        return load(_file(path), check=ChannelChecker(Registry(), strict=strict))
    except ConfigError as error:
        click.echo(str(error), err=True)
    sys.exit(EXIT_CONFIG)


def _told(work: Callable[[], Coroutine[Any, Any, T]]) -> T:
    """Runs it, and says in one sentence what keeps it from running."""
    try:
        return uvloop.run(work())
    except (StartError, UnfitDatabaseError, embedded.EmbeddedDatabaseError) as error:
        click.echo(str(error), err=True)
    except StoreUnavailableError as error:  # it did when we began, so nothing is wrong with the configuration
        click.echo(f"{error}; try again once it does", err=True)
    sys.exit(EXIT_START)


def _parts(value: str | None) -> tuple[Part, ...]:
    named = {word.strip() for word in value.split(",")} if value is not None else set(PARTS)
    if unknown := sorted(named.difference(PARTS)):
        raise click.BadParameter(f'"{unknown[0]}" is no part; choose from {", ".join(PARTS)}')
    return tuple(part for part in PARTS if part in named)


async def _run(config: Config, parts: tuple[Part, ...], *, builtin: bool) -> int:
    asyncio.get_running_loop().set_exception_handler(logs.unhandled)
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)  # each visitor and agent is a file; often only 1,024 are asked
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    stop = _stop_signal()
    async with serving(config, Registry(), parts) as (santral, broken):
        if builtin:
            kept = (santral.store, config.storage.data_dir)
            click.echo(welcome.screen(config, await welcome.first_token(*kept), await welcome.first_password(*kept)))
        elif "web" in parts:
            click.echo(
                f"Santral runs at {config.server.url}; `santral agent add EMAIL` makes somebody who signs in there, "
                "`santral token NAME` a token for its API."
            )
        else:
            click.echo(f"Santral runs its {' and '.join(parts)}.")
        _spare_the_collector()
        await asyncio.wait((stop, broken), return_when=asyncio.FIRST_COMPLETED)
        if broken.done():
            click.echo(f"Santral cannot go on: {broken.result()}", err=True)
            return EXIT_FAILED
    return 0


def _spare_the_collector() -> None:
    """What was loaded at the start stays for good, and is not gone through again and again (30 ms a time, measured)."""
    gc.collect()
    gc.freeze()
    # A batch makes thousands of objects of which none is in a cycle: by the default it would be gone through ten times.
    gc.set_threshold(10_000, 20, 50)


def _stop_signal() -> asyncio.Future[None]:
    """Done at the first SIGTERM or Ctrl-C; the second ends the process at once."""
    loop = asyncio.get_running_loop()
    stop: asyncio.Future[None] = loop.create_future()

    def told() -> None:
        if stop.done():
            os._exit(128 + signal.SIGTERM)
        stop.set_result(None)

    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, told)
    return stop


def _no_customer(customer: str) -> NoReturn:
    click.echo(
        f"{customer}: there is no customer with this id; GET /api/v1/customers?identity=email:… tells it", err=True
    )
    sys.exit(EXIT_CONFIG)
