"""From what Slack sends to its outcomes: events, slash commands, pressed buttons."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from urllib.parse import parse_qs

from normalizer.fields import Fields, parse, record, records, text
from normalizer.outcomes import Draft, Ignored, Outcome, Raw
from normalizer.schema import Author, External, Message, Part
from normalizer.slack.channel import SlackChannel
from normalizer.slack.emoji import replaced
from normalizer.slack.event import Told, understood
from normalizer.slack.people import external_id, is_direct, is_place, person, place
from normalizer.text import one_line, shorten, tidy

FORM = "application/x-www-form-urlencoded"
JSON = "application/json"
OURS = "santral"
"""How the `action_id` of our own buttons begins."""


def read(body: bytes, content_type: str) -> Fields | None:
    """What a request tells: JSON, a form, or JSON within a form. None where it is none of them."""
    if not content_type.startswith(FORM):
        return parse(body)
    try:
        form = parse_qs(body.decode(), max_num_fields=100, keep_blank_values=True)
    except ValueError:
        return None
    if "payload" in form:
        return parse(form["payload"][0].encode())
    return {name: values[0] for name, values in form.items()}


def normalize(raw: Raw, channel: SlackChannel) -> list[Outcome]:
    """What a request means. What no document foresees is counted with its reason."""
    outer = read(raw.body, raw.content_type)
    if outer is None:
        return [Ignored(reason="no JSON object, and no form")]
    told = Told(outer=outer, raw=raw, channel=channel, names=_names(raw))
    if "command" in outer:
        return [_command(told)]
    match text(outer, "type"):
        case "event_callback":
            found = list(understood(record(outer, "event"), told))
        case "block_actions":
            found = list(_pressed(told))
        case kind:
            label = shorten(one_line(kind), 100)
            found = [Ignored(reason=f"a request of Slack that concerns no conversation: {label}")]
    return found or [Ignored(reason="an event that says nothing")]


def _names(raw: Raw) -> Mapping[str, str]:
    """The names that the connector knew when the event came."""
    return {id_: name for id_, name in record(raw.envelope, "names").items() if isinstance(name, str)}


def _command(told: Told) -> Outcome:
    """A slash command: what its writer typed, said to the company. Wherever that was, no one else has seen it.

    The direct conversation of two others has an id of the same kind as theirs with the app: it says nothing.
    """
    outer = told.outer
    who, channel = person(text(outer, "user_id"), text(outer, "user_name")), text(outer, "channel_id")
    if who is None or not channel:
        return Ignored(reason="a command without its channel or its writer")
    said = tidy(f"{text(outer, 'command')} {text(outer, 'text')}".strip())
    return Draft(
        message=Message(
            author=Author(type="customer", name=who.name),
            external=External(thread_key=who.value),
            text=said,
            parts=(Part(type="command", text=said, data={"command": one_line(text(outer, "command"))}),),
            sent_at=told.raw.received_at,
            channel_data={"slack.channel": channel, "slack.team": text(outer, "team_id")},
        ),
        customer=who,
        keys=(who.value,),
        silence=told.channel.silence,
    )


def _pressed(told: Told) -> Iterator[Outcome]:
    """A button of ours: what stands on it is what its presser says."""
    outer = told.outer
    who = person(text(record(outer, "user"), "id"), text(record(outer, "user"), "name"))
    container, message = record(outer, "container"), record(outer, "message")
    channel = text(container, "channel_id") or text(record(outer, "channel"), "id")
    ts = text(container, "message_ts") or text(message, "ts")
    for action in records(outer, "actions"):
        if not text(action, "action_id").startswith(f"{OURS}:"):
            yield Ignored(reason="a button that is not ours")
        elif text(action, "url"):  # Slack tells of those too
            yield Ignored(reason="a link on a button of ours, which somebody has followed")
        elif who is None or not is_place(channel, ts):
            yield Ignored(reason="a button without its channel, its message or its presser")
        else:
            # Where we post in a channel, we post in a thread: what stands in none is direct, whatever its id.
            thread = text(container, "thread_ts") or text(message, "thread_ts")
            key = place(channel, None if is_direct({"channel": channel}) else thread)
            value = tidy(text(action, "value"))
            label = replaced(tidy(text(record(action, "text"), "text"))) or value
            yield Draft(
                message=Message(
                    author=Author(type="customer", name=who.name),
                    external=External(thread_key=key),
                    text=label,
                    parts=(Part(type="choice", text=label, data={"value": value}),),
                    sent_at=told.raw.received_at,
                    channel_data={"slack.channel": channel},
                ),
                customer=who,
                keys=(key,),
                answers=external_id(channel, ts),
            )
