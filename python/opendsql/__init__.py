"""opendsql: Aurora DSQL's architecture and behaviour as open software.

The life of a transaction
   1. BEGIN marks the session; nothing is locked, nothing is sent.
   2. The first statement pins storage's newest root: that is the snapshot, and its timestamp is snapshot_ts.
   3. A statement's text becomes a fingerprint; a known one runs its compiled program at once, a new one is parsed by
      PostgreSQL's grammar, bound, planned and compiled first (query/).
   4. Reads walk the trees of the pinned root in shared memory, overlaid with the transaction's own writes.
   5. Writes go to the session's write set: post-images of rows and index entries, and the keys to check.
   6. COMMIT sends one message to the adjudicator: a key committed by someone else after snapshot_ts refuses it (OC000,
      OC001 for the catalog); else it gets its commit_ts. First to reach the adjudicator wins.
   7. The journal joins all that arrived during the last flush into one frame and flushes it: the commit point.
   8. The crossbar merges journals by timestamp; storage applies the frame to copy-on-write trees and publishes a root.
   9. Only then is COMMIT answered: whoever begins after the answer sees the commit.
  10. A transaction that wrote nothing ends where it is; it can never be refused.

`connect(path)` runs all of this inside the calling process (DB-API 2.0, PEP 249); `opendsql serve` puts it behind the
PostgreSQL wire protocol.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from opendsql.errors import DsqlError, OpendsqlError, OperatorError

if TYPE_CHECKING:
    from opendsql.embedded import Connection

__version__ = "0.1.0"

apilevel = "2.0"
threadsafety = 1  # threads may share the module, not connections
paramstyle = "pyformat"

__all__ = ["DsqlError", "OpendsqlError", "OperatorError", "__version__", "apilevel", "connect", "paramstyle", "threadsafety"]


def connect(path: str, **options: Any) -> Connection:
    """Opens (or makes) a data directory in this process and returns a DB-API connection to it.

    Args:
        path: data directory; no server may be running on it.
        options: see opendsql.embedded.Database.

    Raises:
        OperatorError: the directory is in use, of another format, or damaged.
    """
    from opendsql.embedded import connect as open_connection

    return open_connection(path, **options)
