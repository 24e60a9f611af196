"""Answers as CSV (RFC 4180), which spreadsheets open."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence

from aiohttp import web
from msgspec import Struct
from msgspec.structs import asdict

from inbox.api.routing import HEADERS

FORMULA = ("=", "+", "-", "@", "\t", "\r")


class Sheet(web.Response):
    """Rows under a line that names their fields, as a file to keep."""

    def __init__(self, name: str, row: type[Struct], rows: Sequence[Struct]) -> None:
        """`name` is that of the file, and `row` what each of the rows is."""
        text = io.StringIO()
        writer = csv.writer(text)  # which ends lines as RFC 4180 does
        writer.writerow(row.__struct_fields__)
        writer.writerows([_cell(value) for value in asdict(one).values()] for one in rows)
        super().__init__(
            body=text.getvalue().encode(),
            headers={
                **HEADERS,
                "Content-Type": "text/csv; charset=utf-8; header=present",
                "Content-Disposition": f'attachment; filename="{name}.csv"',
            },
        )


def _cell(value: object) -> object:
    """The value, but no text that a spreadsheet would take for a formula."""
    return f"'{value}" if isinstance(value, str) and value.startswith(FORMULA) else value
