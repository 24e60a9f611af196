"""What the clients remember: each message acknowledged, each reply taken, each event seen."""

from __future__ import annotations

from collections import Counter

from msgspec import Struct


class Said(Struct, kw_only=True):
    """One message of a customer. `original` and the values of `files` are SHA-256 digests; `at` and `via` tell of its
    acknowledgement: when, in seconds, and by which Santral.
    """

    text: str
    original: str | None = None
    files: dict[str, str] = {}
    at: float = 0.0
    via: int = -1
    tries: int = 0


class Reply(Struct, kw_only=True):
    """One reply that the API took."""

    id: str
    conversation: str
    channel: str
    text: str
    at: float


class Visitor(Struct, kw_only=True):
    """What a browser keeps: its token, its cursor, and the replies that it was shown, each with the first time."""

    token: str | None = None
    cursor: str | None = None
    shown: dict[str, float] = {}


class Stream(Struct, kw_only=True):
    """The events that one stream saw, and how often it was broken off."""

    name: str
    seen: list[str] = []
    breaks: int = 0


class Ledger:
    """Everything that must be found again.

    Attributes:
        said: by sender, what was acknowledged, in order.
        replies: by message id.
        visitors: by sender.
        streams: all of them.
        refused: how often clients were told to try again, and how.
    """

    def __init__(self) -> None:
        self.said: dict[str, list[Said]] = {}
        self.replies: dict[str, Reply] = {}
        self.visitors: dict[str, Visitor] = {}
        self.streams: list[Stream] = []
        self.refused: Counter[str] = Counter()

    def acknowledged(self, sender: str, said: Said, *, at: float, via: int) -> None:
        said.at, said.via = at, via
        self.said.setdefault(sender, []).append(said)
