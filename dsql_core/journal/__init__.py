"""The journal: frames, segments, group commit, and the reader that tells a torn tail from damage."""

from dsql_core.journal.scan import JournalError, JournalReader, Tail, scan, segment_files
from dsql_core.journal.writer import JournalOwner

__all__ = ["JournalError", "JournalOwner", "JournalReader", "Tail", "scan", "segment_files"]
