"""How the mistakes in a connector's options become lines: unions, nested models, suggestions."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Annotated, Any, Literal

import pytest
from pydantic import BaseModel, BeforeValidator, ByteSize, ConfigDict, Field, SecretStr, ValidationError

from config import Problem, Source, load

Mistakes = Callable[..., list[str]]
Write = Callable[[str | bytes], Path]
Port = Annotated[int, Field(ge=1, le=65535)]


class Base(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Smtp(Base):
    host: str
    port: Port | None = None


class Imap(Base):
    host: str
    folder: str = "INBOX"
    username: str


class Send(Base):
    host: str
    port: Port = 25
    tls: Literal["none", "starttls", "tls"] = "none"
    password: Annotated[
        tuple[SecretStr, ...], BeforeValidator(lambda value: value if isinstance(value, list) else (value,))
    ] = ()


class Polling(Base):
    mode: Literal["polling"]
    interval: float = Field(1, gt=0)


class Hook(Base):
    mode: Literal["hook"]
    path: str


class Options(Base):
    address: str
    aliases: tuple[str, ...] = ()
    receive: Smtp | Imap | None = None
    way: Annotated[Polling | Hook, Field(discriminator="mode")] | None = None
    send: Send | None = None
    peers: dict[str, Smtp] = {}
    auth: str | Send = ""
    size: int = Field(1, ge=1)
    limit: ByteSize = ByteSize(1)
    quiet: bool = False


def check(source: Source, index: int, connector: str, options: Mapping[str, Any]) -> tuple[Problem, ...]:
    try:
        Options.model_validate(options)
    except ValidationError as error:
        return source.problems(error, ("channels", index), Options)
    return ()


CHANNEL = "channels:\n- id: a\n  connector: mail\n  address: a@example.com\n  "

TABLE = {
    "the contract's own example": (
        "send:\n    host: x\n    prot: 1",
        ['7: channels[0].send.prot: unknown key; did you mean "port"?'],
    ),
    "a key of the channel": (
        "reopen: 5d",
        ['5: channels[0].reopen: unknown key; did you mean "reopen_within"?'],
    ),
    "misspelt and required": (
        "send: {hots: x}",
        ['5: channels[0].send.hots: unknown key; did you mean "host"?'],
    ),
    "missing": ("send: {port: 1}", ["5: channels[0].send.host: a required key is missing; add it"]),
    "in a list": (
        "aliases:\n  - b\n  - 5",
        ["7: channels[0].aliases[1]: must be text; got a whole number, put it in quotes"],
    ),
    "in a mapping": (
        'peers: {"my mx": {host: x, prot: 1}}',
        ['5: channels[0].peers["my mx"].prot: unknown key; did you mean "port"?'],
    ),
    "bounds behind an optional": (
        "receive: {host: x, port: 0}",
        ["5: channels[0].receive.port: must be a whole number from 1 to 65535; got 0"],
    ),
    "one bound": ("size: none", ["5: channels[0].size: must be a whole number of at least 1; got text"]),
    "a size": ("limit: huge", ["5: channels[0].limit: must be a size such as 25MiB; got text"]),
    "a truth value": ("quiet: perhaps", ["5: channels[0].quiet: must be true or false; got text"]),
    "a choice": (
        "send: {host: x, tls: startls}",
        ['5: channels[0].send.tls: must be "none", "starttls" or "tls"; did you mean "starttls"?'],
    ),
    "a choice far off": (
        "send: {host: x, tls: 5}",
        ['5: channels[0].send.tls: must be "none", "starttls" or "tls"; got a whole number'],
    ),
    "a union: the alternative that was meant": (
        "receive: {host: x, usrname: y}",
        ['5: channels[0].receive.usrname: unknown key; did you mean "username"?'],
    ),
    "a union: none of its kinds": (
        "auth: [1]",
        ["5: channels[0].auth: must be text or a mapping (keys with values); got a list"],
    ),
    "a union: inside the one of its kind": (
        "auth: {host: 1}",
        ["5: channels[0].auth.host: must be text; got a whole number, put it in quotes"],
    ),
    "a tagged union": ("way: {mode: hook, pth: x}", ['5: channels[0].way.pth: unknown key; did you mean "path"?']),
    "a tagged union's tag": (
        "way: {mode: push}",
        ['5: channels[0].way: "mode" is missing or unknown; use one of "polling", "hook"'],
    ),
    "wrapped by a validator": (
        "send: {host: x, password: 5}",
        ["5: channels[0].send.password: must be text; got a whole number, put it in quotes"],
    ),
}


@pytest.mark.parametrize(("text", "lines"), TABLE.values(), ids=TABLE.keys())
def test_options(mistakes: Mistakes, text: str, lines: list[str]) -> None:
    assert mistakes(CHANNEL + text, check=check) == lines


def test_options_and_the_rest_are_told_together(mistakes: Mistakes) -> None:
    text = "server: {port: 0}\nchannels:\n- {id: A, connector: mail, adress: x}\n- {connector: mail, address: '${X}'}"

    assert mistakes(text, check=check) == [
        "1: server.port: must be a whole number from 1 to 65535; got 0",
        '3: channels[0].adress: unknown key; did you mean "address"?',
        "3: channels[0].id: must be 1 to 40 of a-z, 0-9, - and _; write it such as support-mail",
        "4: channels[1].address: the environment variable X is not set; set it, or use ${file:/path}",
        "4: channels[1].id: a required key is missing; add it",
    ]


def test_the_inbox_can_tell_a_problem_of_its_own(write: Write) -> None:
    path = write("channels:\n- id: a\n  connector: fax\n")
    source = load(path, environ={}).source

    problem = source.problem(("channels", 0, "connector"), "no such connector", "did you mean email?")

    assert str(problem) == "santral.yaml:3: channels[0].connector: no such connector; did you mean email?"
    assert source.problem(("nowhere", 7), "a", "b").line == 1
