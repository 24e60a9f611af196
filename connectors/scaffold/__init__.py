"""`santral new-connector NAME`: a connector to begin with, that installs and passes the kit as it stands."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from importlib import resources
from pathlib import Path
from string import Template

from msgspec import Struct

_NAME = re.compile(r"[a-z][a-z0-9]*(-[a-z0-9]+)*")
_LONGEST = 40
_FILES: Mapping[str, str] = {
    "pyproject.toml": "pyproject.toml",
    "readme": "README.md",
    "package": "src/${package}/__init__.py",
    "connector": "src/${package}/connector.py",
    "proof": "src/${package}/proof.py",
    "proved": "tests/test_${package}.py",
}


class RefusedError(Exception):
    """Nothing was written; the text says why and what to do."""


class _Words(Struct, frozen=True):
    """What the templates are filled with."""

    name: str
    distribution: str
    package: str
    kind: str

    @classmethod
    def of(cls, name: str) -> _Words:
        """`phone-calls` is `santral-phone-calls`, in it `santral_phone_calls`, and in that `PhoneCalls`."""
        kind = "".join(word.capitalize() for word in name.split("-"))
        return cls(name, f"santral-{name}", f"santral_{name.replace('-', '_')}", kind)


def write(name: str, where: Path, taken: Collection[str]) -> Path:
    """Writes the folder `santral-NAME`.

    Args:
        name: the connector's.
        where: the folder to write it into.
        taken: the names of installed connectors.

    Returns:
        The new folder.

    Raises:
        RefusedError: a bad name, one that is taken, a folder that is there, or one that cannot be written.
    """
    if not _NAME.fullmatch(name) or len(name) > _LONGEST:
        raise RefusedError(
            f'"{name}" cannot be a connector\'s name; take up to {_LONGEST} small letters and digits, '
            "words joined by a hyphen, such as phone-calls"
        )
    if name in taken:
        raise RefusedError(f'a connector "{name}" is installed already; choose another name')
    words = _Words.of(name)
    folder = where / words.distribution
    filled = {name: getattr(words, name) for name in words.__struct_fields__}
    templates = resources.files(__package__) / "template"
    try:
        folder.mkdir()
        for template, target in _FILES.items():
            path = folder / Template(target).substitute(filled)
            path.parent.mkdir(parents=True, exist_ok=True)
            text = (templates / f"{template}.tmpl").read_text("utf-8")
            path.write_text(Template(text).substitute(filled), "utf-8")
    except FileExistsError:
        raise RefusedError(f"{folder} is there already; remove it, or choose another name") from None
    except OSError as error:
        raise RefusedError(f"{folder} cannot be written: {error.strerror}") from error
    return folder
