"""Every index of every collection, in one place, each with the query that needs it.

What must be unique is a deterministic `_id` and needs no index here.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from pymongo import ASCENDING, DESCENDING, IndexModel
from pymongo.errors import OperationFailure

from inbox.store.client import Database, Document
from inbox.store.documents import COLLECTIONS

EVENTS_KEPT = timedelta(days=3)
CHANGES_WAIT = timedelta(days=30)  # for the message that they change
BUDGETS_KEPT = timedelta(days=1)  # longer than the window of any rate
DELIVERIES_KEPT = timedelta(days=8)  # longer than they are tried
HOURS_KEPT = timedelta(days=30)
LONG_AGO = datetime(1970, 1, 1, tzinfo=UTC)


def _given(field: str) -> Document:
    """Documents where that is a text. A query for a text uses such an index; with `$type` here it would not."""
    return {field: {"$gt": ""}}


_WORDS = IndexModel([("slot", ASCENDING), ("words", ASCENDING), ("of", ASCENDING)], name="words")

NAMESPACE_EXISTS = 48
DEFINED_OTHERWISE = (85, 86)  # IndexOptionsConflict, IndexKeySpecsConflict

INDEXES: dict[str, list[IndexModel]] = {
    "journal": [
        # what is left to apply, by who is to do it
        IndexModel(
            [("owner", ASCENDING), ("message_id", ASCENDING)],
            name="unapplied",
            partialFilterExpression={"state": "new"},
        ),
        # what of the same senders must be applied first
        IndexModel(
            [("sender", ASCENDING), ("message_id", ASCENDING)],
            name="turns",
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
    "customer_notes": [IndexModel([("customer_id", ASCENDING), ("_id", ASCENDING)], name="customer")],
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
            partialFilterExpression={"waiting_since": {"$gt": LONG_AGO}},
        ),
        # whom the clock wakes
        IndexModel(
            [("snoozed_until", ASCENDING)],
            name="snoozed",
            partialFilterExpression={"snoozed_until": {"$gt": LONG_AGO}},
        ),
        IndexModel([("customer_id", ASCENDING)], name="customer"),
        IndexModel([("assignee", ASCENDING)], name="assignee", partialFilterExpression=_given("assignee")),
        IndexModel([("team", ASCENDING)], name="team", partialFilterExpression=_given("team")),
        IndexModel([("followers", ASCENDING)], name="follower", partialFilterExpression=_given("followers")),
        IndexModel([("channels", ASCENDING)], name="channel"),
        IndexModel([("tags", ASCENDING)], name="tag", partialFilterExpression=_given("tags")),
    ],
    # what has a word, or one that begins so, among what is so and so old: answered from the index alone
    "conversation_words": [
        _WORDS,
        # those of whose customer a name or an address changed
        IndexModel([("customer_id", ASCENDING)], name="customer", partialFilterExpression=_given("customer_id")),
    ],
    "customer_words": [_WORDS],
    "counts": [IndexModel([("kind", ASCENDING)], name="kind")],
    "messages": [
        IndexModel([("conversation_id", ASCENDING), ("seq", ASCENDING)], name="conversation"),
        IndexModel([("customer_id", ASCENDING), ("_id", ASCENDING)], name="timeline"),
        # edits and delivery reports name a message as the platform does
        IndexModel([("channel", ASCENDING), ("external.id", ASCENDING)], name="external"),
        IndexModel(
            [("channel", ASCENDING), ("external.ids", ASCENDING)],
            name="pieces",
            partialFilterExpression=_given("external.ids"),
        ),
        # a web chat's history
        IndexModel([("channel", ASCENDING), ("external.thread_key", ASCENDING), ("_id", ASCENDING)], name="thread"),
        IndexModel(
            [("attachments.id", ASCENDING)],
            name="attachment",
            partialFilterExpression={"attachments.id": {"$gt": ""}},  # most messages have none
        ),
    ],
    "events": [
        IndexModel(
            [("channel", ASCENDING), ("thread_key", ASCENDING), ("_id", ASCENDING)],
            name="feed",
            partialFilterExpression=_given("thread_key"),
        ),
        IndexModel([("at", ASCENDING)], name="kept", expireAfterSeconds=int(EVENTS_KEPT.total_seconds())),
    ],
    "outbox": [
        # parked replies stay, so none of the worker's questions may touch them
        IndexModel([("state", ASCENDING), ("due_at", ASCENDING)], name="due"),
        # what is held when the customer writes
        IndexModel(
            [("conversation_id", ASCENDING)], name="unless", partialFilterExpression={"unless_customer_writes": True}
        ),
    ],
    "follow_ups": [IndexModel([("due_at", ASCENDING)], name="due")],
    "budgets": [IndexModel([("at", ASCENDING)], name="kept", expireAfterSeconds=int(BUDGETS_KEPT.total_seconds()))],
    "revoked": [IndexModel([("until", ASCENDING)], name="kept", expireAfterSeconds=0)],
    "hours": [
        IndexModel([("channel", ASCENDING)], name="channel"),
        IndexModel([("hour", ASCENDING)], name="kept", expireAfterSeconds=int(HOURS_KEPT.total_seconds())),
    ],
    "sessions": [
        IndexModel([("secret", ASCENDING)], name="secret"),
        IndexModel([("agent_id", ASCENDING)], name="agent"),
        IndexModel([("expires_at", ASCENDING)], name="ended", expireAfterSeconds=0),
    ],
    "tokens": [IndexModel([("secret", ASCENDING)], name="secret")],
    "jobs": [IndexModel([("state", ASCENDING), ("due_at", ASCENDING)], name="due")],
    "waiting_changes": [
        IndexModel([("at", ASCENDING)], name="kept", expireAfterSeconds=int(CHANGES_WAIT.total_seconds()))
    ],
    "audit": [
        IndexModel([("at", DESCENDING), ("_id", DESCENDING)], name="recent"),
        IndexModel([("customer_id", ASCENDING), ("at", DESCENDING), ("_id", DESCENDING)], name="customer"),
        IndexModel([("principal_id", ASCENDING), ("at", DESCENDING), ("_id", DESCENDING)], name="principal"),
    ],
    "webhook_deliveries": [
        IndexModel([("due_at", ASCENDING)], name="due", partialFilterExpression={"state": "pending"}),
        IndexModel([("webhook_id", ASCENDING), ("created_at", DESCENDING), ("_id", DESCENDING)], name="webhook"),
        IndexModel([("created_at", ASCENDING)], name="kept", expireAfterSeconds=int(DELIVERIES_KEPT.total_seconds())),
    ],
    "drafts": [
        IndexModel([("principal_id", ASCENDING), ("updated_at", ASCENDING)], name="principal"),
        IndexModel([("conversation_id", ASCENDING)], name="conversation"),
        IndexModel(
            [("attachments", ASCENDING)], name="attachment", partialFilterExpression={"attachments": {"$gt": ""}}
        ),
    ],
    # an agent's own, and those that are shared
    "views": [
        IndexModel([("owner", ASCENDING)], name="owner"),
        IndexModel([("shared", ASCENDING)], name="shared", partialFilterExpression={"shared": True}),
    ],
    "uploads": [IndexModel([("created_at", ASCENDING)], name="orphans")],
}


async def ensure(database: Database) -> None:
    """Creates what is missing, and makes anew what an earlier version defined otherwise under the same name.

    A collection without indexes is made too: else the first transaction that writes to it has to, while others wait.
    """
    for collection in {*COLLECTIONS.values(), "reports"} - INDEXES.keys():  # the others are made with their indexes
        try:
            await database.create_collection(collection, check_exists=False)
        except OperationFailure as error:
            if error.code != NAMESPACE_EXISTS:
                raise
    for collection, models in INDEXES.items():
        try:
            await database[collection].create_indexes(models)
        except OperationFailure as error:
            if error.code not in DEFINED_OTHERWISE:
                raise
            await _anew(database, collection, models)


async def _anew(database: Database, collection: str, models: list[IndexModel]) -> None:
    standing = await database[collection].index_information()
    for model in models:
        if model.document["name"] in standing:
            await database[collection].drop_index(model.document["name"])
    await database[collection].create_indexes(models)
