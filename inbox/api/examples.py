"""What the API's document shows: an example of each body and each answer, by the name of its schema."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

AT = "2026-11-23T03:35:41.661000Z"
LATER = "2026-11-30T08:00:00Z"
MESSAGE_ID = "01a20679-4954-720e-8799-f2f9c5b4402d"
CONVERSATION_ID = "01a20679-4960-72b3-8bcb-96d4eca251bd"
CUSTOMER_ID = "01a20679-4960-72b3-8bcb-96d3975820f1"
AGENT_ID = "01a20680-11c2-7f6e-a8a3-0f9c1a5b7e10"
TEAM_ID = "01a20681-22d3-7a1f-b8b4-1fad2b6c8f21"

_ATTACHMENT = {
    "id": "01a2067a-47f1-7332-a563-0a9ab89d4e31",
    "filename": "receipt.png",
    "content_type": "image/png",
    "size": 18231,
    "sha256": "66a045b452102c59d840ec097d59d9467e13a3f34f6494e539ffd32c1bb35f18",
    "inline": False,
    "content_id": None,
    "external_id": None,
    "state": "ready",
}
_MESSAGE = {
    "id": MESSAGE_ID,
    "schema_version": 1,
    "conversation_id": CONVERSATION_ID,
    "customer_id": CUSTOMER_ID,
    "seq": 1,
    "kind": "message",
    "direction": "inbound",
    "channel": "support-mail",
    "connector": "email",
    "author": {"type": "customer", "id": CUSTOMER_ID, "name": "Ada Byron", "identity_id": "email:ada@example.com"},
    "external": {
        "id": "first@example.com",
        "ids": [],
        "thread_key": "first@example.com",
        "original_id": "support-mail|1",
    },
    "text": "I ordered on Monday and nothing came.",
    "html": None,
    "quoted": None,
    "subject": "Where is my order?",
    "language": None,
    "parts": [],
    "attachments": [],
    "relations": {"reply_to": None, "replaces": None, "group_id": None, "bounce_of": None, "mentions": []},
    "revisions": [],
    "deleted_at": None,
    "reactions": [],
    "sent_at": AT,
    "received_at": AT,
    "created_at": AT,
    "delivery": None,
    "flags": {
        "auto_submitted": False,
        "bulk": False,
        "bounce": False,
        "spam": False,
        "authenticated": {"spf": None, "dkim": None, "dmarc": None},
    },
    "channel_data": {"email.from": "Ada Byron <ada@example.com>"},
}
_FOUND = {"message_id": MESSAGE_ID, "seq": 1, "text": "I ordered on Monday and nothing came.", "ranges": [[2, 9]]}
_CONVERSATION = {
    "id": CONVERSATION_ID,
    "subject": "Where is my order?",
    "status": "open",
    "assignee": None,
    "team": None,
    "tags": ["order"],
    "priority": "normal",
    "snoozed_until": None,
    "followers": [],
    "customer": {"id": CUSTOMER_ID, "name": "Ada Byron", "avatar": None},
    "channels": ["support-mail"],
    "last_message": {
        "id": MESSAGE_ID,
        "seq": 1,
        "kind": "message",
        "direction": "inbound",
        "channel": "support-mail",
        "author": "Ada Byron",
        "text": "I ordered on Monday and nothing came.",
        "at": AT,
    },
    "last_seq": 1,
    "unread": 1,
    "waiting_since": AT,
    "previous_id": None,
    "merged_into": None,
    "version": 2,
    "created_at": AT,
    "updated_at": AT,
}
_CUSTOMER = {
    "id": CUSTOMER_ID,
    "name": "Ada Byron",
    "avatar": None,
    "identities": [
        {
            "id": "email:ada@example.com",
            "kind": "email",
            "value": "ada@example.com",
            "name": "Ada Byron",
            "verified": False,
            "unreachable": None,
        }
    ],
    "fields": {"plan": "gold", "seats": 12},
    "merged": [],
    "merged_into": None,
    "version": 3,
    "created_at": AT,
    "updated_at": AT,
}
_DRAFT: Mapping[str, Any] = {
    "id": f"{CONVERSATION_ID}|{AGENT_ID}",
    "conversation_id": CONVERSATION_ID,
    "principal_id": AGENT_ID,
    "text": "It left our",
    "html": None,
    "attachments": [],
    "direction": "outbound",
    "channel": None,
    "to": [],
    "cc": [],
    "bcc": [],
    "reply_to": None,
    "updated_at": AT,
}
_WAY = {
    "channel": "support-mail",
    "connector": "email",
    "state": "running",
    "default": True,
    "identity": {
        "id": "email:ada@example.com",
        "kind": "email",
        "value": "ada@example.com",
        "name": "Ada Byron",
        "verified": False,
        "unreachable": None,
    },
    "cc": ["bob@example.com"],
    "refused": None,
}
_EVENT = {
    "id": "MToyNjIxNDQwMA",
    "type": "message.created",
    "at": AT,
    "conversation_id": CONVERSATION_ID,
    "message_id": MESSAGE_ID,
    "data": {"message": _MESSAGE},
}
_CHANNEL: Mapping[str, Any] = {
    "id": "support-mail",
    "connector": "email",
    "state": "running",
    "reason": None,
    "since": AT,
    "last_in": AT,
    "last_out": None,
    "capabilities": None,
    "processes": [],
}
_FAILED = {
    "id": "support-mail|4f1c",
    "message_id": MESSAGE_ID,
    "channel": "support-mail",
    "connector": "email",
    "content_type": "message/rfc822",
    "size": 4096,
    "received_at": AT,
    "error": "Traceback (most recent call last): …",
}
_AGENT = {
    "id": AGENT_ID,
    "email": "grace@example.com",
    "name": "Grace",
    "role": "agent",
    "teams": [TEAM_ID],
    "active": True,
    "signature": "Grace, Acme support",
    "created_at": AT,
}
_SESSION = {
    "id": "01a20682-33e4-7b20-88c5-20be3c7d9032",
    "agent_id": AGENT_ID,
    "address": "192.0.2.7",
    "browser": "Mozilla/5.0 …",
    "created_at": AT,
    "seen_at": AT,
    "expires_at": LATER,
}
_TEAM = {"id": TEAM_ID, "name": "Billing", "created_at": AT}
_TOKEN: Mapping[str, Any] = {
    "id": "01a20683-44f5-7c31-98d6-31cf4d8ea143",
    "name": "reporting",
    "role": "supervisor",
    "teams": [],
    "created_at": AT,
    "expires_at": LATER,
    "last_used_at": None,
}
_WEBHOOK: Mapping[str, Any] = {
    "id": "01a20686-7728-7f64-8809-64f270b1d476",
    "name": "the shop",
    "url": "https://shop.example.com/hooks/santral",
    "events": ["message.created"],
    "active": True,
    "cursor": "MToyNjIxNDQwMA",
    "failing_since": None,
    "reason": None,
    "created_at": AT,
}
_DELIVERY = {
    "id": "01a20686-7728-7f64-8809-64f270b1d476|00000000000026214400",
    "event_id": "MToyNjIxNDQwMA",
    "type": "message.created",
    "state": "pending",
    "attempts": 1,
    "due_at": AT,
    "status": 503,
    "error": "be right back",
    "created_at": AT,
}
_PASSWORD = "correct horse battery staple"  # noqa: S105 (an example)


def _page(item: Mapping[str, Any]) -> dict[str, Any]:
    return {"items": [item], "next": None}


EXAMPLES: Mapping[str, Any] = {
    "Agent": _AGENT,
    "AgentPage": _page(_AGENT),
    "AgentPatch": {"role": "supervisor", "teams": [TEAM_ID]},
    "Attachment": _ATTACHMENT,
    "AuditEntryPage": _page(
        {
            "id": "01a20685-6617-7e53-b8f8-53e16fa0c365",
            "at": AT,
            "principal_id": AGENT_ID,
            "principal": "Grace",
            "call": "GET /api/v1/customers/{id}",
            "subject_id": CUSTOMER_ID,
            "customer_id": CUSTOMER_ID,
            "address": "192.0.2.7",
        }
    ),
    "ChannelPage": _page(_CHANNEL),
    "Conversation": _CONVERSATION,
    "ConversationPage": _page(_CONVERSATION | {"found": _FOUND}),
    "Counts": {
        "statuses": {"open": 12, "pending": 1, "snoozed": 3, "resolved": 4711},
        "mine": 4,
        "unassigned": 5,
        "teams": {TEAM_ID: 2},
        "channels": {"support-mail": 11, "site": 1},
        "tags": {"order": 6},
    },
    "ConversationPatch": {"status": "snoozed", "snoozed_until": LATER, "tags": ["order"]},
    "Credentials": {"email": "grace@example.com", "password": _PASSWORD},
    "Customer": _CUSTOMER,
    "CustomerPage": _page(_CUSTOMER),
    "CustomerPatch": {"name": "Ada King", "fields": {"plan": "gold", "seats": None}},
    "WebhookDelivery": _DELIVERY,
    "WebhookDeliveryPage": _page(_DELIVERY),
    "Draft": _DRAFT,
    "DraftBody": {"text": "It left our"},
    "DraftPage": _page(_DRAFT),
    "Erased": {
        "customers": 1,
        "conversations": 3,
        "messages": 17,
        "emptied": 1,
        "originals": 9,
        "files": 2,
    },
    "EventsPage": {"items": [_EVENT], "next": "MToyNjIxNDQwMA"},
    "FailedPage": _page(_FAILED),
    "IdentityBody": {"kind": "email", "value": "ada@example.org"},
    "MadeToken": {"token": "santral_…"},
    "MadeWebhook": {**_WEBHOOK, "secret": "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"},
    "Me": {
        "id": AGENT_ID,
        "name": "Grace",
        "email": "grace@example.com",
        "role": "agent",
        "teams": [TEAM_ID],
        "signature": "Grace, Acme support",
        "session_id": _SESSION["id"],
        "csrf_token": "5f1c…",
    },
    "MergeBody": {"into": "01a20684-5506-7d42-a8e7-42d05e9fb254"},
    "Message": _MESSAGE,
    "MessagePage": _page(_MESSAGE),
    "MyChanges": {"name": "Grace", "signature": "Grace, Acme support"},
    "NewAgent": {"email": "grace@example.com", "password": _PASSWORD, "name": "Grace", "teams": [TEAM_ID]},
    "NewConversationBody": {
        "channel": "support-mail",
        "subject": "Your parcel",
        "text": "It came back to us.",
        "identity": {"kind": "email", "value": "bob@example.com", "name": "Bob"},
        "client_id": "parcel-17",
    },
    "NewCustomer": {
        "name": "Bob",
        "identities": [{"kind": "email", "value": "bob@example.com"}],
        "fields": {"plan": "free"},
    },
    "EditBody": {"text": "It left our house yesterday."},
    "ReactionBody": {"emoji": "👍"},
    "NewMessageBody": {"text": "It left our house this morning.", "client_id": "a-1"},
    "NewWebhook": {"url": _WEBHOOK["url"], "name": "the shop", "events": ["message.created"]},
    "NewToken": {"name": "reporting", "role": "supervisor", "expires_at": LATER},
    "ReadBody": {"seq": 1},
    "ReplayBody": {"after": "MToyNjIxNDQwMA"},
    "RetryBody": {"delivery_id": _DELIVERY["id"]},
    "Replayed": {"replayed": 1},
    "SessionPage": _page(_SESSION),
    "Team": _TEAM,
    "TeamBody": {"name": "Billing"},
    "TeamPage": _page(_TEAM),
    "TagPage": _page({"name": "order", "conversations": 6}),
    "Tested": {"status": 200, "error": None, "seconds": 0.042},
    "TokenPage": _page(_TOKEN),
    "WaysIn": {"oidc": {"name": "Acme", "url": "/api/v1/session/oidc"}},
    "WayPage": _page(_WAY),
    "Webhook": _WEBHOOK,
    "WebhookPage": _page(_WEBHOOK),
    "WebhookPatch": {"active": True},
}
