"""Storage: copy-on-write trees in shared memory, where a snapshot is a root.

The C face is store.pxd; Arena is how Python creates, attaches and inspects it.
"""

from dsql_core.storage.arena import PAGE_BYTES, Arena, SnapshotView, StorageError

__all__ = ["PAGE_BYTES", "Arena", "SnapshotView", "StorageError"]
