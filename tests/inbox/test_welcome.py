"""The first screen: its admin is made once, and it never shows a password that does not sign in."""

from __future__ import annotations

import stat
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

from harness import Santral

from config import load
from inbox import welcome
from inbox.passwords import Passwords
from inbox.sign_in import SignIn
from inbox.store import Store


async def shown(store: Store, folder: Path) -> str:
    return welcome.screen(load(None), "santral_token", await welcome.first_password(store, folder))


async def test_the_password_signs_in_and_is_the_same_at_each_start(store: Store, tmp_path: Path) -> None:
    password = await welcome.first_password(store, tmp_path)
    assert password is not None
    done = await SignIn(store).sign_in(welcome.EMAIL, password, address="", browser="", device=None)
    assert done.agent.role == "admin"
    assert stat.S_IMODE((tmp_path / welcome.PASSWORD_FILE).stat().st_mode) == 0o600
    assert f"password  {password}\n" in await shown(store, tmp_path)
    assert len(await store.staff.agents()) == 1


async def test_a_password_that_was_changed_is_shown_no_more(store: Store, tmp_path: Path) -> None:
    first = await welcome.first_password(store, tmp_path)
    assert first is not None
    await store.staff.set_password(welcome.EMAIL, await Passwords().hash("one of my own"))
    screen = await shown(store, tmp_path)
    assert first not in screen
    assert f"`santral agent password {welcome.EMAIL}` makes a new one" in screen


async def test_who_was_sent_away_is_not_let_in_by_the_next_start(store: Store, tmp_path: Path) -> None:
    await welcome.first_password(store, tmp_path)
    (admin,) = await store.staff.agents()
    await store.staff.change_agent(admin.id, {"active": False})
    assert await welcome.first_password(store, tmp_path) is None
    assert await store.staff.login(welcome.EMAIL) is None


async def test_a_database_without_the_agent_gets_a_new_password(store: Store, tmp_path: Path) -> None:
    (tmp_path / welcome.PASSWORD_FILE).write_text("of an earlier database\n", "ascii")
    password = await welcome.first_password(store, tmp_path)
    assert password is not None
    assert (tmp_path / welcome.PASSWORD_FILE).read_text("ascii") == f"{password}\n"


async def test_a_configuration_of_ones_own_gets_no_such_agent(
    santral: Callable[..., Awaitable[Santral]], store: Store
) -> None:
    one: Any = await santral()
    assert await store.staff.agents() == []
    assert "`santral agent add EMAIL` makes somebody who signs in there" in one.said()
