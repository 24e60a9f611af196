"""What the API's document shows of reports."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

_DAY = "2026-11-23"


def _report(row: Mapping[str, Any]) -> dict[str, Any]:
    return {"items": [row], "since": "2026-11-02T07:12:09.310000Z", "timezone": "Europe/Istanbul"}


REPORTS: Mapping[str, Any] = {
    "BacklogReport": _report({"day": _DAY, "open": 12, "waiting": 4}),
    "HourReport": _report({"weekday": 1, "hour": 9, "inbound": 31}),
    "TimesReport": _report(
        {
            "begins": _DAY,
            "first_responses": 18,
            "first_response_median": 1493.1,
            "first_response_p90": 7025.9,
            "resolutions": 15,
            "resolution_median": 16710.7,
            "resolution_p90": 86690.6,
        }
    ),
    "VolumeReport": _report(
        {"begins": _DAY, "channel": "support-mail", "inbound": 41, "outbound": 37, "conversations": 19}
    ),
}
