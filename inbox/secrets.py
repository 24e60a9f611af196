"""The secrets of a configuration, so that they can be kept out of what is written."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from urllib.parse import unquote, urlsplit

from pydantic import BaseModel, SecretStr

from config import Config
from connectors.registry import NoConnectorError, Registry


def secrets_of(config: Config, registry: Registry) -> Iterator[str]:
    """The values that must never be shown, of a configuration that was checked.

    What counts is what a connector declares as a `SecretStr`, however it came into the file.
    """
    if config.storage.url is not None:
        url = config.storage.url.get_secret_value()
        yield url
        password = urlsplit(url).password
        yield from (password, unquote(password)) if password else ()
    if config.sign_in.oidc is not None:
        yield config.sign_in.oidc.client_secret.get_secret_value()
    for item in config.channels:
        try:
            model = registry.load(item.connector).options_model
        except NoConnectorError:
            continue
        yield from _inside(model.model_validate(item.options))


def _inside(value: object) -> Iterator[str]:
    match value:
        case SecretStr():
            yield value.get_secret_value()
        case BaseModel():
            for name in type(value).model_fields:
                yield from _inside(getattr(value, name))
        case Mapping():
            for inner in value.values():
                yield from _inside(inner)
        case list() | tuple() | set() | frozenset():
            for inner in value:
                yield from _inside(inner)
