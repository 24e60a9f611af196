"""What can go wrong with the embedded database. Each text is one sentence: what, where, what to do.

EmbeddedDatabaseError
├── AlreadyRunningError   another Santral owns this folder
├── NotRunningError       no Santral owns this folder
└── NoMongodError         there is no mongod to run
"""

from __future__ import annotations


class EmbeddedDatabaseError(Exception):
    """The embedded database cannot run; the text is for whoever started Santral."""


class AlreadyRunningError(EmbeddedDatabaseError):
    """Another Santral owns this folder."""


class NotRunningError(EmbeddedDatabaseError):
    """No Santral owns this folder, or it is still starting."""


class NoMongodError(EmbeddedDatabaseError):
    """There is no `mongod`, neither on PATH nor in the wheel."""
