"""Storage beside the compiled trees: the checkpoint file, starting from it, and proving that it is whole."""

from opendsql.storage.checkpoint import CHECKPOINT_FILE, Checkpointer
from opendsql.storage.recovery import OpenedArena, open_arena
from opendsql.storage.verify import CheckpointReport, verify_checkpoint

__all__ = ["CHECKPOINT_FILE", "CheckpointReport", "Checkpointer", "OpenedArena", "open_arena", "verify_checkpoint"]
