"""Where the command `santral` begins."""

from __future__ import annotations

import sys

from inbox.shadows import shadows

EXIT_START = 3


def main() -> None:
    """Runs the command line; where it cannot even be imported because of a stranger's module, that is what it says."""
    try:
        from inbox.cli import main as command  # noqa: PLC0415 (what this import meets is what is to be explained)
    except ImportError:
        found = shadows()
        if not found:
            raise
        sys.stderr.write("\n".join(found) + "\n")
        sys.exit(EXIT_START)
    command()
