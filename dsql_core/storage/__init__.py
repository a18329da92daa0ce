"""Storage: copy-on-write trees in shared memory, where a snapshot is a root.

The C face is store.pxd; Arena is how Python creates, attaches and inspects it, Checkpoint writes it to a file beside the
running writer.
"""

from dsql_core.storage.arena import PAGE_BYTES, Arena, SnapshotView, StorageError
from dsql_core.storage.checkpoint import FORMAT_VERSION, Checkpoint, inspect, load, read_metas

__all__ = [
    "FORMAT_VERSION", "PAGE_BYTES", "Arena", "Checkpoint", "SnapshotView", "StorageError", "inspect", "load",
    "read_metas",
]
