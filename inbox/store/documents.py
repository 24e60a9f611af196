"""Which structure lives in which collection, and how it becomes a document and back."""

from __future__ import annotations

from typing import Any, TypeVar

from inbox.filters import View
from inbox.model import (
    CannedReply,
    Conversation,
    Customer,
    CustomerNote,
    Draft,
    Event,
    Identity,
    Job,
    OutboxItem,
    PendingFollowUp,
    Shortcut,
    ThreadKey,
    Unique,
    Upload,
    WaitingChanges,
)
from inbox.store.client import Document
from inbox.tagging import Tag, TagChange
from normalizer.codec import from_builtins, to_builtins
from normalizer.schema import Message

DATABASE_VERSION = 2  # of what is kept here; messages bear that of their own schema, which is public

Stored = (
    Customer
    | CustomerNote
    | Identity
    | ThreadKey
    | Unique
    | WaitingChanges
    | Conversation
    | Message
    | OutboxItem
    | PendingFollowUp
    | Job
    | CannedReply
    | Shortcut
    | View
    | Tag
    | TagChange
    | Draft
    | Upload
)
StoredT = TypeVar(
    "StoredT",
    Customer,
    CustomerNote,
    Identity,
    ThreadKey,
    Unique,
    WaitingChanges,
    Conversation,
    Message,
    OutboxItem,
    PendingFollowUp,
    Job,
    CannedReply,
    Shortcut,
    View,
    Tag,
    TagChange,
    Draft,
    Upload,
)
AnyStored = TypeVar("AnyStored", bound=Stored)
T = TypeVar("T")

COLLECTIONS: dict[type[Any], str] = {
    Customer: "customers",
    CustomerNote: "customer_notes",
    Identity: "identities",
    Conversation: "conversations",
    ThreadKey: "thread_keys",
    Unique: "uniques",
    WaitingChanges: "waiting_changes",
    Message: "messages",
    OutboxItem: "outbox",
    PendingFollowUp: "follow_ups",
    Job: "jobs",
    CannedReply: "canned_replies",
    Shortcut: "shortcuts",
    View: "views",
    Tag: "tags",
    TagChange: "tag_changes",
    Draft: "drafts",
    Upload: "uploads",
    Event: "events",
}


def to_document(value: Any) -> Document:  # noqa: ANN401 (any of our structures)
    """The structure as a document: its `id` is the `_id`, and it bears the version it was written by."""
    document: Document = to_builtins(value)
    document["_id"] = document.pop("id")
    document.setdefault("schema_version", DATABASE_VERSION)
    return document


def from_document(document: Document, to: type[T]) -> T:
    """The inverse of `to_document`. The document is used up."""
    document["id"] = document.pop("_id")
    return from_builtins(document, to)
