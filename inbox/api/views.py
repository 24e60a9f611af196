"""How things are shown. Messages are shown as they are: their schema is the public one."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping, Sequence

import msgspec
from msgspec import UNSET, Struct, UnsetType

from connectors.base import Capabilities
from connectors.supervisor import State
from inbox.activity import Activity
from inbox.customers import family_fields
from inbox.model import Conversation, Customer, FieldValue, Identity, Preview, Priority, Status
from inbox.roster import ChannelAtWork, ChannelFare
from inbox.staff import Principal
from inbox.store import JournalEntry, Store
from inbox.store.search import Found
from normalizer.schema import Time


class CustomerBrief(Struct, frozen=True, kw_only=True):
    """A customer beside a conversation."""

    id: str
    name: str | None
    avatar: str | None


class ConversationView(Struct, frozen=True, kw_only=True):
    """A conversation. `unread`: how many of the customer's messages the asker has not marked as read.

    `version` is the `ETag`; `last_seq` the highest `seq` in it; `found` is there where it was searched for.
    """

    id: str
    subject: str | None
    status: Status
    assignee: str | None
    team: str | None
    tags: tuple[str, ...]
    priority: Priority
    snoozed_until: Time | None
    followers: tuple[str, ...]
    customer: CustomerBrief | None
    channels: tuple[str, ...]
    last_message: Preview | None
    last_seq: int
    unread: int
    waiting_since: Time | None
    opened_at: Time | None
    answered_at: Time | None
    previous_id: str | None
    merged_into: str | None
    version: int
    created_at: Time
    updated_at: Time
    found: Found | UnsetType | None = UNSET


class IdentityView(Struct, frozen=True, kw_only=True):
    """A customer's address on a platform.

    `unreachable` says by channel why nothing can be written to it any more; empty where nothing hinders.
    """

    id: str
    kind: str
    value: str
    name: str | None
    verified: bool
    unreachable: Mapping[str, str]


class CustomerView(Struct, frozen=True, kw_only=True):
    """A customer with all identities, oldest first, and what the company notes of them.

    `merged` are those who were merged into them, whose identities and notes stand here too; `merged_into` is as whom
    they are known themselves. `version` is the `ETag`.
    """

    id: str
    name: str | None
    avatar: str | None
    identities: list[IdentityView]
    fields: Mapping[str, FieldValue]
    merged: tuple[str, ...]
    merged_into: str | None
    version: int
    created_at: Time
    updated_at: Time


class ChannelView(Struct, frozen=True, kw_only=True):
    """How a channel fares over all processes: `reason` says why where it does not run.

    `capabilities` is what its platform can do, null where the connector cannot be used.
    """

    id: str
    connector: str
    state: State
    reason: str | None
    since: Time | None
    last_in: Time | None
    last_out: Time | None
    capabilities: Capabilities | None
    processes: list[ChannelAtWork]


class FailedView(Struct, frozen=True, kw_only=True):
    """A raw event that could not be normalized, and the traceback that says why; `message_id` as in the log."""

    id: str
    message_id: str
    channel: str
    connector: str
    content_type: str
    size: int
    received_at: Time
    error: str | None


async def conversation_views(
    store: Store, reader: Principal, conversations: Iterable[Conversation]
) -> dict[str, ConversationView]:
    """The conversations as `reader` sees them, by id."""
    known = list(conversations)
    customers, marks = await asyncio.gather(
        store.people.roots({conversation.customer_id for conversation in known}),
        store.queries.read_marks(reader.id, [conversation.id for conversation in known]),
    )
    return {
        item.id: _conversation(item, customers.get(item.customer_id), max(0, item.inbound - marks.get(item.id, 0)))
        for item in known
    }


async def customer_views(store: Store, customers: Iterable[Customer]) -> dict[str, CustomerView]:
    """The customers with their identities, by id."""
    families = await store.people.families(list(customers))
    belongs = {member.id: id_ for id_, family in families.items() for member in family}
    identities: dict[str, list[Identity]] = {id_: [] for id_ in families}
    for identity in await store.people.identities(list(belongs)):
        identities[belongs[identity.customer_id]].append(identity)
    return {id_: _customer(family, identities[id_]) for id_, family in families.items()}


def identity_view(identity: Identity) -> IdentityView:
    """An identity."""
    return msgspec.convert(identity, IdentityView, from_attributes=True)


def channel_view(fare: ChannelFare, activity: Activity) -> ChannelView:
    """How a channel fares, and when it was last heard of."""
    return ChannelView(
        id=fare.id,
        connector=fare.connector,
        state=fare.state,
        reason=fare.reason,
        since=fare.since,
        last_in=activity.last_in(fare.id),
        last_out=activity.last_out(fare.id),
        capabilities=fare.capabilities,
        processes=fare.processes,
    )


def failed_view(entry: JournalEntry) -> FailedView:
    """A journal entry that failed."""
    return msgspec.convert(entry, FailedView, from_attributes=True)


def _conversation(item: Conversation, customer: Customer | None, unread: int) -> ConversationView:
    fields = {**msgspec.structs.asdict(item), "customer": customer, "unread": unread}
    return msgspec.convert(fields, ConversationView, from_attributes=True)


def _customer(family: Sequence[Customer], identities: list[Identity]) -> CustomerView:
    shown = {
        **msgspec.structs.asdict(family[0]),
        "name": next((one.name for one in family if one.name), None),
        "avatar": next((one.avatar for one in family if one.avatar), None),
        "fields": family_fields(family),
        "identities": identities,
    }
    return msgspec.convert(shown, CustomerView, from_attributes=True)
