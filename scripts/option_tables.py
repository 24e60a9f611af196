"""Writes the tables of the built-in connectors' options into docs/configuration.md, from their models.

The tables stand between `<!-- options: NAME -->` and `<!-- end -->`; `make docs` calls this, and a test holds that
nothing would change.
"""

from __future__ import annotations

import re
import types
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from pydantic import BaseModel, ByteSize, SecretStr
from pydantic.fields import FieldInfo

from connectors.registry import Registry

PAGE = Path(__file__).resolve().parents[1] / "docs" / "configuration.md"
PLACE = re.compile(r"(<!-- options: (?P<name>[a-z-]+) -->\n).*?(<!-- end -->)", re.DOTALL)
HEAD = "| key | type | default | means |\n| --- | --- | --- | --- |\n"
WORDS = {
    str: "text",
    int: "whole number",
    float: "number",
    bool: "true or false",
    ByteSize: "size, such as 25MiB",
    SecretStr: "secret",
    Path: "file",
    timedelta: "duration",
}


def written(page: str) -> str:
    """The page with its tables as the models have them."""
    registry = Registry()

    def table(place: re.Match[str]) -> str:
        return f"{place[1]}{HEAD}{''.join(_rows(registry.load(place['name']).options_model))}{place[3]}"

    return PLACE.sub(table, page)


def _rows(model: type[BaseModel], path: str = "") -> Iterator[str]:
    for name, field in model.model_fields.items():
        key = f"{path}{name}"
        yield f"| `{key}` | {_type(field)} | {_default(field)} | {field.description} |\n"
        for inner in _models(field.annotation):
            yield from _rows(inner, f"{key}.")


def _models(annotation: Any) -> list[type[BaseModel]]:  # noqa: ANN401 (any annotation)
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return [annotation]
    return [model for inner in get_args(annotation) for model in _models(inner)]


def _type(field: FieldInfo) -> str:
    limits = {name: getattr(one, name) for one in _constraints(field) for name in ("ge", "le") if hasattr(one, name)}
    bounds = f" from {limits['ge']} to {limits['le']}" if {"ge", "le"} <= set(limits) else ""
    return _words(field.annotation) + bounds


def _constraints(field: FieldInfo) -> Iterator[Any]:
    yield from field.metadata
    for inner in get_args(field.annotation):
        if get_origin(inner) is Annotated:
            for one in get_args(inner)[1:]:
                yield from getattr(one, "metadata", [one])


def _words(annotation: Any) -> str:  # noqa: ANN401 (any annotation)
    origin, inner = get_origin(annotation), get_args(annotation)
    if annotation in WORDS:
        return WORDS[annotation]
    if origin is Annotated:
        return _words(inner[0])
    if origin is Literal:
        return " \\| ".join(f"`{one}`" for one in inner)
    if origin is tuple:
        return "secret, or a list of them" if inner[0] is SecretStr else f"list of {_words(inner[0])}"
    if origin in (Union, types.UnionType):
        alternatives = [one for one in inner if one is not type(None)]
        return _words(alternatives[0]) if len(alternatives) == 1 else "address or network"
    if _models(annotation):
        return "mapping"
    raise TypeError(f"there is no word for {annotation}")


def _default(field: FieldInfo) -> str:
    if field.is_required():
        return "required"
    value = _as_yaml(field.default)
    if isinstance(value, ByteSize):
        return f"`{value.human_readable(separator='').replace('.0', '')}`"
    if isinstance(value, BaseModel):
        fields = type(value).model_fields
        if not any(inner.is_required() for inner in fields.values()):
            return "as below"
        return f"`{{{', '.join(f'{name}: {getattr(value, name):g}' for name in fields)}}}`"
    if isinstance(value, tuple) and value:
        return f"`[{', '.join(map(str, value))}]`"
    return "none" if value in (None, "", ()) else f"`{value}`"


def _as_yaml(value: Any) -> Any:  # noqa: ANN401 (any default)
    if isinstance(value, timedelta):
        return f"{value // timedelta(minutes=1)}m"
    return str(value).lower() if isinstance(value, bool) else value


if __name__ == "__main__":
    PAGE.write_text(written(PAGE.read_text("utf-8")), "utf-8")
