"""The embedded database: a private `mongod`, a replica set of one, that lives and dies with Santral.

Who holds the lock of the folder (`data_folder` says what stands in it) starts `mongod` there, and starts it again when
it dies. Later commands attach to it. Whatever an owner that was killed left behind is put in order by the next one.
"""

from inbox.store.embedded.database import EmbeddedDatabase, attach, start
from inbox.store.embedded.errors import AlreadyRunningError, EmbeddedDatabaseError, NoMongodError, NotRunningError

__all__ = [
    "AlreadyRunningError",
    "EmbeddedDatabase",
    "EmbeddedDatabaseError",
    "NoMongodError",
    "NotRunningError",
    "attach",
    "start",
]
