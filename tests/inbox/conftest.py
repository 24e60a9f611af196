"""Offices: inboxes whose replies leave for a platform of the test."""

from __future__ import annotations

from datetime import timedelta

import pytest
from ingesting import Documents
from outbox_office import Office
from postbox import PulledPostbox, SurePostbox

from inbox import delivery
from inbox.store import Store


@pytest.fixture
def by_hand(monkeypatch: pytest.MonkeyPatch) -> None:
    """What failed waits until the test has looked at it, however slow the machine is, and then hurries it."""
    monkeypatch.setattr(delivery, "FIRST_PAUSE", timedelta(hours=1))


@pytest.fixture
def office(by_hand: None, store: Store, documents: Documents) -> Office:
    return Office(store, documents)


@pytest.fixture
def sure(by_hand: None, store: Store, documents: Documents) -> Office:
    return Office(store, documents, SurePostbox)


@pytest.fixture
def pulled(by_hand: None, store: Store, documents: Documents) -> Office:
    return Office(store, documents, PulledPostbox)
