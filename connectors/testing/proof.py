"""What a connector's author tells of it, so that the kit can prove it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from typing import Any, ClassVar, Literal

from msgspec import Struct

from connectors.base import Connector
from normalizer.outcomes import Person, Raw

Told = Literal["ok", "again", "no"]
"""What the platform was told of an event: it is kept; send it again; it is refused for good.

A platform that is polled was told `ok` when its cursor moved past the event, and `again` when it was asked for the same
event again, or for nothing any more.
"""

Trouble = Literal["temporary", "permanent", "uncertain", "hang"]
"""How the platform fails a send: busy; refused for good; gone after it had everything; silent until the end."""


class NotMadeError(Exception):
    """A check cannot be made here; the text says why. It is reported, and is no failure."""


class Mistake(Struct, frozen=True):
    """Options with a mistake: `changes` are laid over the valid ones, and `path` names where it is (`send.port`)."""

    changes: Mapping[str, Any]
    path: str


class Sent(Struct, frozen=True, kw_only=True):
    """One piece that arrived at the platform; where one address is one piece, one for each address.

    Attributes:
        text: what its reader sees.
        files: the bytes of its files.
        recipient: the address, where one address is one piece.
        mark: by what the platform tells that it is the same once more, where sends are idempotent.
    """

    text: str = ""
    files: tuple[bytes, ...] = ()
    recipient: str | None = None
    mark: str | None = None


class Door(Struct, frozen=True, kw_only=True):
    """Where a platform finds the running channel: the root of what it mounted, and the connector itself."""

    hooks: str
    chat: str
    connector: Connector[Any]


class Platform:
    """A stand-in of the platform on 127.0.0.1. What it cannot do it leaves as it is here: those checks are not made.

    Attributes:
        options: what the channel's options must hold to reach it, such as its address and port.
    """

    options: Mapping[str, Any] = {}

    async def say(self, door: Door, id_: str, text: str) -> Told:
        """A customer writes a message. The same `id_` again is the same event once more.

        Returns:
            What the platform was told of it.
        """
        raise NotMadeError("its platform cannot `say`")

    async def edit(self, door: Door, id_: str, text: str) -> Told:
        """The customer edits the message `id_`, which the platform may tell before the message itself."""
        raise NotMadeError("its platform cannot `edit`")

    async def attach(self, door: Door, id_: str, content: bytes) -> Told:
        """The customer sends a file that stays on the platform until it is fetched."""
        raise NotMadeError("its platform cannot `attach`")

    def sent(self) -> Sequence[Sent]:
        """What arrived there, oldest first, also what came twice."""
        raise NotMadeError("its platform does not tell what was `sent`")

    def fail(self, how: Trouble | None) -> None:
        """Sends fail like this from now on; None: they work again.

        Raises:
            NotMadeError: this platform cannot fail so.
        """
        raise NotMadeError("its platform cannot `fail`")

    async def holding(self) -> None:
        """Returns when a send hangs in the platform's hands, after `fail("hang")`."""
        raise NotMadeError("its platform does not tell what it is `holding`")


class Proof:
    """Subclass it, and name it by an entry point `santral.proofs` under the connector's name.

    Attributes:
        connector: the connector.
        options: valid options, with every secret that there is.
        mistakes: options with mistakes, and where each must be found.
        events: raw events as the platform sends them.
        person: whom a reply answers.
        thread_key: the platform's thread of that reply, on a channel with threads.
        recipients: two addresses or more for a reply, on a channel with `recipients`.
    """

    connector: ClassVar[type[Connector[Any]]]
    options: ClassVar[Mapping[str, Any]] = {}
    mistakes: ClassVar[Sequence[Mistake]] = ()
    events: ClassVar[Sequence[Raw]] = ()
    person: ClassVar[Person]
    thread_key: ClassVar[str | None] = None
    recipients: ClassVar[tuple[str, ...]] = ()

    def platform(self) -> AbstractAsyncContextManager[Platform]:
        """The platform's stand-in, while the block lasts: a fresh one for each check.

        Write it as an async generator under `contextlib.asynccontextmanager`.

        Raises:
            NotMadeError: there is none.
        """
        raise NotMadeError("its proof has no platform")
