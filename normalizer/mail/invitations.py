"""Calendar invitations (iCalendar, RFC 5545; iTIP, RFC 5546): what is to happen when, and where.

The file itself stays an attachment. The library is asked about events alone: what it makes of somebody's own time zone
takes time that nobody has bounded, and the zone's name is enough.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import date, datetime, timedelta, tzinfo
from typing import TYPE_CHECKING, Any

from normalizer.effort import takes_long
from normalizer.mail.charset import decode
from normalizer.mail.mime import Part, walk
from normalizer.schema import Part as TypedPart
from normalizer.text import one_line, shorten, tidy

if TYPE_CHECKING:
    from icalendar import Event

_TYPES = ("text/calendar", "application/ics")
_MAX_OCTETS = 256 * 1024
_MAX_LINES = 1000  # of all calendars of a mail: 20 µs each
_MAX_EVENTS = 10
_MAX_ATTENDEES = 100
_MAX_LINE = 500  # characters of a title, a place, a name
_MAX_DESCRIPTION = 2000
_METHODS = {
    "REQUEST": "Invitation",
    "CANCEL": "Cancelled",
    "REPLY": "Answer to an invitation",
    "COUNTER": "Another time is proposed",
    "DECLINECOUNTER": "The other time is declined",
}
_ANSWERS = {"ACCEPTED": "Accepted", "DECLINED": "Declined", "TENTATIVE": "Tentatively accepted"}


def of_tree(root: Part) -> list[TypedPart]:
    """The events of a mail's calendars, each once: programs send the same one as a form of the text and as a file."""
    found: dict[tuple[Any, ...], TypedPart] = {}
    lines_left = _MAX_LINES
    for part in walk(root):
        if _is_calendar(part) and len(part.content) <= _MAX_OCTETS:
            takes_long()
            lines = _lines(part)
            lines_left -= len(lines)
            if lines_left < 0:
                break
            for event in _events(lines):
                found.setdefault((event.data["uid"] or event.text, event.data["start"]), event)
    return list(found.values())[:_MAX_EVENTS]


def _is_calendar(part: Part) -> bool:
    return part.content_type in _TYPES or part.filename.lower().endswith(".ics")


def _lines(part: Part) -> list[str]:
    """The lines of a calendar, unfolded (RFC 5545, 3.1)."""
    text = tidy(decode(part.content, part.params.get("charset", "")))
    return text.replace("\n ", "").replace("\n\t", "").split("\n")


def _events(lines: Iterable[str]) -> Iterator[TypedPart]:
    method, event = "", None
    for line in lines:
        upper = line.strip().upper()
        if event is not None:
            event.append(line[:_MAX_DESCRIPTION])
            if upper == "END:VEVENT":
                part = _read("\r\n".join(event), method)
                if part is not None:
                    yield part
                event = None
        elif upper == "BEGIN:VEVENT":
            event = [line]
        elif upper.startswith("METHOD:"):
            method = upper.removeprefix("METHOD:").strip()[:40]


def _read(source: str, method: str) -> TypedPart | None:
    """None for what is no event that could be read: the file is there all the same."""
    from icalendar import Event  # noqa: PLC0415  # 60 ms and 8 MB, and hardly any mail needs it

    try:
        event = Event.from_ical(source)
        return _part(event, method) if isinstance(event, Event) else None
    except Exception:  # noqa: BLE001 (whatever the library makes of what a stranger wrote)
        return None


def _part(event: Event, method: str) -> TypedPart:
    start = _time(event, "DTSTART")
    end = _end(event, start)
    organizer = _person(_first(event, "ORGANIZER"))
    attendees = [_person(one) for one in _every(event, "ATTENDEE")[:_MAX_ATTENDEES]]
    rule = _first(event, "RRULE")
    data: dict[str, Any] = {
        "method": method or None,
        "uid": _words(event, "UID"),
        "summary": _words(event, "SUMMARY"),
        "description": shorten(tidy(str(_first(event, "DESCRIPTION") or "")).strip(), _MAX_DESCRIPTION) or None,
        "location": _words(event, "LOCATION"),
        "start": start.isoformat() if start is not None else None,
        "end": end.isoformat() if end is not None else None,
        "all_day": start is not None and not isinstance(start, datetime),
        "timezone": _zone(event, start),
        "recurrence": shorten(rule.to_ical().decode(), _MAX_LINE) if rule is not None else None,
        "organizer": organizer,
        "attendees": attendees,
    }
    return TypedPart(type="calendar", text=_readable(data, start, end), data=data)


def _readable(data: dict[str, Any], start: date | None, end: date | None) -> str:
    what = _METHODS.get(data["method"] or "", "Event")
    title = data["summary"] or "(no title)"
    if data["method"] == "REPLY" and data["attendees"]:
        who = data["attendees"][0]
        what = _ANSWERS.get(who["status"] or "", what)
        title += f" ({who['name'] or who['address']})"
    lines = [f"{what}: {title}", f"When: {_when(start, end, data['timezone'])}" if start is not None else ""]
    for label, key in (("Where", "location"), ("Repeats", "recurrence")):
        lines.append(f"{label}: {data[key]}" if data[key] else "")
    if organizer := data["organizer"]:
        lines.append(f"Organizer: {organizer['name'] or organizer['address']}")
    return "\n".join(filter(None, lines))


def _when(start: date, end: date | None, zone: str | None) -> str:
    if not isinstance(start, datetime):
        last = end - timedelta(days=1) if end is not None else start  # an end of days is the day after (3.6.1)
        return f"{start} to {last}" if last > start else f"{start}"
    until = ""
    if isinstance(end, datetime):
        until = f" to {end:%H:%M}" if end.date() == start.date() else f" to {end:%Y-%m-%d %H:%M}"
    return f"{start:%Y-%m-%d %H:%M}{until}{f' ({zone})' if zone else ''}"


def _time(event: Event, name: str) -> date | None:
    found = getattr(_first(event, name), "dt", None)
    return found if isinstance(found, date) else None


def _end(event: Event, start: date | None) -> date | None:
    """When it ends: a time of the kind that it begins with, told or by how long it lasts; None where neither fits."""
    end = _time(event, "DTEND")
    lasts = getattr(_first(event, "DURATION"), "dt", None)
    if end is None and start is not None and isinstance(lasts, timedelta):
        end = start + lasts
    return end if type(end) is type(start) else None


def _zone(event: Event, start: date | None) -> str | None:
    """The zone that the event's own time is in; None for a whole day, and for a time of wherever one is."""
    if not isinstance(start, datetime):
        return None
    zone: tzinfo | None = start.tzinfo
    if zone is not None:
        return shorten(str(getattr(zone, "key", None) or start.tzname() or start.strftime("%z")), _MAX_LINE)
    given = getattr(_first(event, "DTSTART"), "params", {}).get("TZID")
    return shorten(one_line(str(given)), _MAX_LINE) if given else None


def _person(value: Any) -> dict[str, str | None] | None:  # noqa: ANN401 (the library's, whatever it found)
    if value is None:
        return None
    address = one_line(str(value))
    params = getattr(value, "params", {})
    return {
        "name": shorten(one_line(str(params.get("CN", ""))), _MAX_LINE) or None,
        "address": shorten(address[7:] if address.lower().startswith("mailto:") else address, _MAX_LINE),
        "status": str(params.get("PARTSTAT", ""))[:40].upper() or None,
    }


def _words(event: Event, name: str) -> str | None:
    return shorten(one_line(str(_first(event, name) or "")), _MAX_LINE) or None


def _first(event: Event, name: str) -> Any:  # noqa: ANN401 (the library's, whatever it found)
    return next(iter(_every(event, name)), None)


def _every(event: Event, name: str) -> list[Any]:
    """All values of a name: the library gives one, or a list where a name stands more than once."""
    found = event.get(name)
    return found if isinstance(found, list) else [] if found is None else [found]
