"""Connectors are found by their entry points; what is wrong with one is said, and hurts no other."""

from __future__ import annotations

from importlib.metadata import EntryPoint

import pytest

from connectors.base import Connector
from connectors.registry import GROUP, NoConnectorError, Registry


def entry(name: str, value: str) -> EntryPoint:
    return EntryPoint(name=name, value=value, group=GROUP)


def test_the_built_in_connectors_are_installed() -> None:
    registry = Registry()
    assert {"email", "webchat"} <= set(registry.names())
    for name in registry.names():
        kind = registry.load(name)
        assert issubclass(kind, Connector)
        assert kind.name == name


@pytest.mark.parametrize(
    ("entries", "why"),
    [
        ([], 'no connector "x" is installed'),
        (
            [entry("x", "connectors.email:EmailConnector"), entry("x", "connectors.webchat:WebChatConnector")],
            'two connectors are called "x": connectors.email:EmailConnector and connectors.webchat:WebChatConnector',
        ),
        ([entry("x", "no_such_module:Thing")], 'connector "x" cannot be imported: ModuleNotFoundError'),
        ([entry("x", "connectors.base:Channel")], 'connector "x" is no connectors.base.Connector'),
    ],
)
def test_a_connector_that_cannot_be_used_is_explained(entries: list[EntryPoint], why: str) -> None:
    with pytest.raises(NoConnectorError, match="x") as refused:
        Registry([*entries, entry("email", "connectors.email:EmailConnector")]).load("x")
    assert str(refused.value).startswith(why)


def test_a_broken_connector_leaves_the_others() -> None:
    registry = Registry([entry("bad", "no_such_module:Thing"), entry("email", "connectors.email:EmailConnector")])
    with pytest.raises(NoConnectorError):
        registry.load("bad")
    assert registry.load("email").name == "email"


def test_the_same_connector_installed_twice_is_one() -> None:
    twice = [entry("email", "connectors.email:EmailConnector")] * 2
    assert Registry(twice).load("email").name == "email"
