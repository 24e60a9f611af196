"""Who writes on Slack, and where."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from normalizer.fields import Fields, record, text
from normalizer.outcomes import Person
from normalizer.text import one_line

KIND = "slack"
DIRECT = ("im", "mpim", "app_home")


def person(id_: str, name: str = "") -> Person | None:
    """A user or a bot; None where there is no id. Slack's ids prove themselves."""
    return Person(kind=KIND, value=id_, name=one_line(name) or None, verified=True) if _is_id(id_) else None


def _is_id(value: str) -> bool:
    return bool(value) and len(value) <= 60 and value.isalnum() and value.isascii()


def is_place(channel: str, ts: str) -> bool:
    """Whether this names a message: every one has a channel and a time that is its number."""
    return _is_id(channel) and bool(ts) and len(ts) <= 40 and ts.isascii() and ts.replace(".", "").isdecimal()


def external_id(channel: str, ts: str) -> str:
    """What Slack calls a message: its time is unique within a channel only."""
    return f"{channel}/{ts}"


def is_direct(event: Fields) -> bool:
    """Whether a message stands in a direct conversation: with the app, or of a few people with it."""
    kind = text(event, "channel_type")
    return kind in DIRECT or (not kind and text(event, "channel").startswith("D"))


def placed(mention: Fields, names: Mapping[str, str]) -> Fields:
    """A mention, which does not say where it stands, as the message that it is: what a few people share is called so.

    https://docs.slack.dev/reference/objects/conversation-object
    """
    is_shared = names.get(text(mention, "channel"), "").startswith("mpdm-")
    return {**mention, "channel_type": "mpim"} if is_shared else mention


def place(channel: str, thread: str | None) -> str:
    """The key of a conversation: a thread of a channel; what is direct is one conversation, and has none."""
    return f"{channel}/{thread}" if thread else channel


def thread_key(event: Fields) -> str:
    """Where a message belongs: a thread begins with its first message."""
    thread = None if is_direct(event) else text(event, "thread_ts") or text(event, "ts")
    return place(text(event, "channel"), thread)


def about(event: Fields, outer: Fields) -> dict[str, Any]:
    """What only Slack has to say of a message's place and writer."""
    said = {
        "slack.channel": text(event, "channel"),
        "slack.channel_type": text(event, "channel_type"),
        "slack.ts": text(event, "ts"),
        "slack.thread_ts": text(event, "thread_ts"),
        "slack.team": text(outer, "team_id"),
        "slack.from": {
            name: text(event, name) for name in ("user", "bot_id", "app_id", "user_team") if text(event, name)
        },
        "slack.shared": outer.get("is_ext_shared_channel") is True,
    }
    return {name: value for name, value in said.items() if value}


def is_ours(event: Fields, outer: Fields) -> bool:
    """Whether the app itself wrote it: Slack tells us of our own messages too."""
    app = text(outer, "api_app_id")
    if app and app in (text(event, "app_id"), text(record(event, "bot_profile"), "app_id")):
        return True
    authorizations = outer.get("authorizations")
    for one in authorizations if isinstance(authorizations, list) else ():
        if isinstance(one, dict) and one.get("is_bot") is True and text(one, "user_id") == text(event, "user") != "":
            return True
    return False
