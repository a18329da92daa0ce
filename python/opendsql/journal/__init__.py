"""The journal: where a commit becomes durable. Data directory, local segments, recovery by replay."""

from opendsql.journal.directory import DataDirectory
from opendsql.journal.local import Journal, LocalJournal, Recovery, reader, recover, remove_unfinished

__all__ = ["DataDirectory", "Journal", "LocalJournal", "Recovery", "reader", "recover", "remove_unfinished"]
