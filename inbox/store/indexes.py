"""Every index of every collection, in one place, each with the query that needs it.

What must be unique is a deterministic `_id` and needs no index here.
"""

from __future__ import annotations

from datetime import timedelta

from pymongo import ASCENDING, DESCENDING, IndexModel

from inbox.store.client import Database, Document

EVENTS_KEPT = timedelta(days=3)


def _given(field: str) -> Document:
    return {field: {"$type": "string"}}


INDEXES: dict[str, list[IndexModel]] = {
    "journal": [
        # what is left to apply, by who is to do it
        IndexModel(
            [("owner", ASCENDING), ("received_at", ASCENDING)],
            name="unapplied",
            partialFilterExpression={"state": "new"},
        ),
        # GET /ingest/failed
        IndexModel(
            [("received_at", DESCENDING), ("_id", DESCENDING)],
            name="failed",
            partialFilterExpression={"state": "failed"},
        ),
    ],
    "identities": [IndexModel([("customer_id", ASCENDING)], name="customer")],
    "thread_keys": [IndexModel([("conversation_id", ASCENDING)], name="conversation")],
    "customers": [IndexModel([("updated_at", DESCENDING), ("_id", DESCENDING)], name="recent")],
    # Each message rewrites every entry that holds `updated_at`; with it in all of these a batch cost 40% more
    # (measured). So only the two lists that everybody looks at are kept in order, and the others are sorted when asked.
    "conversations": [
        IndexModel([("updated_at", DESCENDING), ("_id", DESCENDING)], name="recent"),
        IndexModel([("status", ASCENDING), ("updated_at", DESCENDING), ("_id", DESCENDING)], name="status"),
        IndexModel([("created_at", DESCENDING), ("_id", DESCENDING)], name="created"),
        IndexModel(
            [("waiting_since", ASCENDING), ("_id", ASCENDING)],
            name="waiting",
            partialFilterExpression={"waiting_since": {"$type": "date"}},
        ),
        IndexModel([("customer_id", ASCENDING)], name="customer"),
        IndexModel(
            [("assignee", ASCENDING)], name="assignee", partialFilterExpression={"assignee": {"$type": "string"}}
        ),
        IndexModel([("team", ASCENDING)], name="team", partialFilterExpression=_given("team")),
        IndexModel([("channels", ASCENDING)], name="channel"),
        IndexModel([("tags", ASCENDING)], name="tag", partialFilterExpression={"tags.0": {"$exists": True}}),
    ],
    "messages": [
        IndexModel([("conversation_id", ASCENDING), ("seq", ASCENDING)], name="conversation"),
        IndexModel([("customer_id", ASCENDING), ("_id", ASCENDING)], name="timeline"),
        # edits and delivery reports name a message as the platform does
        IndexModel([("channel", ASCENDING), ("external.id", ASCENDING)], name="external"),
        # a web chat's history
        IndexModel([("channel", ASCENDING), ("external.thread_key", ASCENDING), ("_id", ASCENDING)], name="thread"),
        IndexModel([("attachments.id", ASCENDING)], name="attachment"),
    ],
    "events": [
        IndexModel(
            [("channel", ASCENDING), ("thread_key", ASCENDING), ("_id", ASCENDING)],
            name="feed",
            partialFilterExpression={"thread_key": {"$type": "string"}},
        ),
        IndexModel([("at", ASCENDING)], name="kept", expireAfterSeconds=int(EVENTS_KEPT.total_seconds())),
    ],
    "outbox": [
        IndexModel([("channel", ASCENDING), ("state", ASCENDING), ("due_at", ASCENDING)], name="due"),
        IndexModel([("lane", ASCENDING), ("seq", ASCENDING)], name="lane"),
    ],
    "uploads": [IndexModel([("created_at", ASCENDING)], name="orphans")],
}


async def ensure(database: Database) -> None:
    """Creates what is missing. An index of a changed definition raises, and is a migration's work."""
    for collection, models in INDEXES.items():
        await database[collection].create_indexes(models)
