"""Examples of canned replies, views and tags."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from inbox.api.example_values import AGENT_ID, AT, TEAM_ID, page

_CANNED_REPLY: Mapping[str, Any] = {
    "id": "01a20687-8839-7075-991a-75036c2e1587",
    "shortcut": "late",
    "title": "A parcel is late",
    "text": "Hello {{customer.name}},\nyour parcel is late, and we are sorry.\n{{agent.name}}",
    "html": None,
    "team": None,
    "version": 1,
    "created_at": AT,
    "updated_at": AT,
}
_FILTER: Mapping[str, Any] = {
    "all": [
        {"field": "status", "is": ["open"]},
        {"any": [{"field": "assignee", "is": ["me"]}, {"field": "tag", "is": ["order"]}]},
        {"waiting": True},
    ]
}
_VIEW: Mapping[str, Any] = {
    "id": "01a20688-994a-7186-aa2b-86147d3f2698",
    "name": "Orders that wait",
    "owner": AGENT_ID,
    "shared": False,
    "team": None,
    "filter": _FILTER,
    "sort": "waiting",
    "version": 1,
    "created_at": AT,
    "updated_at": AT,
}
_TAG: Mapping[str, Any] = {
    "name": "order",
    "colour": "blue",
    "description": "Where is it, when does it come?",
    "conversations": 6,
    "leaving": False,
}
_VARIABLE = {"name": "agent.name", "means": "the name of who answers"}

AT_HAND: Mapping[str, Any] = {
    "CannedReply": _CANNED_REPLY,
    "CannedReplies": {
        **page(_CANNED_REPLY),
        "variables": [_VARIABLE],
    },
    "CannedReplyPatch": {"title": "A parcel is very late", "team": TEAM_ID},
    "FilledReply": {
        "id": _CANNED_REPLY["id"],
        "text": "Hello Ada Byron,\nyour parcel is late, and we are sorry.\nGrace",
        "html": None,
    },
    "NewCannedReply": {name: _CANNED_REPLY[name] for name in ("shortcut", "title", "text")},
    "Tag": _TAG,
    "TagBody": {name: _TAG[name] for name in ("name", "colour", "description")},
    "TagPage": page(_TAG),
    "TagPatch": {"name": "orders", "colour": "teal"},
    "ViewBody": {"name": "Orders that wait", "filter": _FILTER, "sort": "waiting"},
    "View": _VIEW,
    "ViewPage": page(_VIEW),
    "ViewPatch": {"name": "Orders", "shared": True, "team": TEAM_ID},
}
