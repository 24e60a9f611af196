"""A YAML file as plain data that remembers its lines. ruamel.yaml reads; this walks its nodes.

The nodes are walked instead of constructed because they keep every duplicate, tag and line, and because aliases can be
counted before they multiply.
"""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.composer import MaxDepthExceededError
from ruamel.yaml.error import MarkedYAMLError, ReusedAnchorWarning, YAMLError
from ruamel.yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode
from ruamel.yaml.reader import ReaderError

from config.expand import Expansion, expand
from config.problem import ConfigError, Problem, Where, render

_FILE_LIMIT = 256 * 1024
_VALUE_LIMIT = 20_000
_DEPTH_LIMIT = 32
_TAG = "tag:yaml.org,2002:"


@dataclass(frozen=True)
class Document:
    """What a file says.

    Attributes:
        file: its name, as problems show it.
        data: its mapping, references expanded.
        lines: the line of every value, from 1: that of its key, or of the entry in a list.
        expansions: the texts that hold references.
        problems: mistakes that leave the rest readable.
        broken: the places of those mistakes, whose values mean nothing.
    """

    file: str
    data: dict[str, Any]
    lines: Mapping[Where, int]
    expansions: Mapping[Where, Expansion]
    problems: tuple[Problem, ...]
    broken: frozenset[Where]


def read(path: Path, environ: Mapping[str, str], folder: Path) -> Document:
    """Reads a YAML file; relative secret files are looked for in `folder`.

    Raises:
        ConfigError: there is no mapping to be had from it.
    """
    yaml = YAML(typ="safe", pure=True)
    yaml.max_depth = _DEPTH_LIMIT
    walk = _Walk(str(path), yaml, environ, folder)
    node = _compose(yaml, _text(path, walk), walk)
    if node is None:
        raise walk.fatal(1, "the file is empty", "begin with `channels:`, see docs/configuration.md")
    if not isinstance(node, MappingNode):
        raise walk.fatal(node.start_mark.line + 1, "must be a mapping (keys with values)", "begin with `channels:`")
    data = walk.value(node, (), node.start_mark.line + 1)
    return Document(str(path), data or {}, walk.lines, walk.expansions, tuple(walk.problems), frozenset(walk.broken))


def _text(path: Path, walk: _Walk) -> str:
    try:
        with path.open("rb") as stream:
            content = stream.read(_FILE_LIMIT + 1)
    except FileNotFoundError:
        raise walk.fatal(1, "the file does not exist", "create it, or name another with -c") from None
    except IsADirectoryError:
        raise walk.fatal(1, "is a folder", "name the YAML file in it") from None
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else None
        raise walk.fatal(1, f"cannot be read ({reason or 'bad name'})", "check its permissions") from None
    if len(content) > _FILE_LIMIT:
        raise walk.fatal(1, "the file is larger than 256 KiB", "is it a configuration at all?")
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise walk.fatal(line, "the file is not UTF-8 text", "save it as UTF-8") from None


def _compose(yaml: YAML, text: str, walk: _Walk) -> Node | None:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ReusedAnchorWarning)  # YAML 1.2 allows it: the later one counts
            node: Node | None = yaml.compose(text)
    except MaxDepthExceededError as error:
        raise walk.fatal(_line(error), "nested too deeply", f"use at most {_DEPTH_LIMIT} levels") from None
    except ReaderError as error:
        line = text.count("\n", 0, error.position) + 1
        raise walk.fatal(line, "holds a control character", "remove it, or write it as an escape in quotes") from None
    except MarkedYAMLError as error:
        raise walk.fatal(_line(error), *_syntax(error)) from None
    except (YAMLError, ValueError, AssertionError, LookupError) as error:
        # ruamel.yaml lets a few of Python's own errors out on odd directives, tags and escapes.
        raise walk.fatal(1, f"not valid YAML ({type(error).__name__})", "check the directives and escapes") from None
    return node


def _line(error: MarkedYAMLError) -> int:
    mark = error.problem_mark or error.context_mark
    return mark.line + 1 if mark else 1


def _syntax(error: MarkedYAMLError) -> tuple[str, str]:
    problem = str(error.problem or error.context)
    if r"\t" in problem:
        return "a tab stands where YAML wants spaces", "indent with spaces"
    if "another document" in problem:
        return "a second document begins", "keep one document in the file, without `---` between"
    return f"not valid YAML: {problem}", "check the indentation, quotes and brackets here and on the line before"


class _Walk:
    """Turns nodes into plain data and collects what it meets on the way."""

    def __init__(self, file: str, yaml: YAML, environ: Mapping[str, str], folder: Path) -> None:
        self.lines: dict[Where, int] = {}
        self.expansions: dict[Where, Expansion] = {}
        self.problems: list[Problem] = []
        self.broken: set[Where] = set()
        self._file = file
        self._yaml = yaml
        self._environ = environ
        self._folder = folder

    def fatal(self, line: int, what: str, todo: str, where: Where = ()) -> ConfigError:
        return ConfigError([*self.problems, Problem(self._file, line, render(where), what, todo)])

    def value(self, node: Node, where: Where, line: int) -> Any:  # noqa: ANN401 - any YAML value
        self.lines[where] = line
        if len(self.lines) > _VALUE_LIMIT:
            raise self.fatal(line, f"more than {_VALUE_LIMIT} values, aliases counted", "use fewer aliases")
        if len(where) > _DEPTH_LIMIT:
            raise self.fatal(line, "nested too deeply", "do not let an alias contain itself", where[:2])
        tag = str(node.tag)
        if isinstance(node, MappingNode) and tag == f"{_TAG}map":
            return self._mapping(node, where)
        if isinstance(node, SequenceNode) and tag == f"{_TAG}seq":
            return [self.value(item, (*where, i), item.start_mark.line + 1) for i, item in enumerate(node.value)]
        if isinstance(node, ScalarNode) and tag.startswith(_TAG):
            return self._scalar(node, where, tag.removeprefix(_TAG))
        return self._fault(where, f"the tag {_short(tag.replace(_TAG, '!!'))} is not known here", "remove it")

    def _mapping(self, node: MappingNode, where: Where) -> dict[str, Any]:
        mapping: dict[str, Any] = {}
        for key, value in node.value:
            line = key.start_mark.line + 1
            if key.tag == f"{_TAG}merge":
                self._add(line, where, "merge keys (`<<`) are not supported", "write the keys out, or alias the whole")
            elif not isinstance(key, ScalarNode) or key.tag != f"{_TAG}str":
                self._add(line, where, f"the key {_shown(key)} is not text", "put it in quotes")
            elif key.value in mapping:
                first = self.lines[(*where, key.value)]
                self._add(line, (*where, key.value), f"the same key stands on line {first}", "remove one of them")
            else:
                mapping[key.value] = self.value(value, (*where, key.value), line)
        return mapping

    def _scalar(self, node: ScalarNode, where: Where, tag: str) -> Any:  # noqa: ANN401 - any YAML value
        if tag in {"str", "timestamp"}:  # no option is a date: 2026-01-01 is a text that needs no quotes
            return self._string(node.value, where)
        if tag == "null":
            return None
        if tag not in {"bool", "int", "float"}:
            return self._fault(where, f"the tag !!{_short(tag)} is not known here", "remove it")
        try:
            return getattr(self._yaml.constructor, f"construct_yaml_{tag}")(node)
        except (ValueError, LookupError):
            return self._fault(where, "is not the number or truth value that it looks like", "put it in quotes")

    def _string(self, text: str, where: Where) -> Any:  # noqa: ANN401 - a text, or nothing after a fault
        expansion = expand(text, self._environ, self._folder)
        if expansion.references:
            self.expansions[where] = expansion
        for what, todo in expansion.faults:
            self._fault(where, what, todo)
        if any("\ud800" <= letter <= "\udfff" for letter in expansion.text):
            return self._fault(where, "holds half a character (a lone surrogate)", "write the character in UTF-8")
        return expansion.text

    def _fault(self, where: Where, what: str, todo: str) -> Any:  # noqa: ANN401 - stands in for a value
        self.broken.add(where)
        self._add(self.lines[where], where, what, todo)
        return None

    def _add(self, line: int, where: Where, what: str, todo: str) -> None:
        self.problems.append(Problem(self._file, line, render(where), what, todo))


def _shown(key: Node) -> str:
    return _short(key.value) if isinstance(key, ScalarNode) else "in brackets"


def _short(text: str) -> str:
    return text if len(text) <= 40 else text[:40] + "…"
