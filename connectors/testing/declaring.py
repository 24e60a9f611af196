"""Checks of what a connector declares: its options, its secrets, its name and its capabilities."""

from __future__ import annotations

import copy
import inspect
from collections.abc import Iterator, Mapping
from typing import Any, get_args

from pydantic import BaseModel, ValidationError

from connectors.base import Capabilities, Connector, Options
from connectors.testing.finding import FaultError
from connectors.testing.proof import NotMadeError, Proof
from connectors.testing.stage import make

Where = tuple[str, ...]

STRANGER = "surely_no_key"


async def names(proof: Proof, _: float) -> None:
    """It says who it is, and can be made from its valid options."""
    kind = proof.connector
    for attribute, expected in (("name", str), ("identity_kind", str), ("capabilities", Capabilities)):
        value = getattr(kind, attribute, None)
        if not isinstance(value, expected) or not value:
            raise FaultError(f"`{attribute}` is {value!r}, which is no {expected.__name__}")
    model = getattr(kind, "options_model", None)
    if not (isinstance(model, type) and issubclass(model, Options)):
        raise FaultError("`options_model` is no subclass of `connectors.Options`")
    try:
        make(proof, "http://127.0.0.1")
    except ValidationError as error:
        raise FaultError(f"the proof's valid `options` are refused: {_first(error)}", "options_model") from None


async def capabilities(proof: Proof, _: float) -> None:
    """What it declares fits what it overrides, and can be."""
    kind, can = proof.connector, proof.connector.capabilities
    if can.profiles and kind.describe is Connector.describe:
        raise FaultError("it declares `profiles` but has no `describe`")
    if can.amends and not can.pull and kind.amend is Connector.amend:
        raise FaultError("it declares `amends` but has no `amend`")
    if can.shows_typing and kind.show_typing is Connector.show_typing:
        raise FaultError("it declares `shows_typing` but has no `show_typing`")
    for attribute in ("attachment_limit", "fetch_limit"):
        if getattr(can, attribute) < 0:
            raise FaultError(f"`capabilities.{attribute}` is negative")
    if can.text_limit is not None and can.text_limit < 1:
        raise FaultError("`capabilities.text_limit` leaves no room for any text; None is no limit")
    if any(rate.count < 1 or rate.seconds <= 0 for rate in can.rates):
        raise FaultError("a rate of `capabilities.rates` would never let anything through")
    if inspect.iscoroutinefunction(kind.send):
        raise FaultError("`send` is a coroutine; it must be an async generator that yields receipts", "send")


async def identities(proof: Proof, _: float) -> None:
    """`canonical` is stable, and the proof's person stands in its form."""
    kind, person = proof.connector, proof.person
    if person.kind != kind.identity_kind:
        raise FaultError(f"the proof's person is of kind `{person.kind}`, not of `{kind.identity_kind}`", "canonical")
    canonical = kind.canonical(person.value)
    if canonical != person.value:
        raise FaultError(
            f"`canonical` makes {canonical!r} of {person.value!r}, which `normalize` would give", "canonical"
        )
    for value in ("", "\0", "a\nb", "\ud800"):
        try:
            kind.canonical(value)
        except Exception as error:
            raise FaultError(
                f"`canonical` raised {type(error).__name__} for {value!r}; None means none", "canonical"
            ) from error


async def mistakes(proof: Proof, _: float) -> None:
    """Each of the proof's mistakes is refused, and found where it is."""
    if not proof.mistakes:
        raise NotMadeError("its proof has no `mistakes`")
    model = proof.connector.options_model
    for mistake in proof.mistakes:
        error = _refusal(model, {**proof.options, **mistake.changes})
        if error is None:
            raise FaultError(f"the mistake at `{mistake.path}` is accepted", "options_model")
        places = [tuple(map(str, one["loc"])) for one in error.errors(include_input=False, include_context=False)]
        if not any(_names(place, tuple(mistake.path.split("."))) for place in places):
            found = ", ".join(".".join(place) or "(the channel)" for place in places)
            raise FaultError(f"the mistake at `{mistake.path}` is reported at `{found}`", "options_model")


def _names(place: Where, path: Where) -> bool:
    """Whether the path stands in the place, which may name alternatives of a union in between."""
    steps = iter(place)
    return all(step in steps for step in path)


async def unknown_keys(proof: Proof, _: float) -> None:
    """A key that nobody knows is a mistake at every level."""
    for where in _mappings(make(proof, "http://127.0.0.1").options):
        options = _with(proof.options, (*where, STRANGER), "x")
        if options is None:
            continue
        error = _refusal(proof.connector.options_model, options)
        place = ".".join(where) or "the channel"
        if error is None:
            raise FaultError(f'an unknown key in {place} is accepted; give the model `extra="forbid"`', "options_model")
        if not any(STRANGER in one["loc"] for one in error.errors(include_input=False, include_context=False)):
            raise FaultError(f"the error of an unknown key in {place} does not name the key", "options_model")


async def secrets(proof: Proof, _: float) -> None:
    """No error and no `repr` shows a secret."""
    connector = make(proof, "http://127.0.0.1")
    model = proof.connector.options_model
    known = dict(secrets_of(model, proof.options))
    if not known:
        raise NotMadeError("its options have no secret (`SecretStr`, `Secrets`)")
    for what, text in (("options", repr(connector.options)), ("connector", f"{connector!r} {connector}")):
        _keeps(text, known, f"the `repr` of its {what} shows the secret")
    for where, secret in known.items():
        for options, of in _spoilt(proof.options, where, secret):
            error = _refusal(model, options) if options is not None else None
            if error is not None:
                _keeps(
                    f"{error} {error.errors(include_input=False)}",
                    {**known, where: of},
                    "an error of its options shows",
                )
    for mistake in proof.mistakes:
        options = {**proof.options, **mistake.changes}
        error = _refusal(model, options)
        if error is not None:
            own = dict(secrets_of(model, options))
            _keeps(f"{error} {error.errors(include_input=False)}", own, "an error of its options shows")


def _spoilt(options: Mapping[str, Any], where: Where, secret: str) -> Iterator[tuple[dict[str, Any] | None, str]]:
    """Options in which something is wrong at or beside a secret, and the secret as it stands in them."""
    yield _with(options, (*where[:-1], STRANGER), "x"), secret
    yield _with(options, where, {"in": secret}), secret
    yield _with(options, where, "Zq7x"), "Zq7x"  # too short for most
    yield _with(options, where, f"{secret} \n"), secret


def _keeps(text: str, known: Mapping[Where, str], what: str) -> None:
    for where, secret in known.items():
        if secret in text:
            raise FaultError(f"{what} `{'.'.join(where)}`; quote no value of a `SecretStr`", "options_model")


def secrets_of(model: type[BaseModel], options: Mapping[str, Any]) -> Iterator[tuple[Where, str]]:
    """The secrets that stand in options, each with its path."""
    for name, field in model.model_fields.items():
        value = options.get(field.alias or name)
        if "SecretStr" in repr(field.annotation):
            several = value if isinstance(value, list | tuple) else (value,)
            yield from (((name,), one) for one in several if isinstance(one, str) and one)
        elif isinstance(value, Mapping):
            for inner in _models(field.annotation):
                yield from (((name, *where), secret) for where, secret in secrets_of(inner, value))


def _models(annotation: Any) -> Iterator[type[BaseModel]]:  # noqa: ANN401 (any annotation)
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    for inner in get_args(annotation):
        yield from _models(inner)


def _mappings(model: BaseModel, where: Where = ()) -> Iterator[Where]:
    yield where
    for name in type(model).model_fields:
        inner = getattr(model, name)
        if isinstance(inner, BaseModel):
            yield from _mappings(inner, (*where, name))


def _with(options: Mapping[str, Any], where: Where, value: object) -> dict[str, Any] | None:
    """A copy with another value at a place; None where the options do not reach so far."""
    made: dict[str, Any] = copy.deepcopy(dict(options))
    level: Any = made
    for step in where[:-1]:
        level = level.get(step)
        if not isinstance(level, dict):
            return None
    level[where[-1]] = value
    return made


def _refusal(model: type[Options], options: Mapping[str, Any]) -> ValidationError | None:
    try:
        model.model_validate(options)
    except ValidationError as error:
        return error
    return None


def _first(error: ValidationError) -> str:
    one = error.errors(include_input=False, include_context=False)[0]
    return f"{'.'.join(map(str, one['loc']))}: {one['msg']}"
