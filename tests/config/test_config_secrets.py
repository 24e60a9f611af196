import os
import traceback
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Annotated, Any

import pytest
from pydantic import BaseModel, ConfigDict, Field, SecretStr, ValidationError, field_validator, model_validator

from config import Config, ConfigError, Problem, Source, load

Load = Callable[..., Config]
Mistakes = Callable[..., list[str]]
Write = Callable[[str | bytes], Path]

SECRET = "hunter2-\\'x"


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("${NAME}", "value"),
        ("a-${NAME}-${NAME}", "a-value-value"),
        ("$${NAME}", "${NAME}"),
        ("$$${NAME}", "$${NAME}"),
        ("$5 $x $$", "$5 $x $$"),
        ("${file:secret}", "from a file"),
        ("${file:/dev/null}", None),
    ],
)
def test_references(loaded: Load, tmp_path: Path, written: str, meant: str | None) -> None:
    (tmp_path / "secret").write_text("from a file\n")
    text = f"channels: [{{id: a, connector: x, token: '{written}'}}]"

    if meant is None:
        with pytest.raises(ConfigError, match="is not a regular file; name a file that holds the value"):
            loaded(text)
    else:
        assert loaded(text, {"NAME": "value"}).channels[0].options["token"] == meant


def test_what_a_reference_brings_is_a_text_and_is_not_expanded_again(loaded: Load) -> None:
    config = loaded("inbox: {name: '${A}'}\nserver: {port: '${PORT}'}", {"A": "${PORT}: [1", "PORT": "81"})

    assert config.inbox.name == "${PORT}: [1"
    assert config.server.port == 81


def test_references_that_lead_nowhere(mistakes: Mistakes, tmp_path: Path) -> None:
    (tmp_path / "empty").write_text("\n")
    (tmp_path / "latin").write_bytes(b"pa\xdf")
    (tmp_path / "large").write_bytes(b"x" * 70_000)
    os.mkfifo(tmp_path / "pipe")
    names = ["${GONE}", "${EMPTY}", "${a b}", "${}", "x ${", "${file:}"]
    names += [f"${{file:{name}}}" for name in ("gone", "empty", "latin", "large", "pipe", ".")]
    text = "channels:\n- id: a\n  connector: x\n  tokens:\n" + "".join(f"  - '{name}'\n" for name in names)

    broken = "a reference is broken; write ${NAME} or ${file:/path}, and $${ for a plain ${"
    expected = [
        "the environment variable GONE is not set; set it, or use ${file:/path}",
        "the environment variable EMPTY is empty; give it a value",
        *[broken] * 4,
        "the file gone does not exist; name a file that holds the value",
        "the file empty is empty; put the value there",
        "the file latin is not UTF-8 text; save it as UTF-8",
        "the file large is larger than 64 KiB; name a file that holds the value alone",
        "the file pipe is not a regular file; name a file that holds the value",
        "the file . is not a regular file; name a file that holds the value",
    ]

    assert mistakes(text, {"EMPTY": ""}) == [
        f"{line}: channels[0].tokens[{line - 5}]: {what}" for line, what in enumerate(expected, 5)
    ]


def test_a_broken_reference_is_told_once(mistakes: Mistakes) -> None:
    assert mistakes("server:\n  port: '${PORT}'\n  hots: x\n") == [
        "2: server.port: the environment variable PORT is not set; set it, or use ${file:/path}",
        '3: server.hots: unknown key; did you mean "host"?',
    ]


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("server: {port: '${S}'}", "server.port: must be a whole number from 1 to 65535; check the value of ${S}"),
        ("inbox: {timezone: '${S}'}", "inbox.timezone: unknown time zone; check the value of ${S}"),
        ("storage: {url: '${S}'}", "storage.url: must be a MongoDB address; check the value of ${S}"),
        ("server: 'x${S}'", "server: must be a mapping (keys with values); check the value of ${S}"),
    ],
)
def test_a_wrong_value_from_outside_is_named_by_its_reference(mistakes: Mistakes, text: str, line: str) -> None:
    assert mistakes(text, {"S": SECRET}) == [f"1: {line}"]


class Careless(BaseModel):
    """A connector's model whose errors quote what they get."""

    model_config = ConfigDict(extra="forbid")

    token: SecretStr | list[SecretStr] = SecretStr("")
    name: Annotated[str, Field(max_length=40)] = ""
    port: int = 1
    kind: str = "a"
    pin: str = ""

    @field_validator("pin")
    @classmethod
    def _long(cls, pin: str) -> str:
        raise ValueError("is too short for a PIN; take six digits")

    @field_validator("name")
    @classmethod
    def _no_dash(cls, name: str) -> str:
        if "-" in name:
            raise ValueError(f"{name} holds a dash; remove it from {name!r}")
        return name

    @model_validator(mode="after")
    def _never_b(self) -> "Careless":
        if self.kind == "b":
            raise ValueError(f"b and {self.token!r} do not go together; see {self.name}")
        if self.kind == "c":
            token = self.token
            assert isinstance(token, SecretStr)
            raise ValueError(f"{token.get_secret_value()!r} is too short; take another")
        return self


def careless(source: Source, index: int, connector: str, options: Mapping[str, Any]) -> tuple[Problem, ...]:
    try:
        Careless.model_validate(options)
    except ValidationError as error:
        return source.problems(error, ("channels", index), Careless)
    return ()


@pytest.mark.parametrize(
    ("options", "line"),
    [
        ("name: 'x-y'", ".name: x-y holds a dash; remove it from 'x-y'"),
        (
            "name: '${S}'",
            ".name: is not valid (why is not shown: it would quote a secret); check the value of ${S}",
        ),
        ("pin: 1a", ".pin: is too short for a PIN; take six digits"),
        ("pin: '${S}'", ".pin: is too short for a PIN; check the value of ${S}"),
        ("port: '${S}'", ".port: must be a whole number; check the value of ${S}"),
        ("token: [a, 5]", ".token[1]: must be text; got a whole number, put it in quotes"),
        ("token: 5", ".token: must be text or a list; got a whole number, put it in quotes"),
        ("kind: b, token: '${S}'", ": b and SecretStr('**********') do not go together; see "),
        (
            "kind: c, token: '${S}'",
            ": is not valid (why is not shown: it would quote a secret); check the value of ${S}",
        ),
    ],
)
def test_not_even_a_careless_connector_gives_a_secret_away(write: Write, options: str, line: str) -> None:
    path = write(f"channels: [{{id: a, connector: x, {options}}}]")

    with pytest.raises(ConfigError) as caught:
        load(path, environ={"S": SECRET}, check=careless)

    assert str(caught.value) == f"santral.yaml:1: channels[0]{line}"
    shown = "".join(traceback.format_exception(caught.value)) + repr(caught.value)
    assert SECRET not in shown
    assert repr(SECRET)[1:-1] not in shown
