"""From pydantic's errors to lines of the file: the place, the words, and nothing secret in them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from config.problem import Problem, Where, render
from config.read import Document
from config.shape import Spot
from config.words import Meaning, choices, closest, explain, kind_of, unknown_key

CHANNEL_KEYS = ("id", "connector", "reopen_within")
"""The keys of a channel that are not its connector's."""

_WRONG_KIND = ("_type", "_parsing", "_required")


@dataclass(frozen=True)
class _Located:
    """An error at its place in the file.

    `spots` are the types that may stand there, `siblings` those that may hold it. `branches` are the unions on the way,
    each as its place and the alternative that this error is about.
    """

    error: ErrorDetails
    where: Where
    spots: tuple[Spot, ...]
    siblings: tuple[Spot, ...]
    branches: tuple[tuple[Where, str], ...]

    def rejects(self, union: Where) -> bool:
        """The value of the union is of another kind than this alternative takes."""
        return self.where == union and self.error["type"].endswith(_WRONG_KIND)


class Source:
    """The file behind a `Config`: the line of every value, and which values came from outside.

    Its `repr` holds nothing of the file.
    """

    def __init__(self, document: Document) -> None:
        """Takes over what was read."""
        self._document = document

    @property
    def file(self) -> str:
        """The file as the user named it."""
        return self._document.file

    @property
    def connectors(self) -> dict[str, str]:
        """The connector's name of each channel, as far as the file says both."""
        channels = self._at(("channels",))
        named = [one for one in channels if isinstance(one, Mapping)] if isinstance(channels, list) else []
        found = [(one.get("id"), one.get("connector")) for one in named]
        return {id_: name for id_, name in found if isinstance(id_, str) and isinstance(name, str)}

    def line(self, path: Where) -> int:
        """The line of a value, or where it is not in the file, of the nearest one around it."""
        lines = self._document.lines
        return next((lines[path[:end]] for end in range(len(path), -1, -1) if path[:end] in lines), 1)

    def problem(self, path: Where, what: str, todo: str) -> Problem:
        """A problem at a place such as `("channels", 0, "send", "port")`."""
        return Problem(self.file, self.line(path), render(path), what, todo)

    def problems(self, error: ValidationError, prefix: Where, model: type[BaseModel]) -> tuple[Problem, ...]:
        """Explains why a part of the file was refused.

        Args:
            error: what `model.model_validate` raised.
            prefix: where that part stands, `("channels", 0)` for the options of the first channel.
            model: the model, for its keys ("did you mean") and bounds.

        Returns:
            One problem a mistake, in the order of the file. Values are not quoted where they could be secret, and
            what `load` reported already (a variable that is not set) is not reported again.
        """
        details = error.errors(include_url=False)
        located = [self._locate(detail, prefix, model) for detail in details]
        groups: dict[Where, list[_Located]] = {}
        for item in _likeliest(located):
            if item.error["type"] == "extra_forbidden" or not self._is_broken(item.where):
                groups.setdefault(item.where, []).append(item)
        misspelt = {(*where[:-1], self._meant(items[0])) for where, items in groups.items() if _is_unknown(items)}
        found = [
            self._merge(items) for where, items in groups.items() if not (_is_missing(items) and where in misspelt)
        ]
        return tuple(sorted(found, key=lambda problem: problem.line))

    def _locate(self, error: ErrorDetails, prefix: Where, model: type[BaseModel]) -> _Located:
        """Follows pydantic's location through file and model at once.

        What is in neither is the name of a union's alternative, which no user knows.
        """
        where, node = prefix, self._at(prefix)
        siblings: tuple[Spot, ...] = ()
        spots = every = tuple(Spot(model).members())  # of the alternatives on the way, and of all there are
        branches: list[tuple[Where, str]] = []
        for position, part in enumerate(error["loc"]):
            last = position == len(error["loc"]) - 1
            if _holds(node, part):
                where, node = (*where, part), node[part]
            elif last and error["type"] == "missing":
                where = (*where, part)
            else:
                if isinstance(part, str):
                    branches.append((where, part))
                    spots = tuple(spot for spot in spots if getattr(spot.annotation, "__name__", "") == part) or spots
                continue
            siblings, every = every, _below(every, part)
            spots = _below(spots, part)
        return _Located(error, where, spots, siblings, tuple(branches))

    def _merge(self, items: list[_Located]) -> Problem:
        """One problem for a place, whatever number of alternatives refused it."""
        first = items[0]
        if _is_unknown(items):
            todo = unknown_key(first.where[-1], self._known(first), self._present(first))
            return self.problem(first.where, "unknown key", todo)
        if _is_missing(items):
            return self._missing(first)
        meanings = [explain(item.error, item.spots) for item in items]
        expected = list(dict.fromkeys(meaning.expected for meaning in meanings if meaning.expected))
        if expected and len(meanings) == sum(bool(meaning.expected) for meaning in meanings):
            return self._mismatch(first.where, " or ".join(expected))
        return self._told(first.where, next(meaning for meaning in meanings if not meaning.expected))

    def _mismatch(self, where: Where, expected: str) -> Problem:
        value = self._at(where)
        what = f"must be {expected}"
        if where in self._document.expansions:
            return self.problem(where, what, self._check_reference(where))
        if isinstance(value, str) and (names := choices(expected)):
            close = closest(value, names)
            return self.problem(where, what, f'did you mean "{close}"?' if close else "choose one of them")
        if isinstance(value, bool | int | float) and "text" in expected.split(" or "):
            return self.problem(where, what, f"got {kind_of(value)}, put it in quotes")
        quotable = isinstance(value, int | float) and not isinstance(value, bool) and "number" in expected
        return self.problem(where, what, f"got {value if quotable else kind_of(value)}")

    def _told(self, where: Where, meaning: Meaning) -> Problem:
        """A problem in a validator's own words, unless they could give a value away."""
        reference = self._check_reference(where)
        outside = where in self._document.expansions
        if meaning.free and self._leaks(f"{meaning.what} {meaning.todo}"):
            return self.problem(where, "is not valid (why is not shown: it would quote a secret)", reference)
        return self.problem(where, meaning.what, reference if outside else meaning.todo)

    def _missing(self, item: _Located) -> Problem:
        name = str(item.where[-1])
        unknown = [key for key in self._present(item) if key not in self._known(item)]
        if _of_channel(item.where):
            unknown = [key for key in self._present(item) if key not in CHANNEL_KEYS]
        close = closest(name, unknown)
        todo = f'did you write it as "{close}"?' if close else "add it"
        return self.problem(item.where, "a required key is missing", todo)

    def _meant(self, item: _Located) -> str | None:
        present = set(self._present(item))
        return closest(str(item.where[-1]), [key for key in self._known(item) if key not in present])

    def _known(self, item: _Located) -> tuple[str, ...]:
        names = tuple(key for spot in item.siblings for key in spot.keys)
        return (*names, *CHANNEL_KEYS) if _of_channel(item.where) else names

    def _present(self, item: _Located) -> tuple[str, ...]:
        parent = self._at(item.where[:-1])
        return tuple(parent) if isinstance(parent, Mapping) else ()

    def _check_reference(self, where: Where) -> str:
        inside = [e for place, e in self._document.expansions.items() if place[: len(where)] == where]
        references = dict.fromkeys(reference for expansion in inside for reference in expansion.references)
        return f"check the value of {', '.join(references)}" if references else "correct it"

    def _leaks(self, text: str) -> bool:
        """Whether a text quotes what came from outside, be it four letters of it."""
        text = text.casefold()
        secrets = (secret.casefold() for e in self._document.expansions.values() for secret in (*e.secrets, e.text))
        return any(secret[i : i + 4] in text for secret in secrets for i in range(max(1, len(secret) - 3)))

    def _is_broken(self, where: Where) -> bool:
        return any(where[: len(place)] == place for place in self._document.broken)

    def _at(self, where: Where) -> Any:  # noqa: ANN401 - any YAML value
        node: Any = self._document.data
        for part in where:
            if not _holds(node, part):
                return None
            node = node[part]
        return node


def _holds(node: object, part: str | int) -> bool:
    if isinstance(node, Mapping):
        return part in node
    return isinstance(node, list) and isinstance(part, int) and 0 <= part < len(node)


def _below(spots: Iterable[Spot], part: str | int) -> tuple[Spot, ...]:
    return tuple(child for spot in spots for child in spot.below(part))


def _of_channel(where: Where) -> bool:
    return len(where) == 3 and where[0] == "channels"


def _is_unknown(items: Iterable[_Located]) -> bool:
    return all(item.error["type"] == "extra_forbidden" for item in items)


def _is_missing(items: Iterable[_Located]) -> bool:
    return all(item.error["type"] == "missing" for item in items)


def _likeliest(located: list[_Located]) -> Iterator[_Located]:
    """Leaves out what pydantic says of a union's alternatives that were hardly meant.

    Those of another kind than the value go first; of what is left, the one with the fewest errors is meant. Where no
    alternative is of the value's kind all stay, and become `must be text or a list`.
    """
    unions: dict[Where, dict[str, list[_Located]]] = {}
    for item in located:
        for union, tag in item.branches:
            unions.setdefault(union, {}).setdefault(tag, []).append(item)
    unlikely: set[int] = set()
    for union, alternatives in unions.items():
        fitting = [items for items in alternatives.values() if not any(item.rejects(union) for item in items)]
        if fitting:
            best = min(fitting, key=len)
            unlikely |= {id(item) for items in alternatives.values() if items is not best for item in items}
    return (item for item in located if id(item) not in unlikely)
